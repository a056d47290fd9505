//! Facts from what was read beforehand: project names, cluster Secrets and git trees.
//!
//! Expands a set without a hub. What is not given cannot be reached, which is an error and not an
//! empty answer.

mod git_tree;
mod secrets;

use std::collections::BTreeSet;

use argosy_crds::ApplicationSet;
use argosy_facts::Observed;
use serde_json::Value;

use crate::error::Error;
use crate::expand::{Expansion, Step, expand};
use crate::facts::{Answer, Cluster, Facts, Request};
use crate::generator::clusters::{select_clusters, servers};
use crate::settings::Settings;
use crate::typed;

pub use git_tree::{GitTree, select_directories, select_files};
pub(crate) use git_tree::{leave_out, selects};
pub use secrets::clusters;

/// Finds the tree of a repository at a revision, or says why it cannot be reached.
pub type TreeFinder<'w> = dyn Fn(&str, &str) -> Result<Box<dyn GitTree>, String> + 'w;

/// Everything there is.
pub struct World<'w> {
    /// The names of the projects that exist.
    pub projects: BTreeSet<String>,
    /// The registered clusters.
    pub clusters: Vec<Cluster>,
    /// The git repositories.
    pub trees: &'w TreeFinder<'w>,
}

/// Expands a set in this world.
pub fn generate(
    set: &ApplicationSet,
    world: &World<'_>,
    settings: &Settings,
) -> Result<Expansion, Error> {
    generate_from(set, settings, &mut |request| world.answer(request))
}

/// Expands a set from the answers that `answer` gives; each request is answered once.
pub fn generate_from(
    set: &ApplicationSet,
    settings: &Settings,
    answer: &mut dyn FnMut(&Request) -> Observed<Answer>,
) -> Result<Expansion, Error> {
    let mut facts = Facts::new();
    loop {
        match expand(set, &facts, settings) {
            Step::Done(expansion) => return Ok(expansion),
            Step::Failed(error) => return Err(error),
            Step::Needs(requests) => {
                for request in requests {
                    let answer = answer(&request);
                    facts.insert(request, answer);
                }
            }
        }
    }
}

/// Reads an ApplicationSet from a manifest as kubectl and Argo CD's CLI do: a number or boolean that
/// stands for a text becomes one.
pub fn read_set(manifest: Value) -> Result<ApplicationSet, String> {
    typed::from_yaml(manifest)
}

impl World<'_> {
    /// Answers a request; what this world does not know is unknown.
    pub fn answer(&self, request: &Request) -> Observed<Answer> {
        match request {
            Request::Clusters { generator } => select_clusters(generator, &self.clusters),
            Request::Servers => Observed::complete(servers(&self.clusters)),
            Request::Project(name) => {
                Observed::complete(Answer::Exists(self.projects.contains(name)))
            }
            Request::GitDirectories {
                repo_url,
                revision,
                include,
                ..
            } => match (self.trees)(repo_url, revision) {
                Ok(tree) => {
                    let selected = select_directories(&tree.directories(), include);
                    Observed::complete(Answer::Directories(selected))
                }
                Err(why) => Observed::unknown(why),
            },
            Request::GitFiles {
                repo_url,
                revision,
                pattern,
                globbing,
                ..
            } => {
                let files = (self.trees)(repo_url, revision)
                    .and_then(|tree| select_files(tree.as_ref(), pattern, *globbing));
                match files {
                    Ok(files) => Observed::complete(Answer::Files(files)),
                    Err(why) => Observed::unknown(why),
                }
            }
            Request::ScmRepositories { .. }
            | Request::PullRequests { .. }
            | Request::ClusterDecisions { .. }
            | Request::PluginParameters { .. } => {
                Observed::unknown("this generator needs a hub and cannot be run offline")
            }
        }
    }
}
