//! Whether there is something to sync, and why not.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use argosy_crds::Application;
use argosy_crds::application::{Operation, OperationState, SyncOperation};
use argosy_crds::codes::{OperationPhase, SyncStatusCode, condition};
use argosy_engine::object::ResourceKey;
use argosy_engine::operation::{
    self, AutoSync, AutoSyncInput, NOTHING_ASKED, SelfHealBackoff, TERMINATED, decide_automated,
};
use argosy_engine::sync::TaskStates;
use argosy_engine::windows::{Attempt, Windows};
use jiff::Timestamp;

use super::assess::{self, Assessment};
use super::desired;
use super::operate::{Retry, RunningSync, plan};
use super::results;
use crate::controller::events::News;
use crate::fleet::ObjectName;
use crate::hub::Hub;

/// How often an application that a sync window holds back looks whether it has opened.
const WINDOW_INTERVAL: Duration = Duration::from_secs(30);

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
    /// It is planned.
    Running(Box<RunningSync>),
}

/// Begins what was asked for, or what automation asks for.
pub(super) async fn begin(
    hub: &Arc<Hub>,
    name: &ObjectName,
    application: &Application,
    assessment: &mut Assessment,
) -> Begun {
    if let Some(retry) = hub.applications.retry(name)
        && let Some(begun) = retried(hub, name, application, assessment, retry).await
    {
        return begun;
    }
    if let Some(requested) = &application.operation {
        return requested_sync(hub, name, application, assessment, requested.clone()).await;
    }
    let Ok(observation) = &assessment.observed else {
        return Begun::Nothing {
            after: None,
            condition: None,
        };
    };
    let Some(comparison) = &assessment.comparison else {
        return Begun::Nothing {
            after: None,
            condition: None,
        };
    };
    let now = hub.clock.now();
    let windows = match Windows::of(application, &observation.project.spec.sync_windows) {
        Ok(windows) => windows,
        Err(error) => {
            let condition = Some((condition::SYNC_ERROR, error.to_string()));
            return Begun::Nothing {
                after: None,
                condition,
            };
        }
    };
    let verdict = decide_automated(&AutoSyncInput {
        application,
        status: comparison.status,
        resources: &assessment.resources,
        revisions: &observation.desired.revisions,
        content_changed: true,
        windows: &windows.verdict(Attempt::default(), now),
        self_heal: SelfHealBackoff::default(),
        now,
    });
    match verdict {
        AutoSync::Sync(operation) => start(hub, application, assessment, *operation, now, 0),
        AutoSync::HealLater { at } => Begun::Nothing {
            after: at.duration_since(now).try_into().ok(),
            condition: None,
        },
        AutoSync::Refuse { message } => Begun::Nothing {
            after: None,
            condition: Some((condition::SYNC_ERROR, message)),
        },
        // A window opens without an event.
        AutoSync::Skip(operation::Skip::Window) => Begun::Nothing {
            after: Some(WINDOW_INTERVAL),
            condition: None,
        },
        AutoSync::Skip(_) => Begun::Nothing {
            after: None,
            condition: None,
        },
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
    if is_terminating(application) || moved {
        hub.applications.drop_retry(name);
        return None;
    }
    if now < retry.at {
        let after = retry.at.duration_since(now).try_into().ok();
        return Some(Begun::Nothing {
            after,
            condition: None,
        });
    }
    hub.applications.drop_retry(name);
    Some(
        planned(
            hub,
            name,
            application,
            assessment,
            retry.operation,
            (retry.started_at, retry.count),
        )
        .await,
    )
}

/// Whether somebody asked for the running operation to end.
pub(super) fn is_terminating(application: &Application) -> bool {
    let state = application
        .status
        .as_ref()
        .and_then(|status| status.operation_state.as_ref());
    state.is_some_and(|state| state.phase == OperationPhase::Terminating)
}

/// An operation on the object: asked for by a person, or found again after a restart.
async fn requested_sync(
    hub: &Arc<Hub>,
    name: &ObjectName,
    application: &Application,
    assessment: &mut Assessment,
    requested: Operation,
) -> Begun {
    let begun = resumed(application, &requested).unwrap_or((hub.clock.now(), 0));
    planned(hub, name, application, assessment, requested, begun).await
}

/// Observes what the operation is about, where that is not what the application is about, and
/// plans it.
async fn planned(
    hub: &Arc<Hub>,
    name: &ObjectName,
    application: &Application,
    assessment: &mut Assessment,
    requested: Operation,
    (started_at, retries): (Timestamp, i64),
) -> Begun {
    let refused = |phase, message: &str| {
        let state = results::refused(&requested, phase, message, started_at, hub.clock.now());
        Begun::Refused(Box::new(state))
    };
    let Some(sync) = &requested.sync else {
        return refused(OperationPhase::Error, NOTHING_ASKED);
    };
    if is_terminating(application) {
        return refused(OperationPhase::Failed, TERMINATED);
    }
    let Ok(observation) = &assessment.observed else {
        let why = assessment
            .conditions
            .first()
            .map_or("", |(_, message)| message.as_str());
        return refused(OperationPhase::Error, why);
    };
    let sources = sources(application, sync);
    let pinned = pinned(sync);
    if !pinned.is_empty() || sources != observation.desired.sources {
        let wanted = desired::desired(hub, name, application, &sources, &pinned).await;
        let observed = match wanted {
            Ok(desired) => {
                observation
                    .with_desired(hub, name, application, desired)
                    .await
            }
            Err(failure) => return refused(OperationPhase::Error, &failure.message),
        };
        match observed {
            Ok(observation) => {
                *assessment = assess::assess(hub, name, application, Ok(observation)).await;
            }
            Err(obstacle) => return refused(OperationPhase::Error, &obstacle.message),
        }
    }
    start(hub, application, assessment, requested, started_at, retries)
}

/// When an operation that the status already knows began, and how often it was retried.
fn resumed(application: &Application, requested: &Operation) -> Option<(Timestamp, i64)> {
    let state = application.status.as_ref()?.operation_state.as_ref()?;
    let same = state.phase == OperationPhase::Running && state.operation == *requested;
    same.then(|| Some((state.started_at.as_ref()?.0, state.retry_count)))?
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

fn pinned(sync: &SyncOperation) -> Vec<String> {
    if !sync.revisions.is_empty() {
        return sync.revisions.clone();
    }
    if sync.revision.is_empty() {
        Vec::new()
    } else {
        vec![sync.revision.clone()]
    }
}

fn start(
    hub: &Hub,
    application: &Application,
    assessment: &Assessment,
    operation: Operation,
    started_at: Timestamp,
    retry_count: i64,
) -> Begun {
    let (Ok(observation), Some(sync)) = (&assessment.observed, &operation.sync) else {
        return Begun::Nothing {
            after: None,
            condition: None,
        };
    };
    let modified = modified(assessment);
    let planned = plan(observation, application, sync, &modified, started_at);
    let plan = match planned {
        Ok(plan) => plan,
        Err(message) => {
            let now = hub.clock.now();
            let state = results::refused(
                &operation,
                OperationPhase::Failed,
                &message,
                started_at,
                now,
            );
            return Begun::Refused(Box::new(state));
        }
    };
    let revisions = observation.desired.revisions.clone();
    let shown = revisions.join(",");
    let kind = if operation.initiated_by.automated {
        "automated sync"
    } else {
        "sync"
    };
    hub.events.tell(
        application,
        News::normal("OperationStarted", format!("Initiated {kind} to '{shown}'")),
    );
    Begun::Running(Box::new(RunningSync {
        states: TaskStates::new(&plan),
        operation,
        started_at,
        retry_count,
        revisions,
        plan,
        announced: retry_count > 0,
    }))
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
