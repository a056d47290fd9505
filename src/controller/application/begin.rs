//! Whether there is something to sync, and why not.

use std::sync::Arc;
use std::time::Duration;

use argosy_crds::Application;
use argosy_crds::application::{Operation, OperationState};
use argosy_crds::codes::{OperationPhase, condition};
use argosy_engine::compare::Comparison;
use argosy_engine::object::is_hook;
use argosy_engine::operation::{
    self, AutoSync, AutoSyncInput, Blind, NOTHING_ASKED, SelfHealBackoff, TERMINATED,
    decide_automated, pause_of,
};
use argosy_engine::windows::{self, Windows};

use super::assess::{self, Assessment};
use super::attempt::{Attempt, pinned, sources, superseded};
use super::observe::Observation;
use super::operate::{BACKSTOP, Retry, RunningSync};
use super::start::start;
use super::{dependencies, desired, held, resume};
use crate::fleet::ObjectName;
use crate::hub::Hub;
use crate::source::Retry as Retrying;

/// How often an application that a sync window holds back looks whether it has opened.
pub(super) const WINDOW_INTERVAL: Duration = Duration::from_secs(30);

/// A condition that is to say why nothing is done: its type and message.
pub(super) type Told = Option<(&'static str, String)>;

/// What there is to do.
pub(super) enum Begun {
    /// Nothing.
    Nothing {
        /// When to look again because of it.
        after: Option<Duration>,
        /// Why, where a condition is to say so.
        condition: Told,
    },
    /// It was asked for and cannot be done.
    Refused(Box<OperationState>),
    /// It was asked for and may not be done yet.
    Blocked(Box<OperationState>, Told),
    /// It is planned.
    Running(Box<RunningSync>),
}

/// Begins what was asked for, or what automation asks for.
pub(super) async fn begin(
    hub: &Arc<Hub>,
    name: &ObjectName,
    application: &Application,
    assessment: &Assessment,
) -> Begun {
    let mut given_up = None;
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
        let waiting = again(&retry);
        match retried(hub, name, application, assessment, retry).await {
            Some(begun) => return begun,
            None => given_up = Some(waiting),
        }
    } else if let Some(interrupted) = resume::interrupted(application) {
        return planned(hub, name, application, assessment, interrupted).await;
    }
    if let Some(requested) = &application.operation {
        let attempt = Attempt::new(requested.clone(), hub.clock.now());
        return planned(hub, name, application, assessment, attempt).await;
    }
    let begun = if held::is_held(application) {
        held::heal(hub, name, application, assessment, given_up.is_some()).await
    } else {
        automated(hub, name, application, assessment, given_up.is_some()).await
    };
    match (begun, given_up) {
        // Nothing takes its place now: the status must not say for ever that it goes on.
        (Begun::Nothing { .. }, Some(waiting)) => {
            let observed = assessment.observed.as_ref();
            let newest = observed.map_or(&[][..], |one| &one.desired.revisions);
            let message = superseded(newest);
            waiting.refused((OperationPhase::Failed, &message), None, hub.clock.now())
        }
        (begun, _) => begun,
    }
}

/// The attempt that a retry waits for.
fn again(retry: &Retry) -> Attempt {
    Attempt {
        operation: retry.operation.clone(),
        started_at: retry.started_at,
        retries: retry.count,
        going_on: None,
    }
}

/// What automation asks for. After a retry was given up the operation in the status counts for
/// nothing: it neither runs nor was it tried to its end.
pub(super) async fn automated(
    hub: &Arc<Hub>,
    name: &ObjectName,
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
        blind: blind(observation, comparison),
        now,
    });
    match verdict {
        AutoSync::Sync(operation) => {
            if let Some(message) = waits(hub, name, &operation) {
                return nothing(None, Some((condition::WAITING, message)));
            }
            let attempt = Attempt::new(*operation, now);
            start(hub, name, application, assessment, attempt).await
        }
        AutoSync::HealLater { at } => nothing(at.duration_since(now).try_into().ok(), None),
        AutoSync::Refuse { message } => nothing(None, Some((condition::SYNC_ERROR, message))),
        // A window opens without an event.
        AutoSync::Skip(operation::Skip::Window) => nothing(Some(WINDOW_INTERVAL), None),
        AutoSync::Skip(_) => nothing(None, None),
    }
}

/// What of an application cannot be seen or judged, as far as it matters to automation.
fn blind(observation: &Observation, comparison: &Comparison) -> Option<Blind> {
    let has_hooks = observation.objects.iter().any(is_hook);
    comparison.blind.then_some(Blind { has_hooks })
}

/// What an automated sync waits for in other applications. Drift is healed all the same: what
/// runs already must not suffer from what it depends on.
fn waits(hub: &Hub, name: &ObjectName, operation: &Operation) -> Option<String> {
    let heals = |sync: &argosy_crds::application::SyncOperation| sync.auto_heal_attempts_count > 0;
    if operation.sync.as_ref().is_some_and(heals) {
        return None;
    }
    dependencies::waits(hub, name, operation)
}

/// The next attempt of a sync that failed, or the wait for it. A newer revision makes the retry of
/// a sync that the application decided on itself pointless: it is given up for a sync of that
/// revision.
async fn retried(
    hub: &Arc<Hub>,
    name: &ObjectName,
    application: &Application,
    assessment: &Assessment,
    retry: Retry,
) -> Option<Begun> {
    let now = hub.clock.now();
    let is_own = retry.operation.initiated_by.automated && application.operation.is_none();
    let moved = is_own
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
    let attempt = again(&retry);
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
    assessment: &Assessment,
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
    // The status goes on telling of what the spec asks for; only the plan is about another.
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
        return match observed {
            Ok(observation) => {
                let other = assess::assess(hub, name, application, Ok(observation)).await;
                start(hub, name, application, &other, attempt).await
            }
            Err(_) if waits => wait(Some(BACKSTOP)),
            Err(obstacle) => refused(&obstacle.message),
        };
    }
    start(hub, name, application, assessment, attempt).await
}
