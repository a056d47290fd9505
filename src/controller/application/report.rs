//! What an application's status says afterwards: one write when something visible changed, none
//! otherwise.

use std::sync::Arc;
use std::time::Duration;

use argosy_crds::Application;
use argosy_crds::application::{ApplicationStatus, OperationState, SyncPolicy};
use argosy_crds::codes::{SyncStatusCode, condition};
use argosy_crds::names;
use argosy_engine::operation::{SUPERSEDED, automatic, failed_attempt, pause_of};
use argosy_engine::status;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::{Value, json};

use super::assess::Assessment;
use super::begin::Told;
use super::course;
use super::dependencies;
use super::news::{tell, tell_of_end, told};
use super::operate::Operated;
use super::rollback::{self, Rollback};
use super::status::{history, hook_finalizers, judged, operation_conditions};
use super::write::{patch, write};
use crate::controller::events::News;
use crate::controller::worker::Next;
use crate::fleet::ObjectName;
use crate::hub::Hub;

/// How long a status may go without the newest revision where that is all there is to tell. So a
/// commit to a repository of many applications is first live where it changes something.
const REVISION_DELAY: Duration = Duration::from_secs(3);

/// How much longer for each application of the fleet, so that many commits to a repository of many
/// applications cost the hub's API server no more than 40 such writes a second.
const REVISION_SHARE: Duration = Duration::from_millis(25);

/// How soon a cluster is asked again what it serves where it could not tell.
const DISCOVERY: Duration = Duration::from_secs(10);

/// Writes what changed, and says when to look again.
pub(super) async fn report(
    hub: &Arc<Hub>,
    name: &ObjectName,
    application: &Application,
    assessment: &Assessment,
    operated: Operated,
) -> Next {
    let now = hub.clock.now();
    let before = application.status.clone().unwrap_or_default();
    let mut after = judged(application, &before, assessment, now);
    let recorded = before.reconciled_at.as_ref().map(|at| at.0);
    let recorded = recorded.filter(|_| before.sync.status == after.sync.status);
    hub.applications
        .note_sync(name, after.sync.status, recorded, now);
    let Course {
        next,
        mut visible,
        mut urgent,
        ended,
    } = take_over(application, assessment, operated, &mut after, now);
    let rest = status::size_of(application).saturating_sub(status::size_of(&before));
    status::fit(&before, &mut after, rest, now);
    if next == Next::WhenWoken
        && only_the_revision_moved(application, &before, &after)
        && !dependencies::is_awaited(hub, name)
        && let Some(wait) = hub.applications.hold_back(name, now, revision_delay(hub))
    {
        return Next::After(wait);
    }
    let finalizers = hook_finalizers(application, assessment);
    let mut patch = patch(application, &after, finalizers, ended.as_deref());
    let turn = turn_of_rollback(hub, application, assessment, &after);
    visible |= !turn.is_empty();
    urgent |= !turn.is_empty() || application.annotation(names::annotation::REFRESH).is_some();
    patch.extend(turn);
    if patch.is_empty() {
        hub.applications.written(name);
    }
    if patch.is_empty() || !visible {
        return next;
    }
    if !urgent && let Some(wait) = hub.applications.wait_for_turn(name, now) {
        return next.no_later_than(wait);
    }
    if let Some(trace) = course::recorded(hub, name).filter(|id| *id != before.trace_id) {
        patch.push(json!({"op": "add", "path": "/status/traceID", "value": trace}));
    }
    hub.applications.writes(name, now);
    match write(hub, name, application, patch).await {
        Ok(()) => {
            hub.applications.written(name);
            tell(hub, application, &after);
            if let Some(state) = ended {
                tell_of_end(hub, application, assessment, &state);
            }
            next
        }
        Err(error) => {
            // What the status does not say did not happen, as far as the next start knows.
            match ended {
                Some(state) => hub.applications.keep_ended(name, state),
                None => hub.applications.not_announced(name),
            }
            tracing::debug!(application = %name, error = crate::diagnostic::chain(&error), "the status was not written and will be again");
            Next::Backoff
        }
    }
}

/// How it goes on, and whether somebody has to see it.
struct Course {
    next: Next,
    visible: bool,
    /// Whether somebody waits for it, or a restart would have to know it.
    urgent: bool,
    /// The operation that ended.
    ended: Option<Box<OperationState>>,
}

/// Puts what came of the operation into the status.
fn take_over(
    application: &Application,
    assessment: &Assessment,
    operated: Operated,
    after: &mut ApplicationStatus,
    now: Timestamp,
) -> Course {
    match operated {
        Operated::Idle {
            after: delay,
            condition,
        } => {
            if assessment.comparison.is_some() {
                operation_conditions(after, condition, now);
            }
            Course {
                next: delay.map_or_else(|| waiting(assessment), Next::After),
                visible: true,
                urgent: false,
                ended: None,
            }
        }
        Operated::Running {
            state,
            after: delay,
            announce,
            condition,
        } => {
            operation_conditions(after, condition, now);
            let before = application.status.clone().unwrap_or_default();
            // Whoever asked for a refresh waits for its annotation to go.
            let is_awaited = application.annotation(names::annotation::REFRESH).is_some();
            let visible = announce || is_awaited || health_turned(&before, after);
            let is_same = |before: &OperationState| before.phase == state.phase;
            if announce || before.operation_state.as_ref().is_some_and(is_same) {
                after.operation_state = Some(*state);
            }
            Course {
                next: Next::After(delay),
                visible,
                urgent: announce,
                ended: None,
            }
        }
        Operated::Ended(state) => {
            history(application, &state, after);
            // Whoever waits for the sync needs to know that this is how things are after it.
            if assessment.observed.is_ok() {
                after.reconciled_at = Some(Time(now));
            }
            let told = given_up(application, assessment, &state, now);
            operation_conditions(after, told, now);
            after.operation_state = Some(*state.clone());
            Course {
                next: after_the_end(application, assessment, &state),
                visible: true,
                urgent: true,
                ended: Some(state),
            }
        }
    }
}

/// What the next look would say of a sync that failed: automation does not try the same again. So
/// one write tells both.
fn given_up(
    application: &Application,
    assessment: &Assessment,
    state: &OperationState,
    now: Timestamp,
) -> Told {
    let newest = &assessment.observed.as_ref().ok()?.desired.revisions;
    let result = state.sync_result.as_ref()?;
    let is_newest =
        result.revisions == *newest || std::slice::from_ref(&result.revision) == &newest[..];
    let policy = application.spec.sync_policy.as_ref();
    let is_automated = policy.is_some_and(SyncPolicy::is_automated);
    let is_over = is_newest
        && is_automated
        && !state.phase.is_successful()
        && pause_of(application, now).is_none()
        && assessment.sync_status() == SyncStatusCode::OutOfSync;
    let message = failed_attempt(newest, &state.message);
    is_over.then_some((condition::SYNC_ERROR, message))
}

/// When to look again after an operation: at once if another was asked for while it ran, or if a
/// newer revision has replaced it.
fn after_the_end(
    application: &Application,
    assessment: &Assessment,
    state: &OperationState,
) -> Next {
    let requested = application.operation.as_ref();
    let is_last = requested.is_none_or(|requested| *requested == state.operation);
    if is_last && !state.message.starts_with(SUPERSEDED) {
        waiting(assessment)
    } else {
        Next::After(Duration::ZERO)
    }
}

/// The changes of the object where a rollback begins by itself, or is over.
fn turn_of_rollback(
    hub: &Hub,
    application: &Application,
    assessment: &Assessment,
    after: &ApplicationStatus,
) -> Vec<Value> {
    let Ok(observation) = &assessment.observed else {
        return Vec::new();
    };
    if observation.rollback == Rollback::Over {
        let news = "a commit renders something else than the refused revision: it is synced";
        told(hub, application, News::normal("RollbackEnded", news));
        return rollback::end(application);
    }
    let now = hub.clock.now();
    let is_left_alone = pause_of(application, now).is_some();
    let Some(pin) = automatic(application, after, now).filter(|_| !is_left_alone) else {
        return Vec::new();
    };
    let news = format!(
        "degraded soon after its deployment: back to deployment {} ({})",
        pin.id,
        pin.revisions.join(", ")
    );
    told(hub, application, News::warning("RolledBack", news));
    rollback::begin(&pin)
}

/// Whether the status would tell nothing but that a newer revision changes nothing here.
fn only_the_revision_moved(
    application: &Application,
    before: &ApplicationStatus,
    after: &ApplicationStatus,
) -> bool {
    if is_asked(application) || before.sync.status != SyncStatusCode::Synced {
        return false;
    }
    let mut unmoved = after.clone();
    unmoved.sync.revision.clone_from(&before.sync.revision);
    unmoved.sync.revisions.clone_from(&before.sync.revisions);
    unmoved.reconciled_at.clone_from(&before.reconciled_at);
    unmoved == *before && unmoved != *after
}

/// Whether somebody waits for an answer of the application.
pub(super) fn is_asked(application: &Application) -> bool {
    application.annotation(names::annotation::REFRESH).is_some() || application.operation.is_some()
}

/// For how long a status may go without the newest revision.
pub(super) fn revision_delay(hub: &Hub) -> Duration {
    let applications = hub.fleet.index().applications.names().len();
    let applications = u32::try_from(applications).unwrap_or(u32::MAX);
    REVISION_DELAY.max(REVISION_SHARE.saturating_mul(applications))
}

/// When to look again at an application that has nothing to do.
pub(super) fn waiting(assessment: &Assessment) -> Next {
    match &assessment.observed {
        Ok(observation) if observation.is_outdated => Next::After(DISCOVERY),
        Ok(_) => Next::WhenWoken,
        Err(obstacle) => obstacle.next,
    }
}

fn health_turned(before: &ApplicationStatus, after: &ApplicationStatus) -> bool {
    before.health.status != after.health.status
}
