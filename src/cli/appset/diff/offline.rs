//! The preview from files alone.

use std::path::Path;

use argosy_crds::{Application, ApplicationSet};
use argosy_generators::approval::Held;
use argosy_generators::emptied::{Yields, emptied};
use argosy_generators::guard::{Guard, Limits, approved};
use argosy_generators::offline::{World, generate_from};
use argosy_generators::plan::{Inputs, PreservedKeys};
use argosy_generators::preview::{as_applied, preview as pure_preview};
use argosy_generators::rollout::is_rolling;
use argosy_generators::validate::validate;
use argosy_generators::{Cluster, Expansion, Substitute, policy};

use super::{Args, Previewed};
use crate::cli::appset::not_generated;
use crate::cli::appset::offline::clusters_of;
use crate::cli::output;
use crate::diagnostic::Diagnostic;

pub(super) fn preview(args: &Args) -> Previewed {
    let mut question = args.question()?;
    let namespace = &args.hub.namespace;
    let (live, yielded) = match &args.live {
        Some(path) => {
            let live = applications(path)?;
            question.set.metadata.uid = uid_of_owner(&question.set, &live);
            (live, None)
        }
        None if args.compares_expansions() => {
            let clusters = match &args.base_cluster_secrets {
                Some(path) => clusters_of(Some(path), namespace)?,
                None => args.offline.clusters(namespace)?,
            };
            let base = question.base.as_ref();
            let expansion = expanded(args, &question.base_set, clusters, base)?;
            let live = as_applied(&question.base_set, expansion.applications.get());
            (live, Some(Yields::of(&question.base_set, &expansion)))
        }
        None => {
            return Err(Diagnostic::user(
                "NothingToCompare",
                "nothing is said about how things are before the change",
            )
            .fix("add --live, --base, --base-set or --base-cluster-secrets, or ask a hub"));
        }
    };
    let set = &question.set;
    let clusters = args.offline.clusters(namespace)?;
    let expansion = expanded(args, set, clusters, question.head.as_ref())?;
    let generated = &expansion.applications;
    let name = set.metadata.name.clone().unwrap_or_default();
    let projects = args.offline.projects(set, generated.get())?;
    let all = generated.get().iter().chain(&live);
    let clusters = args.offline.destinations(namespace, all)?;
    let preview = pure_preview(
        &Inputs {
            set,
            generated,
            invalid: &validate(&name, generated.get(), &projects, &clusters),
            live: &live,
            policy: policy::effective(set, None, None),
            preserved: &PreservedKeys::default(),
            clusters: &clusters,
            rolling: is_rolling(set),
            jq: &|expression, value| argosy_engine::ignore::pointers(expression, value),
        },
        &Guard {
            limits: Limits::of(set, Limits::default()),
            approved: approved(set),
            emptied: &emptied(yielded.as_ref(), set, &expansion),
            held: &Held::default(),
        },
    );
    Ok((name, preview))
}

fn expanded(
    args: &Args,
    set: &ApplicationSet,
    clusters: Vec<Cluster>,
    substitute: Option<&Substitute>,
) -> Result<Expansion, Diagnostic> {
    let trees = args.offline.trees();
    let world = World {
        projects: args.offline.projects(set, &[])?,
        clusters,
        trees: &trees,
    };
    let mut answer = |request: &_| {
        let replaced = substitute.and_then(|one| one.replaced(request));
        world.answer(replaced.as_ref().unwrap_or(request))
    };
    generate_from(set, &args.offline.settings(), &mut answer).map_err(not_generated)
}

/// The Applications of a file.
fn applications(path: &Path) -> Result<Vec<Application>, Diagnostic> {
    let read = |object| {
        serde_json::from_value(object).map_err(|error| {
            Diagnostic::user("FileMalformed", "cannot read an Application")
                .at(path.display().to_string())
                .because(&error)
        })
    };
    output::read_objects(path)?.into_iter().map(read).collect()
}

/// The uid of the set on the hub that the Applications come from, as their owner references tell.
fn uid_of_owner(set: &ApplicationSet, live: &[Application]) -> Option<String> {
    let owners = live
        .iter()
        .flat_map(|app| app.metadata.owner_references.iter().flatten());
    owners
        .filter(|owner| owner.kind == "ApplicationSet" && owner.controller == Some(true))
        .find(|owner| Some(&owner.name) == set.metadata.name.as_ref())
        .map(|owner| owner.uid.clone())
}
