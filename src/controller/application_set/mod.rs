//! The ApplicationSet controller: what a set generates, written as Applications.
//!
//! The expansion and the plan are values from the pure crate; here facts are fetched for the one
//! and the other is carried out. A set whose facts are not complete is left as it is, with a
//! condition that says why.

mod answers;
mod apply;
mod contested;
mod decisions;
mod deletion;
mod facts;
mod memory;
mod preview;
pub(super) mod pull_requests;
mod report;
mod rollout;
mod tree;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use argosy_crds::application_set::ApplicationSetGenerator;
use argosy_crds::{ApplicationSet, names};
use argosy_generators::reads::{self, GitReads};
use argosy_generators::status::Rollout;
use argosy_generators::{Expansion, Globbing, Settings, requeue};

use self::apply::Applied;
use super::worker::{Next, work_off};
use crate::fleet::{ObjectName, Wake};
use crate::hub::Hub;
use crate::traces::Span;

pub use memory::Memory;
pub use preview::{Base, Expanded, Generated, Supposed, expanded, generate, preview};

/// How long the changes of many applications are gathered before the set reports them.
pub const STATUS_DELAY: Duration = Duration::from_secs(1);

/// When a set is looked at although nothing woke it and no generator polls, as in Argo CD.
const RESYNC: Duration = Duration::from_hours(10);

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
    let fleet = hub.fleet.settings();
    if !fleet.watches_sets_in(&name.namespace, &hub.config.namespace) {
        return Next::WhenWoken;
    }
    let started = tokio::time::Instant::now();
    let Some(set) = read(&hub, &name).await else {
        return Next::WhenWoken;
    };
    if set.is_deleting() {
        return deletion::proceed(&hub, &name, &set).await;
    }
    if let Err(error) = deletion::prepare(&hub, &name, &set).await {
        tracing::debug!(set = %name, error = crate::diagnostic::chain(&error), "the finalizer of the set was not written and will be");
    }
    let denied = hub.fleet.index().denied();
    if let Some(why) = denied {
        // Woken when that is over.
        report::unlisted(&hub, &name, &set, &why).await;
        return Next::WhenWoken;
    }
    if !fleet.watches_applications_in(&name.namespace, &hub.config.namespace) {
        let kept = report::kept(&hub, &set);
        report::report(&hub, &name, &set, Err(&nobody_looks(&name)), kept).await;
        return Next::WhenWoken;
    }
    let due = requeue::after(&set, fleet.sets.requeue_after).and_then(|it| it.try_into().ok());
    let due = due.map(Duration::from_secs);
    refresh(&hub, &set, due);
    let mut span = begin(&hub, &name);
    let expanded = facts::expansion(&hub, &name, &set).await;
    let cause = span.link();
    match &expanded {
        Some(Ok(expansion)) => span.tell("applications", expansion.applications.get().len()),
        Some(Err(error)) => span.fail(&error.message),
        None => {}
    }
    drop(span);
    let is_done = expanded.is_some();
    let next = match expanded {
        // The answer that it waits for wakes it.
        None => Next::WhenWoken,
        Some(Ok(expansion)) => act(&hub, &name, &set, &expansion).await,
        Some(Err(error)) => {
            report::report(&hub, &name, &set, Err(&error), report::kept(&hub, &set)).await;
            Next::After(ERROR_DELAY)
        }
    };
    if is_done {
        hub.application_sets.is_done(&name, &cause);
    }
    hub.metrics
        .application_sets
        .reconciled(&name.namespace, &name.name, started.elapsed());
    match due {
        Some(due) => next.no_later_than(due),
        None => next,
    }
}

/// Begins the span of an expansion, from which what is written then follows.
fn begin(hub: &Hub, name: &ObjectName) -> Span {
    if !hub.traces.is_on() {
        return Span::none();
    }
    let mut span = match hub.application_sets.cause(name) {
        Some(cause) => cause.span("expand"),
        None => hub.traces.begin("expand"),
    };
    span.tell("applicationset", name);
    hub.application_sets.follow(name, &span.link());
    span
}

/// A set beside whose Applications no hub would look.
fn nobody_looks(name: &ObjectName) -> argosy_generators::Error {
    argosy_generators::Error {
        reason: argosy_generators::Reason::Generate,
        set: name.to_string(),
        place: "metadata.namespace".to_owned(),
        message: format!(
            "applications in namespace {} are not looked at; add it to application.namespaces in argocd-cmd-params-cm",
            name.namespace
        ),
    }
}

/// Has the repositories asked anew where somebody asks for a refresh, or where a generator wants
/// them asked more often than all are.
fn refresh(hub: &Hub, set: &ApplicationSet, due: Option<Duration>) {
    let mut annotations = set.metadata.annotations.iter().flatten();
    let asked = annotations.any(|(key, _)| key == names::annotation::APPLICATION_SET_REFRESH);
    let repositories = hub.repositories();
    for url in repository_urls(set) {
        let repository = repositories.find(&url, &set.spec.template.spec.project);
        let age = hub.sources.ls_remote_age(&repository);
        if asked || due.zip(age).is_some_and(|(due, age)| age >= due) {
            hub.sources.refresh(&url);
        }
    }
}

/// What a set reads of git.
pub(super) fn git_reads(hub: &Hub, name: &ObjectName, set: &ApplicationSet) -> GitReads {
    let used = || hub.application_sets.requests(name);
    reads::git_reads(set, settings(hub).globbing, used)
}

/// Writes what a set generates and, where it is rolled out in steps, lets begin what may.
async fn act(
    hub: &Arc<Hub>,
    name: &ObjectName,
    set: &Arc<ApplicationSet>,
    expansion: &Expansion,
) -> Next {
    if !rollout::is_rolling(hub, set) {
        let applied = apply::apply(hub, name, set, expansion).await;
        let is_told = report::report(hub, name, set, Ok(&applied), Rollout::None).await;
        return after(&applied, is_told);
    }
    if argosy_generators::rollout::strategy(set).is_none() {
        let applied = Applied::without_steps();
        report::report(hub, name, set, Ok(&applied), Rollout::None).await;
        return Next::After(ERROR_DELAY);
    }
    let applied = apply::apply(hub, name, set, expansion).await;
    if applied.parked.is_some() {
        let is_told = report::report(hub, name, set, Ok(&applied), Rollout::Kept).await;
        return after(&applied, is_told);
    }
    let plan = rollout::plan(hub, name, set, expansion, &applied);
    let told = Rollout::Planned(&plan);
    let is_told = report::report(hub, name, set, Ok(&applied), told).await;
    let next = after(&applied, is_told);
    if !is_told {
        return next;
    }
    match rollout::begin(hub, name, set, plan).await {
        Some(wait) => next.no_later_than(wait),
        None => next,
    }
}

/// When the set is looked at again; soon where its status could not be written.
fn after(applied: &Applied, is_told: bool) -> Next {
    let next = if applied.is_clean() || applied.parked.is_some() {
        Next::After(RESYNC)
    } else {
        Next::After(ERROR_DELAY)
    };
    if is_told {
        next
    } else {
        next.no_later_than(rollout::SOON)
    }
}

/// Tells every set that is known that nothing is generated, because something of the hub's cluster
/// could not be listed; the Applications stay as they are.
pub async fn tell_unlisted(hub: &Arc<Hub>, why: &str) {
    let sets: Vec<_> = {
        let index = hub.fleet.index();
        let sets = index.application_sets.iter();
        sets.map(|(name, set)| (name.clone(), Arc::clone(set)))
            .collect()
    };
    for (name, set) in sets {
        report::unlisted(hub, &name, &set, why).await;
    }
}

/// The set, if it is there and can be read; one that cannot be gets the condition.
async fn read(hub: &Arc<Hub>, name: &ObjectName) -> Option<Arc<ApplicationSet>> {
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
            hub.metrics.application_sets.gone();
            let nothing = BTreeSet::new();
            for owner in hub.application_sets.contested.note(name, &nothing) {
                hub.take_up(Wake::ApplicationSetStatus(owner));
            }
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
        max_parameter_sets: hub.fleet.settings().sets.max_parameter_sets,
        now: hub.clock.now(),
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
