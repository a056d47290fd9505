//! Whether there is something to sync, and why not.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use argosy_crds::Application;
use argosy_crds::application::{Operation, OperationState, SyncOperation, SyncOperationResult};
use argosy_crds::codes::{OperationPhase, SyncStatusCode, condition};
use argosy_engine::object::ResourceKey;
use argosy_engine::operation::{
    self, AutoSync, AutoSyncInput, BLOCKED_BY_WINDOW, NOTHING_ASKED, SelfHealBackoff, TERMINATED,
    decide_automated, pause_of,
};
use argosy_engine::sync::TaskStates;
use argosy_engine::windows::{self, Windows};
use jiff::Timestamp;

use super::assess::{self, Assessment};
use super::desired;
use super::observe::Observation;
use super::operate::{BACKSTOP, Retry, RunningSync, plan};
use super::{results, resume};
use crate::controller::events::News;
use crate::fleet::ObjectName;
use crate::hub::Hub;
use crate::source::Retry as Retrying;

/// How often an application that a sync window holds back looks whether it has opened.
pub(super) const WINDOW_INTERVAL: Duration = Duration::from_secs(30);

/// What there is to do.
pub(super) enum Begun {
    /// Nothing.
    Nothing {
        /// When to look again because of it.
        after: Option<Duration>,
        /// Why, where a condition is to say so.
        condition: Option<(&'static str, String)>,
    },
    /// It was asked for and cannot be done.
    Refused(Box<OperationState>),
    /// It was asked for and may not be done yet.
    Blocked(Box<OperationState>),
    /// It is planned.
    Running(Box<RunningSync>),
}

/// One attempt at an operation.
pub(super) struct Attempt {
    /// What was asked.
    pub(super) operation: Operation,
    /// When it began.
    pub(super) started_at: Timestamp,
    /// How often it was retried.
    pub(super) retries: i64,
    /// What is recorded of it, where another process began it.
    pub(super) going_on: Option<SyncOperationResult>,
}

impl Attempt {
    fn new(operation: Operation, started_at: Timestamp) -> Self {
        Self {
            operation,
            started_at,
            retries: 0,
            going_on: None,
        }
    }

    /// The revisions that it has to use: those that it began with, or those that it names.
    fn pinned(&self, sync: &SyncOperation) -> Vec<String> {
        match &self.going_on {
            Some(begun) if !begun.revisions.is_empty() => begun.revisions.clone(),
            Some(begun) if !begun.revision.is_empty() => vec![begun.revision.clone()],
            _ => pinned(sync),
        }
    }

    /// What its hooks are marked with, so that they are known again after a restart.
    fn stamp(&self) -> String {
        format!("{:.0}/{}", self.started_at, self.retries)
    }

    fn refused(
        &self,
        end: (OperationPhase, &str),
        attempted: Option<SyncOperationResult>,
        now: Timestamp,
    ) -> Begun {
        let begun = (self.started_at, self.retries);
        let state = results::refused(&self.operation, end, attempted, begun, Some(now));
        Begun::Refused(Box::new(state))
    }

    fn blocked(&self, attempted: Option<SyncOperationResult>) -> Begun {
        let phase = (OperationPhase::Running, BLOCKED_BY_WINDOW);
        let begun = (self.started_at, self.retries);
        let state = results::refused(&self.operation, phase, attempted, begun, None);
        Begun::Blocked(Box::new(state))
    }
}

/// Begins what was asked for, or what automation asks for.
pub(super) async fn begin(
    hub: &Arc<Hub>,
    name: &ObjectName,
    application: &Application,
    assessment: &mut Assessment,
) -> Begun {
    let mut given_up = false;
    let replaces = |retry: &Retry| {
        let requested = application.operation.as_ref();
        requested.is_some_and(|requested| *requested != retry.operation)
    };
    let retry = hub.applications.retry(name);
    if retry.as_ref().is_some_and(replaces) {
        hub.applications.drop_retry(name);
    }
    if let Some(retry) = retry
        .filter(|retry| !replaces(retry))
        .or_else(|| resume::retry(application))
    {
        match retried(hub, name, application, assessment, retry).await {
            Some(begun) => return begun,
            None => given_up = true,
        }
    } else if let Some(interrupted) = resume::interrupted(application) {
        return planned(hub, name, application, assessment, interrupted).await;
    }
    if let Some(requested) = &application.operation {
        let attempt = Attempt::new(requested.clone(), hub.clock.now());
        return planned(hub, name, application, assessment, attempt).await;
    }
    automated(hub, application, assessment, given_up)
}

/// What automation asks for. After a retry was given up the operation in the status counts for
/// nothing: it neither runs nor was it tried to its end.
fn automated(
    hub: &Hub,
    application: &Application,
    assessment: &Assessment,
    given_up: bool,
) -> Begun {
    let nothing = |after, condition| Begun::Nothing { after, condition };
    let (Ok(observation), Some(comparison)) = (&assessment.observed, &assessment.comparison) else {
        return nothing(None, None);
    };
    let now = hub.clock.now();
    let windows = match Windows::of(application, &observation.project.spec.sync_windows) {
        Ok(windows) => windows,
        Err(error) => return nothing(None, Some((condition::SYNC_ERROR, error.to_string()))),
    };
    let mut judged = std::borrow::Cow::Borrowed(application);
    if given_up && let Some(status) = &mut judged.to_mut().status {
        status.operation_state = None;
    }
    let verdict = decide_automated(&AutoSyncInput {
        application: &judged,
        status: comparison.status,
        resources: &assessment.resources,
        revisions: &observation.desired.revisions,
        content_changed: true,
        windows: &windows.verdict(windows::Attempt::default(), now),
        self_heal: SelfHealBackoff::default(),
        now,
    });
    match verdict {
        AutoSync::Sync(operation) => {
            start(hub, application, assessment, Attempt::new(*operation, now))
        }
        AutoSync::HealLater { at } => nothing(at.duration_since(now).try_into().ok(), None),
        AutoSync::Refuse { message } => nothing(None, Some((condition::SYNC_ERROR, message))),
        // A window opens without an event.
        AutoSync::Skip(operation::Skip::Window) => nothing(Some(WINDOW_INTERVAL), None),
        AutoSync::Skip(_) => nothing(None, None),
    }
}

/// The next attempt of a sync that failed, or the wait for it. A newer revision makes the retry of
/// an automated sync pointless: it is given up for a sync of that revision.
async fn retried(
    hub: &Arc<Hub>,
    name: &ObjectName,
    application: &Application,
    assessment: &mut Assessment,
    retry: Retry,
) -> Option<Begun> {
    let now = hub.clock.now();
    let moved = retry.operation.initiated_by.automated
        && assessment.observed.as_ref().is_ok_and(|observation| {
            let pinned = retry
                .operation
                .sync
                .as_ref()
                .map(pinned)
                .unwrap_or_default();
            !pinned.is_empty() && pinned != observation.desired.revisions
        });
    if moved && !is_terminating(application) {
        hub.applications.drop_retry(name);
        return None;
    }
    // A pause holds back what nobody asked for; the end of it wakes the application.
    let pause = pause_of(application, now).filter(|_| retry.operation.initiated_by.automated);
    if (now < retry.at || pause.is_some()) && !is_terminating(application) {
        let due = pause.map_or(Some(retry.at), |pause| pause.until);
        let after = due.and_then(|due| due.duration_since(now).try_into().ok());
        hub.applications.keep_retry(name, retry);
        return Some(Begun::Nothing {
            after,
            condition: None,
        });
    }
    hub.applications.drop_retry(name);
    let attempt = Attempt {
        operation: retry.operation,
        started_at: retry.started_at,
        retries: retry.count,
        going_on: None,
    };
    Some(planned(hub, name, application, assessment, attempt).await)
}

/// Whether somebody asked for the running operation to end.
pub(super) fn is_terminating(application: &Application) -> bool {
    let state = application
        .status
        .as_ref()
        .and_then(|status| status.operation_state.as_ref());
    state.is_some_and(|state| state.phase == OperationPhase::Terminating)
}

/// Observes what the operation is about, where that is not what the application is about, and
/// plans it.
async fn planned(
    hub: &Arc<Hub>,
    name: &ObjectName,
    application: &Application,
    assessment: &mut Assessment,
    attempt: Attempt,
) -> Begun {
    let now = hub.clock.now();
    let terminating = is_terminating(application);
    let refused = |message: &str| {
        let end = if terminating {
            (OperationPhase::Failed, TERMINATED)
        } else {
            (OperationPhase::Error, message)
        };
        attempt.refused(end, None, now)
    };
    let Some(sync) = &attempt.operation.sync else {
        return refused(NOTHING_ASKED);
    };
    if terminating && attempt.going_on.is_none() {
        return refused(TERMINATED);
    }
    // What has begun waits for its cluster and repository; only what leads nowhere ends it.
    let waits = attempt.going_on.is_some() && !terminating;
    let wait = |after| Begun::Nothing {
        after,
        condition: None,
    };
    let observation = match &assessment.observed {
        Ok(observation) => observation,
        Err(obstacle) if waits && obstacle.condition != condition::INVALID_SPEC_ERROR => {
            return wait(None);
        }
        Err(obstacle) => return refused(&obstacle.message),
    };
    let sources = sources(application, sync);
    let pinned = attempt.pinned(sync);
    let is_newest = pinned.is_empty() || pinned == observation.desired.revisions;
    if !is_newest || sources != observation.desired.sources {
        let wanted = desired::desired(hub, name, application, &sources, &pinned).await;
        let observed = match wanted {
            Ok(desired) => {
                observation
                    .with_desired(hub, name, application, desired)
                    .await
            }
            Err(failure) if waits && failure.retry != Retrying::Never => {
                return wait(Some(BACKSTOP));
            }
            Err(failure) => return refused(&failure.message),
        };
        match observed {
            Ok(observation) => {
                *assessment = assess::assess(hub, name, application, Ok(observation)).await;
            }
            Err(_) if waits => return wait(Some(BACKSTOP)),
            Err(obstacle) => return refused(&obstacle.message),
        }
    }
    start(hub, application, assessment, attempt)
}

fn sources(application: &Application, sync: &SyncOperation) -> Vec<argosy_crds::ApplicationSource> {
    if !sync.sources.is_empty() {
        return sync.sources.clone();
    }
    match &sync.source {
        Some(source) => vec![source.clone()],
        None => application.spec.sources().into_owned(),
    }
}

/// The revisions that an operation names.
pub(super) fn pinned(sync: &SyncOperation) -> Vec<String> {
    if !sync.revisions.is_empty() {
        return sync.revisions.clone();
    }
    if sync.revision.is_empty() {
        Vec::new()
    } else {
        vec![sync.revision.clone()]
    }
}

fn start(hub: &Hub, application: &Application, assessment: &Assessment, attempt: Attempt) -> Begun {
    let (Ok(observation), Some(sync)) = (&assessment.observed, &attempt.operation.sync) else {
        return Begun::Nothing {
            after: None,
            condition: None,
        };
    };
    let now = hub.clock.now();
    let (sources, revisions) = (
        observation.desired.sources.clone(),
        observation.desired.revisions.clone(),
    );
    let attempted = || Some(results::attempted(&sources, &revisions));
    if attempt.going_on.is_none() && is_held_by_window(application, observation, &attempt, now) {
        return attempt.blocked(attempted());
    }
    let modified = modified(assessment);
    let stamp = attempt.stamp();
    let planned = plan(
        observation,
        application,
        sync,
        &modified,
        (attempt.started_at, &stamp),
    );
    let plan = match planned {
        Ok(plan) => plan,
        Err(message) => {
            return attempt.refused((OperationPhase::Failed, &message), attempted(), now);
        }
    };
    if attempt.going_on.is_none() {
        tell_of_start(hub, application, &attempt.operation, &revisions);
    }
    let states = match &attempt.going_on {
        Some(recorded) => resume::states(&plan, recorded, &stamp),
        None => TaskStates::new(&plan),
    };
    Begun::Running(Box::new(RunningSync {
        states,
        announced: attempt.going_on.is_some(),
        recorded_hooks: 0,
        operation: attempt.operation,
        started_at: attempt.started_at,
        retry_count: attempt.retries,
        sources,
        revisions,
        plan,
    }))
}

/// Whether a sync window keeps a sync that somebody asked for from beginning. Automated ones have
/// been asked before they were decided.
fn is_held_by_window(
    application: &Application,
    observation: &Observation,
    attempt: &Attempt,
    now: Timestamp,
) -> bool {
    let asked = windows::Attempt {
        manual: !attempt.operation.initiated_by.automated,
        started_at: None,
    };
    Windows::of(application, &observation.project.spec.sync_windows)
        .is_ok_and(|windows| !windows.verdict(asked, now).may_sync())
}

fn tell_of_start(
    hub: &Hub,
    application: &Application,
    operation: &Operation,
    revisions: &[String],
) {
    let kind = if operation.initiated_by.automated {
        "automated sync"
    } else {
        "sync"
    };
    let shown = revisions.join(",");
    hub.events.tell(
        application,
        News::normal("OperationStarted", format!("Initiated {kind} to '{shown}'")),
    );
}

/// The resources that differ.
fn modified(assessment: &Assessment) -> BTreeSet<ResourceKey> {
    let resources = assessment
        .comparison
        .iter()
        .flat_map(|comparison| &comparison.resources);
    resources
        .filter(|resource| resource.status == Some(SyncStatusCode::OutOfSync))
        .map(|resource| resource.key.clone())
        .collect()
}
