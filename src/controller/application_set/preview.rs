//! What carrying out a set would do, with what the hub knows; nothing is written.

use std::sync::Arc;

use argosy_crds::{Application, ApplicationSet};
use argosy_generators::emptied::{Yields, emptied};
use argosy_generators::guard::{Guard, Limits, approved};
use argosy_generators::plan::Inputs;
use argosy_generators::policy;
use argosy_generators::preview::{self as pure, Preview, as_applied};
use argosy_generators::validate::validate;
use argosy_generators::{Error, Expansion, Facts, Settings, Step, Substitute, expand};

use super::answers::Asking;
use super::{apply, facts, settings};
use crate::fleet::ObjectName;
use crate::hub::Hub;

/// How often an expansion may ask for more, as when it is carried out.
const ROUNDS: usize = 16;

/// What a set is compared with instead of the Applications on the hub.
pub struct Base<'a> {
    /// The set as it was.
    pub set: &'a ApplicationSet,
    /// What it read in the place of a branch.
    pub substitute: Option<&'a Substitute>,
}

/// Previews a set, which reads `head` in the place of a branch. Without a base it is compared with
/// its Applications on the hub.
pub async fn preview(
    hub: &Arc<Hub>,
    set: &ApplicationSet,
    head: Option<&Substitute>,
    base: Option<Base<'_>>,
) -> Result<Preview, Error> {
    let name = name_of(set);
    let set = as_on_the_hub(hub, &name, set);
    let expansion = expanded(hub, &set, head).await.result?;
    let (live, yielded) = match base {
        None => {
            let live = apply::concerned(hub, &set, expansion.applications.get());
            (live, yielded_on_the_hub(hub, &name, &set))
        }
        Some(base) => {
            let before = as_on_the_hub(hub, &name, base.set);
            let expansion = expanded(hub, &before, base.substitute).await.result?;
            let live = as_applied(&before, expansion.applications.get());
            (live, Some(Yields::of(&before, &expansion)))
        }
    };
    let emptied = emptied(yielded.as_ref(), &set, &expansion);
    Ok(judged(hub, &name, &set, &expansion, &live, &emptied))
}

/// What the generators of the set on the hub yielded, as far as that can be told: only those that
/// the change leaves as they are can have stopped.
fn yielded_on_the_hub(hub: &Hub, name: &ObjectName, set: &ApplicationSet) -> Option<Yields> {
    let index = hub.fleet.index();
    let known = index.application_sets.read(name)?;
    (known.spec.generators != set.spec.generators).then(|| Yields::assumed(known))
}

fn name_of(set: &ApplicationSet) -> ObjectName {
    let meta = &set.metadata;
    ObjectName::new(
        meta.namespace.as_deref().unwrap_or_default(),
        meta.name.as_deref().unwrap_or_default(),
    )
}

fn judged(
    hub: &Hub,
    name: &ObjectName,
    set: &ApplicationSet,
    expansion: &Expansion,
    live: &[Application],
    emptied: &[String],
) -> Preview {
    let generated = &expansion.applications;
    let projects = apply::projects(hub);
    let clusters = apply::clusters(&hub.known_clusters());
    let settings = hub.fleet.settings();
    let inputs = Inputs {
        set,
        generated,
        invalid: &validate(&name.name, generated.get(), &projects, &clusters),
        live,
        policy: policy::effective(set, settings.sets.policy, settings.sets.policy_override),
        preserved: &settings.sets.preserved,
        clusters: &clusters,
        rolling: super::rollout::is_rolling(hub, set),
        jq: &|expression, value| argosy_engine::ignore::pointers(expression, value),
    };
    let guard = Guard {
        limits: Limits::of(set, settings.guard),
        approved: approved(set),
        emptied,
    };
    pure::preview(&inputs, &guard)
}

/// The set as it would be if it were applied: with the identity and the annotations that the one
/// on the hub has.
fn as_on_the_hub(hub: &Hub, name: &ObjectName, set: &ApplicationSet) -> ApplicationSet {
    let mut set = set.clone();
    let index = hub.fleet.index();
    if let Some(known) = index.application_sets.read(name) {
        set.metadata.uid.clone_from(&known.metadata.uid);
        let mut annotations = known.metadata.annotations.clone().unwrap_or_default();
        annotations.extend(set.metadata.annotations.take().unwrap_or_default());
        set.metadata.annotations = Some(annotations);
    }
    set
}

/// What a set came to without being carried out, and the facts that it was made from.
pub struct Expanded {
    /// What was known in the end.
    pub facts: Facts,
    /// What it generates, or why it does not.
    pub result: Result<Expansion, Error>,
    /// How it was expanded.
    pub settings: Settings,
}

/// Expands a set that need not be on the hub; it reads `substitute` in the place of a branch.
pub async fn expanded(
    hub: &Arc<Hub>,
    set: &ApplicationSet,
    substitute: Option<&Substitute>,
) -> Expanded {
    let settings = settings(hub);
    let mut facts = Facts::new();
    let result = expand_with(hub, set, substitute, &settings, &mut facts).await;
    Expanded {
        facts,
        result,
        settings,
    }
}

async fn expand_with(
    hub: &Arc<Hub>,
    set: &ApplicationSet,
    substitute: Option<&Substitute>,
    settings: &Settings,
    known: &mut Facts,
) -> Result<Expansion, Error> {
    let name = name_of(set);
    let asking = Asking::new(hub, &name, set);
    for _ in 0..ROUNDS {
        match expand(set, known, settings) {
            Step::Done(expansion) => return Ok(expansion),
            Step::Failed(error) => return Err(error),
            Step::Needs(requests) => {
                for request in requests {
                    let replaced = substitute.and_then(|one| one.replaced(&request));
                    let asked = replaced.as_ref().unwrap_or(&request);
                    let answer = facts::awaited(hub, &asking, asked).await;
                    known.insert(request, answer);
                }
            }
        }
    }
    let why = format!("the generators still asked for more after {ROUNDS} rounds");
    Err(facts::failed(set, &why))
}
