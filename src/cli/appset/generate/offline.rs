//! `argosy appset generate --offline`: what a set generates, from files alone.

use std::collections::{BTreeMap, BTreeSet};

use argosy_generators::offline::{World, clusters, generate};
use argosy_generators::{Cluster, Globbing, Settings};
use serde_json::Value;

use super::super::work_tree::WorkTree;
use super::{Args, print, read};
use crate::cli::{CommandResult, Outcome, output};
use crate::diagnostic::Diagnostic;

pub(super) fn run(args: &Args) -> CommandResult {
    let set = read(&args.file, &args.hub.namespace)?;
    let repositories: BTreeMap<_, _> = args.repo.iter().cloned().collect();
    let world = World {
        projects: projects(args)?,
        clusters: registered(args)?,
        trees: &|url, revision| {
            let folder = repositories.get(url).ok_or_else(|| {
                format!("repository {url} is not given; name its work tree with --repo {url}=DIR")
            })?;
            Ok(Box::new(WorkTree::open(folder, revision)?))
        },
    };
    let settings = settings(args);
    let expansion = generate(&set, &world, &settings).map_err(|error| {
        Diagnostic::user(error.reason.as_str(), error.message)
            .at(format!("ApplicationSet {}, {}", error.set, error.place))
    })?;
    let applications = expansion.applications.into_inner();
    print(
        args,
        &set,
        &applications,
        (&world.projects, &world.clusters),
    )?;
    Ok(Outcome::Success)
}

fn settings(args: &Args) -> Settings {
    let now = jiff::Timestamp::now();
    Settings {
        globbing: if args.new_git_file_globbing {
            Globbing::Doublestar
        } else {
            Globbing::Pathspec
        },
        now,
        seed: now.as_millisecond().unsigned_abs(),
        ..Settings::default()
    }
}

fn projects(args: &Args) -> Result<BTreeSet<String>, Diagnostic> {
    let Some(path) = &args.projects else {
        return Ok(BTreeSet::new());
    };
    let name = |project: &Value| Some(project.pointer("/metadata/name")?.as_str()?.to_owned());
    Ok(output::read_documents(path)?
        .iter()
        .filter_map(name)
        .collect())
}

fn registered(args: &Args) -> Result<Vec<Cluster>, Diagnostic> {
    let Some(path) = &args.cluster_secrets else {
        return Ok(Vec::new());
    };
    Ok(clusters(
        &output::read_documents(path)?,
        &args.hub.namespace,
    ))
}
