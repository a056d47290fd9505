//! What a sync did, in the words of the status.

use argosy_crds::ApplicationSource;
use argosy_crds::application::{Operation, OperationState, SyncOperationResult};
use argosy_crds::codes::OperationPhase;
use argosy_engine::health::HealthStatus;
use argosy_engine::object::ResourceKey;
use argosy_engine::sync::{self, Progress};
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
    OperationState {
        operation: running.operation.clone(),
        phase,
        message,
        sync_result: Some(SyncOperationResult {
            resources: sync::results(&running.plan, &running.states),
            gates: running.gates.clone(),
            ..attempted(&running.sources, &running.revisions)
        }),
        started_at: Some(Time(running.started_at)),
        finished_at: finished.map(Time),
        retry_count: running.retry_count,
    }
}

/// What an attempt is about: automation does not try the same again by itself.
pub(super) fn attempted(
    sources: &[ApplicationSource],
    revisions: &[String],
) -> SyncOperationResult {
    let several = sources.len() > 1;
    let (one, many) = if several {
        (String::new(), revisions.to_vec())
    } else {
        (revisions.join(""), Vec::new())
    };
    SyncOperationResult {
        resources: Vec::new(),
        revision: one,
        revisions: many,
        source: sources.first().filter(|_| !several).cloned(),
        sources: if several {
            sources.to_vec()
        } else {
            Vec::new()
        },
        managed_namespace_metadata: None,
        gates: Vec::new(),
    }
}

/// The state of an operation that was not begun.
pub(super) fn refused(
    operation: &Operation,
    (phase, message): (OperationPhase, &str),
    attempted: Option<SyncOperationResult>,
    (started, retry_count): (Timestamp, i64),
    finished: Option<Timestamp>,
) -> OperationState {
    OperationState {
        operation: operation.clone(),
        phase,
        message: message.to_owned(),
        sync_result: attempted,
        started_at: Some(Time(started)),
        finished_at: finished.map(Time),
        retry_count,
    }
}

/// What a look at a live object says of the task that wrote it. What is not there while its kind
/// cannot be seen may well be there.
pub(super) fn progress(
    observation: &Observation,
    key: &ResourceKey,
    live: Option<Found>,
) -> Progress {
    let object = match live {
        Some(Found::Tracked(object)) => object,
        Some(Found::Untracked) => return Progress::NoHealth,
        None => {
            return match observation.cluster.live.gap(&key.group_kind()) {
                None => Progress::Missing,
                Some(why) => Progress::Underway(format!("nobody knows whether it is there: {why}")),
            };
        }
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
