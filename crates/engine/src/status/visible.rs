//! Whether a status says anything that the one before did not.

use argosy_crds::ApplicationStatus;
use argosy_crds::application::OperationState;

/// Whether a new status differs in anything but when it was made: the time of the last comparison
/// or the id of its trace alone is no reason to write.
pub fn status_differs(before: &ApplicationStatus, after: &ApplicationStatus) -> bool {
    let ApplicationStatus {
        resources,
        sync,
        health,
        history,
        conditions,
        reconciled_at: _,
        operation_state,
        observed_at: _,
        source_type,
        source_types,
        summary,
        resource_health_source,
        controller_namespace,
        source_hydrator,
        trace_id: _,
    } = after;
    *resources != before.resources
        || *sync != before.sync
        || health.status != before.health.status
        || health.message != before.health.message
        || *history != before.history
        || *conditions != before.conditions
        || *operation_state != before.operation_state
        || *source_type != before.source_type
        || *source_types != before.source_types
        || *summary != before.summary
        || *resource_health_source != before.resource_health_source
        || *controller_namespace != before.controller_namespace
        || *source_hydrator != before.source_hydrator
}

/// Whether an operation has come to a point that has to survive a restart: it began, it ended, or
/// it is tried again. What happens in between is told by the stream.
pub fn operation_differs(before: Option<&OperationState>, after: &OperationState) -> bool {
    before.is_none_or(|before| {
        before.phase != after.phase
            || before.retry_count != after.retry_count
            || before.operation != after.operation
            || before.finished_at != after.finished_at
    })
}

#[cfg(test)]
mod tests {
    use argosy_crds::application::AppHealthStatus;
    use argosy_crds::codes::HealthStatusCode;
    use jiff::Timestamp;
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

    use super::*;
    use crate::status::health;

    #[test]
    fn a_later_comparison_with_the_same_result_is_not_written() {
        let before = ApplicationStatus {
            health: health(
                &AppHealthStatus::default(),
                HealthStatusCode::Healthy,
                "",
                Timestamp::UNIX_EPOCH,
            ),
            ..ApplicationStatus::default()
        };
        let mut after = ApplicationStatus {
            reconciled_at: Some(Time(Timestamp::MAX)),
            health: health(
                &before.health,
                HealthStatusCode::Healthy,
                "",
                Timestamp::MAX,
            ),
            ..before.clone()
        };
        assert_eq!(after.health, before.health);
        assert!(!status_differs(&before, &after));
        after.sync.revision = "abc".into();
        assert!(status_differs(&before, &after));
    }
}
