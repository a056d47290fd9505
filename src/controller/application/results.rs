//! What a sync did, in the words of the status.

use argosy_crds::application::{Operation, OperationState, ResourceResult, SyncOperationResult};
use argosy_crds::codes::{OperationPhase, ResultCode, SyncPhase};
use argosy_engine::health::HealthStatus;
use argosy_engine::sync::{Phase, Progress, Task, TaskState};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::assess;
use super::observe::Observation;
use super::operate::RunningSync;
use crate::cluster::Found;

/// The state of a sync; `finished` when it has ended.
pub(super) fn state(
    running: &RunningSync,
    phase: OperationPhase,
    message: String,
    finished: Option<Timestamp>,
) -> OperationState {
    let sync = running.operation.sync.as_ref();
    let several = running.revisions.len() > 1;
    OperationState {
        operation: running.operation.clone(),
        phase,
        message,
        sync_result: Some(SyncOperationResult {
            resources: resources(running),
            revision: if several {
                String::new()
            } else {
                running.revisions.join("")
            },
            revisions: if several {
                running.revisions.clone()
            } else {
                Vec::new()
            },
            source: sync.and_then(|sync| sync.source.clone()),
            sources: sync.map(|sync| sync.sources.clone()).unwrap_or_default(),
            managed_namespace_metadata: None,
        }),
        started_at: Some(Time(running.started_at)),
        finished_at: finished.map(Time),
        retry_count: running.retry_count,
    }
}

/// The state of an operation that was not begun.
pub(super) fn refused(
    operation: &Operation,
    phase: OperationPhase,
    message: &str,
    started: Timestamp,
    finished: Timestamp,
) -> OperationState {
    OperationState {
        operation: operation.clone(),
        phase,
        message: message.to_owned(),
        sync_result: None,
        started_at: Some(Time(started)),
        finished_at: Some(Time(finished)),
        retry_count: 0,
    }
}

fn resources(running: &RunningSync) -> Vec<ResourceResult> {
    let tasks = running
        .plan
        .iter()
        .filter(|(id, _)| running.states.get(*id).is_tried());
    tasks
        .map(|(id, task)| resource(task, running.states.get(id)))
        .collect()
}

fn resource(task: &Task, state: &TaskState) -> ResourceResult {
    let (status, hook_phase) = match state {
        TaskState::Pending | TaskState::Started | TaskState::Applied(_) => {
            (Some(ResultCode::Synced), OperationPhase::Running)
        }
        TaskState::Succeeded(_) => (Some(ResultCode::Synced), OperationPhase::Succeeded),
        TaskState::Rejected(_) | TaskState::Failed(_) => {
            (Some(ResultCode::SyncFailed), OperationPhase::Failed)
        }
        TaskState::Pruned { .. } => (Some(ResultCode::Pruned), OperationPhase::Succeeded),
        TaskState::Skipped(_) => (Some(ResultCode::PruneSkipped), OperationPhase::Succeeded),
    };
    ResourceResult {
        group: task.key.group.clone(),
        version: task.gvk.version.clone(),
        kind: task.key.kind.clone(),
        namespace: task.key.namespace.clone(),
        name: task.key.name.clone(),
        // A hook has a phase of its own instead of a status.
        status: status.filter(|_| !task.is_hook()),
        message: state.message().to_owned(),
        hook_type: if task.is_hook() {
            task.phase.as_str().to_owned()
        } else {
            String::new()
        },
        hook_phase: Some(hook_phase),
        sync_phase: Some(match task.phase {
            Phase::PreSync => SyncPhase::PreSync,
            Phase::Sync => SyncPhase::Sync,
            Phase::PostSync => SyncPhase::PostSync,
            Phase::SyncFail => SyncPhase::SyncFail,
        }),
        images: Vec::new(),
    }
}

/// What a look at a live object says of the task that wrote it.
pub(super) fn progress(observation: &Observation, live: Option<Found>) -> Progress {
    let object = match live {
        Some(Found::Tracked(object)) => object,
        Some(Found::Untracked) => return Progress::NoHealth,
        None => return Progress::Missing,
    };
    match assess::judge(observation, &object) {
        None => Progress::NoHealth,
        Some(health) => match health.status {
            HealthStatus::Healthy => Progress::Healthy(health.message),
            HealthStatus::Degraded => Progress::Degraded(health.message),
            HealthStatus::Unknown => Progress::Unknown(health.message),
            HealthStatus::Suspended
            | HealthStatus::Progressing
            | HealthStatus::Missing
            | HealthStatus::Unset => Progress::Underway(health.message),
        },
    }
}
