//! The status of an application as it follows from what was observed and done.

use argosy_crds::Application;
use argosy_crds::application::{
    AppHealthStatus, ApplicationCondition, ApplicationStatus, ComparedTo, OperationState,
    RevisionHistory, SyncStatus,
};
use argosy_crds::codes::{SyncStatusCode, condition};
use argosy_engine::object::{DeleteHookType, is_delete_hook};
use argosy_engine::operation::{Stage, record};
use argosy_engine::status;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::assess::{Assessment, code};
use super::begin::Told;
use super::observe::Observation;

/// The conditions that an assessment finds, or finds gone.
const OWNED_CONDITIONS: [&str; 10] = [
    condition::INVALID_SPEC_ERROR,
    condition::COMPARISON_ERROR,
    condition::UNKNOWN_ERROR,
    condition::SHARED_RESOURCE_WARNING,
    condition::REPEATED_RESOURCE_WARNING,
    condition::EXCLUDED_RESOURCE_WARNING,
    condition::ORPHANED_RESOURCE_WARNING,
    condition::UNUSED_IGNORE_RULE_WARNING,
    condition::ROLLED_BACK,
    condition::PAUSED,
];

/// The conditions that say why an operation does not go ahead.
const OPERATION_CONDITIONS: [&str; 3] = [
    condition::SYNC_ERROR,
    condition::WAITING,
    condition::APPROVAL_NEEDED,
];

/// Says why an operation does not go ahead, and nothing else of the kind.
pub(super) fn operation_conditions(after: &mut ApplicationStatus, found: Told, now: Timestamp) {
    let found = found.map(|(kind, message)| ApplicationCondition {
        type_: kind.to_owned(),
        message,
        last_transition_time: None,
    });
    after.conditions = status::merge_conditions(
        &after.conditions,
        &OPERATION_CONDITIONS,
        found.into_iter().collect(),
        now,
    );
}

/// The status as it follows from the assessment alone.
pub(super) fn judged(
    application: &Application,
    before: &ApplicationStatus,
    assessment: &Assessment,
    now: Timestamp,
) -> ApplicationStatus {
    let mut after = before.clone();
    after.health = health(before, assessment, now);
    let found = assessment
        .conditions
        .iter()
        .map(|(kind, message)| ApplicationCondition {
            type_: (*kind).to_owned(),
            message: message.clone(),
            last_transition_time: None,
        });
    after.conditions =
        status::merge_conditions(&before.conditions, &OWNED_CONDITIONS, found.collect(), now);
    after.sync.status = assessment.sync_status();
    if let Ok(observation) = &assessment.observed {
        after.sync = sync(application, assessment, observation);
        after.resources.clone_from(&assessment.resources);
        after.summary = status::summary(observation.live.seen().into_iter().flatten());
        source_types(&mut after, observation);
        if after.sync != before.sync {
            after.reconciled_at = Some(Time(now));
        }
    }
    after
}

fn health(before: &ApplicationStatus, assessment: &Assessment, now: Timestamp) -> AppHealthStatus {
    let status = Some(code(assessment.health.status));
    let unchanged = before.health.status == status;
    AppHealthStatus {
        status,
        message: assessment.health.message.clone(),
        last_transition_time: match &before.health.last_transition_time {
            Some(at) if unchanged => Some(at.clone()),
            _ => Some(Time(now)),
        },
    }
}

fn sync(
    application: &Application,
    assessment: &Assessment,
    observation: &Observation,
) -> SyncStatus {
    let several = application.spec.has_multiple_sources();
    let desired = &observation.desired;
    SyncStatus {
        status: assessment.sync_status(),
        compared_to: ComparedTo {
            source: desired.sources.first().filter(|_| !several).cloned(),
            sources: if several {
                desired.sources.clone()
            } else {
                Vec::new()
            },
            destination: application.spec.destination.clone(),
            ignore_differences: application.spec.ignore_differences.clone(),
        },
        revision: if several {
            String::new()
        } else {
            desired.revisions.join("")
        },
        revisions: if several {
            desired.revisions.clone()
        } else {
            Vec::new()
        },
    }
}

fn source_types(after: &mut ApplicationStatus, observation: &Observation) {
    let mut types: Vec<_> = observation
        .desired
        .source_types()
        .map(str::to_owned)
        .collect();
    if types.len() > 1 {
        after.source_type.clear();
        after.source_types = types;
    } else {
        after.source_type = types.pop().unwrap_or_default();
        after.source_types.clear();
    }
}

/// Records a deployment: a whole sync that succeeded and was no dry run.
pub(super) fn history(
    application: &Application,
    state: &OperationState,
    after: &mut ApplicationStatus,
) {
    let sync = state.operation.sync.clone().unwrap_or_default();
    if !state.phase.is_successful() || sync.dry_run || !sync.resources.is_empty() {
        return;
    }
    let result = state.sync_result.clone().unwrap_or_default();
    let sources = if result.sources.is_empty() {
        result.source.clone().into_iter().collect()
    } else {
        result.sources.clone()
    };
    let several = application.spec.has_multiple_sources();
    let entry = RevisionHistory {
        id: 0,
        revision: result.revision,
        revisions: result.revisions,
        source: sources.first().filter(|_| !several).cloned(),
        sources: if several { sources } else { Vec::new() },
        deploy_started_at: state.started_at.clone(),
        deployed_at: state.finished_at.clone(),
        initiated_by: state.operation.initiated_by.clone(),
        gates: result.gates,
    };
    record(
        &mut after.history,
        entry,
        application.spec.revision_history_limit,
    );
}

/// The finalizers that an application with hooks of its deletion needs; `None` if it has them. They
/// go only when what lives is what no longer has such hooks.
pub(super) fn hook_finalizers(
    application: &Application,
    assessment: &Assessment,
) -> Option<Vec<String>> {
    let observation = assessment.observed.as_ref().ok()?;
    let has = |kind| {
        let mut manifests = observation.desired.manifests();
        manifests.any(|object| is_delete_hook(object, kind))
    };
    let current = application
        .metadata
        .finalizers
        .as_deref()
        .unwrap_or_default();
    Stage::with_hooks(
        current,
        has(DeleteHookType::PreDelete),
        has(DeleteHookType::PostDelete),
        assessment.sync_status() == SyncStatusCode::Synced,
    )
}
