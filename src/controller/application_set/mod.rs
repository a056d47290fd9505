//! The ApplicationSet controller: what a set generates, written as Applications.
//!
//! The expansion and the plan are values from the pure crate; here facts are fetched for the one
//! and the other is carried out. A set whose facts are not complete is left as it is, with a
//! condition that says why.

mod apply;
mod facts;
mod memory;
mod report;
mod tree;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use argosy_crds::application_set::ApplicationSetGenerator;
use argosy_crds::{Application, ApplicationSet};
use argosy_generators::{Cluster, Globbing, Settings};

use super::worker::{Next, work_off};
use crate::fleet::ObjectName;
use crate::hub::Hub;

pub use memory::Memory;

/// How long the changes of many applications are gathered before the set reports them.
pub const STATUS_DELAY: Duration = Duration::from_secs(1);

/// When a set that could not be generated is tried again although nothing woke it, as in Argo CD.
const ERROR_DELAY: Duration = Duration::from_mins(3);

/// Works off the queue of sets, for ever.
pub async fn work(hub: Arc<Hub>) {
    let queue = Arc::clone(&hub.queues.application_sets);
    let working = Arc::clone(&hub);
    work_off(&hub, "an ApplicationSet", queue, move |name| {
        reconcile(Arc::clone(&working), name)
    })
    .await;
}

/// Brings one set and its applications in step.
async fn reconcile(hub: Arc<Hub>, name: ObjectName) -> Next {
    if !hub.knows_its_fleet() {
        return Next::WhenWoken;
    }
    let started = tokio::time::Instant::now();
    let Some(set) = read(&hub, &name).await else {
        return Next::WhenWoken;
    };
    if set.metadata.deletion_timestamp.is_some() {
        // The applications go by their owner references, each with its own cascade.
        return Next::WhenWoken;
    }
    let next = match facts::expansion(&hub, &name, &set).await {
        Ok(expansion) => {
            let applied = apply::apply(&hub, &name, &set, &expansion).await;
            report::report(&hub, &name, &set, Ok(&applied)).await;
            if applied.is_clean() || applied.parked.is_some() {
                Next::WhenWoken
            } else {
                Next::After(ERROR_DELAY)
            }
        }
        Err(error) => {
            report::report(&hub, &name, &set, Err(&error)).await;
            Next::After(ERROR_DELAY)
        }
    };
    hub.metrics
        .application_sets
        .reconciled(&name.namespace, &name.name, started.elapsed());
    next
}

/// What a set generates, and what it may name.
pub struct Generated {
    /// The Applications, in the order of generators and parameters.
    pub applications: Vec<Application>,
    /// The projects that exist.
    pub projects: BTreeSet<String>,
    /// The registered clusters.
    pub clusters: Vec<Cluster>,
}

/// Expands a set that need not be on the hub, with what the hub knows.
pub async fn generate(
    hub: &Arc<Hub>,
    set: &Arc<ApplicationSet>,
) -> Result<Generated, argosy_generators::Error> {
    let meta = &set.metadata;
    let name = ObjectName::new(
        meta.namespace.as_deref().unwrap_or_default(),
        meta.name.as_deref().unwrap_or_default(),
    );
    let expansion = facts::expansion(hub, &name, set).await?;
    let (projects, _) = apply::observed(hub, &name);
    Ok(Generated {
        applications: expansion.applications.get().clone(),
        projects,
        clusters: apply::clusters(&hub.known_clusters()),
    })
}

/// The set, if it is there and can be read; one that cannot be gets the condition.
async fn read(hub: &Hub, name: &ObjectName) -> Option<Arc<ApplicationSet>> {
    let body = {
        let index = hub.fleet.index();
        index
            .application_sets
            .get(name)
            .map(|entry| entry.body.clone())
    };
    match body {
        Some(Ok(set)) => Some(set),
        Some(Err(malformed)) => {
            report::malformed(hub, name, &malformed).await;
            None
        }
        None => {
            hub.application_sets.forget(name);
            None
        }
    }
}

/// What the hub's settings say about expanding.
fn settings(hub: &Hub) -> Settings {
    let globbing = if hub.fleet.settings().new_git_file_globbing {
        Globbing::Doublestar
    } else {
        Globbing::Pathspec
    };
    Settings {
        globbing,
        now: hub.clock.now(),
        ..Settings::default()
    }
}

/// The repositories that the set's generators read, at any depth.
pub fn repository_urls(set: &ApplicationSet) -> BTreeSet<String> {
    fn walk(generators: &[ApplicationSetGenerator], urls: &mut BTreeSet<String>) {
        for generator in generators {
            urls.extend(generator.git.iter().map(|git| git.repo_url.clone()));
            let nested = generator
                .matrix
                .iter()
                .map(|matrix| matrix.generators.as_slice());
            let merged = generator
                .merge
                .iter()
                .map(|merge| merge.generators.as_slice());
            for children in nested.chain(merged) {
                walk(children, urls);
            }
        }
    }
    let mut urls = BTreeSet::new();
    walk(&set.spec.generators, &mut urls);
    urls
}
