//! The start of a planned sync, unless something holds it back.

use std::collections::BTreeSet;
use std::sync::Arc;

use argosy_crds::Application;
use argosy_crds::application::{GateResult, GateStage, Operation, SyncOperationResult};
use argosy_crds::codes::{OperationPhase, SyncStatusCode, condition};
use argosy_engine::object::ResourceKey;
use argosy_engine::operation::{BLOCKED_BY_WINDOW, WAITS};
use argosy_engine::sync::{Excess, SyncPlan, TaskStates};
use argosy_engine::windows::{self, Windows};
use jiff::Timestamp;

use super::assess::Assessment;
use super::attempt::Attempt;
use super::begin::Begun;
use super::gates::{self, Word};
use super::observe::Observation;
use super::operate::{BACKSTOP, RunningSync};
use super::plan::plan;
use super::{approval, dependencies, fields, results, resume};
use crate::controller::events::News;
use crate::fleet::ObjectName;
use crate::hub::Hub;

pub(super) async fn start(
    hub: &Arc<Hub>,
    name: &ObjectName,
    application: &Application,
    assessment: &Assessment,
    attempt: Attempt,
) -> Begun {
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
    if attempt.going_on.is_none() {
        if is_held_by_window(application, observation, &attempt, now) {
            return attempt.blocked(BLOCKED_BY_WINDOW, None, attempted());
        }
        if let Some(message) = waits(hub, name, &attempt) {
            let condition = Some((condition::WAITING, message.clone()));
            return attempt.blocked(&format!("{WAITS}: {message}"), condition, attempted());
        }
    }
    if let Err(message) = &observation.actor {
        return attempt.refused((OperationPhase::Failed, message), attempted(), now);
    }
    let stamp = attempt.stamp();
    let planned = plan(
        (hub, name),
        observation,
        application,
        sync,
        assessment,
        (attempt.started_at, &stamp),
    );
    let plan = match planned {
        Ok(plan) => plan,
        Err(message) => {
            return attempt.refused((OperationPhase::Failed, &message), attempted(), now);
        }
    };
    if let Some(message) = unseen(observation, &plan) {
        if attempt.going_on.is_some() {
            return Begun::Nothing {
                after: Some(BACKSTOP),
                condition: None,
            };
        }
        return attempt.blocked(&format!("{WAITS}: {message}"), None, attempted());
    }
    if attempt.going_on.is_none() {
        if let Err(message) = fields::check(hub, observation, &plan).await {
            return attempt.refused((OperationPhase::Failed, &message), attempted(), now);
        }
        if let Some(excess) = approval::needed(application, observation, &attempt, &plan) {
            return parked(name, &attempt, &excess, attempted());
        }
    }
    let gates = match gates(hub, name, application, observation, &attempt) {
        Ok(gates) => gates,
        Err(begun) => return begun,
    };
    if attempt.going_on.is_none() {
        tell_of_start(hub, application, &attempt.operation, &revisions);
    }
    Begun::Running(Box::new(RunningSync {
        states: states(&plan, &attempt, &stamp),
        waves: BTreeSet::new(),
        announced: attempt.going_on.is_some(),
        recorded_hooks: 0,
        awaits_confirmation: false,
        operation: attempt.operation,
        started_at: attempt.started_at,
        retry_count: attempt.retries,
        sources,
        revisions,
        gates,
        plan,
        project: Arc::clone(&observation.project),
    }))
}

/// How far the sync is: at its beginning, or where it was when a hub ended.
fn states(plan: &SyncPlan, attempt: &Attempt, stamp: &str) -> TaskStates {
    match &attempt.going_on {
        Some(recorded) => resume::states(plan, recorded, stamp),
        None => TaskStates::new(plan),
    }
}

/// What the gates before the sync said, unless they hold it back. What has begun once has passed
/// them.
fn gates(
    hub: &Arc<Hub>,
    name: &ObjectName,
    application: &Application,
    observation: &Observation,
    attempt: &Attempt,
) -> Result<Vec<GateResult>, Begun> {
    if attempt.going_on.is_some() || attempt.retries > 0 {
        return Ok(gates::recorded(application));
    }
    let revisions = &observation.desired.revisions;
    let sync = (&attempt.operation, revisions.as_slice());
    let asked = (application, &*observation.project);
    let attempted = || results::attempted(&observation.desired.sources, revisions);
    let nothing = |condition| Begun::Nothing {
        after: None,
        condition,
    };
    match gates::word(hub, name, asked, GateStage::Before, sync) {
        Word::Open(results) => Ok(results),
        Word::Asked => Err(nothing(None)),
        Word::Closed(message) => {
            let told = Some((condition::WAITING, message.clone()));
            Err(if attempt.operation.initiated_by.automated {
                nothing(told)
            } else {
                attempt.blocked(&format!("{WAITS}: {message}"), told, Some(attempted()))
            })
        }
        Word::Refused(message, gates) => {
            let attempted = SyncOperationResult {
                gates,
                ..attempted()
            };
            let end = (OperationPhase::Failed, message.as_str());
            Err(attempt.refused(end, Some(attempted), hub.clock.now()))
        }
    }
}

/// A sync that waits for a person's approval: an automated one has not begun, and one that was
/// asked for says so.
fn parked(
    name: &ObjectName,
    attempt: &Attempt,
    excess: &Excess,
    attempted: Option<SyncOperationResult>,
) -> Begun {
    let message = format!(
        "{excess}; approve it with `argosy app approve {} --plan {}`",
        name.name, excess.hash
    );
    let told = Some((condition::APPROVAL_NEEDED, message.clone()));
    if attempt.operation.initiated_by.automated {
        return Begun::Nothing {
            after: None,
            condition: told,
        };
    }
    attempt.blocked(&format!("{WAITS}: {message}"), told, attempted)
}

/// Why a plan cannot be carried out now: it concerns kinds that cannot be seen, so that nobody knows
/// whose their objects are and what of them is to be left alone.
fn unseen(observation: &Observation, plan: &SyncPlan) -> Option<String> {
    let mut kinds = plan.tasks().iter().map(|task| task.key.group_kind());
    let why = kinds.find_map(|kind| observation.tainted.get(&kind))?;
    Some(format!(
        "{why}; the sync begins once that is over, and what can be seen is synced with --resource"
    ))
}

/// What a sync that somebody asked for waits for in other applications; what has begun once waits
/// no more.
fn waits(hub: &Hub, name: &ObjectName, attempt: &Attempt) -> Option<String> {
    let operation = &attempt.operation;
    let dry_run = operation.sync.as_ref().is_some_and(|sync| sync.dry_run);
    let asks = !operation.initiated_by.automated && attempt.retries == 0 && !dry_run;
    asks.then(|| dependencies::waits(hub, name, operation))
        .flatten()
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
pub(super) fn modified(assessment: &Assessment) -> BTreeSet<ResourceKey> {
    let resources = assessment
        .comparison
        .iter()
        .flat_map(|comparison| &comparison.resources);
    resources
        .filter(|resource| resource.status == Some(SyncStatusCode::OutOfSync))
        .map(|resource| resource.key.clone())
        .collect()
}
