//! What an application's status says afterwards: one write when something visible changed, none
//! otherwise.

use std::sync::Arc;
use std::time::Duration;

use argosy_crds::Application;
use argosy_crds::application::{
    AppHealthStatus, ApplicationCondition, ApplicationStatus, ComparedTo, OperationState,
    RevisionHistory, SyncStatus,
};
use argosy_crds::codes::{SyncStatusCode, condition};
use argosy_crds::names;
use argosy_engine::operation::record;
use argosy_engine::status;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::Api;
use kube::api::{DynamicObject, Patch, PatchParams};
use serde_json::{Value, json};

use super::assess::{Assessment, code};
use super::observe::Observation;
use super::operate::Operated;
use crate::controller::events::News;
use crate::controller::worker::Next;
use crate::fleet::{Malformed, ObjectName};
use crate::hub::Hub;
use crate::metrics::FinishedSync;

/// The conditions that an assessment finds, or finds gone.
const OWNED_CONDITIONS: [&str; 7] = [
    condition::INVALID_SPEC_ERROR,
    condition::COMPARISON_ERROR,
    condition::UNKNOWN_ERROR,
    condition::SHARED_RESOURCE_WARNING,
    condition::REPEATED_RESOURCE_WARNING,
    condition::EXCLUDED_RESOURCE_WARNING,
    condition::PAUSED,
];

/// How long a status may go without the newest revision where that is all there is to tell. So a
/// commit to a repository of many applications is first live where it changes something.
const REVISION_DELAY: Duration = Duration::from_secs(3);

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
    let mut visible = true;
    let mut ended = None;
    let next = match operated {
        Operated::Idle {
            after: delay,
            condition,
        } => {
            set_sync_error(&mut after, condition, now);
            delay.map_or_else(|| waiting(assessment), Next::After)
        }
        Operated::Running {
            state,
            after: delay,
            announce,
        } => {
            // Whoever asked for a refresh waits for its annotation to go.
            let is_awaited = application.annotation(names::annotation::REFRESH).is_some();
            visible = announce || is_awaited || health_turned(&before, &after);
            if announce
                || before
                    .operation_state
                    .as_ref()
                    .is_some_and(|before| before.phase == state.phase)
            {
                after.operation_state = Some(*state);
            }
            Next::After(delay)
        }
        Operated::Ended(state) => {
            history(application, assessment, &state, &mut after);
            after.operation_state = Some(*state.clone());
            // Another operation may have been asked for while this one ran.
            let is_last = |state: &OperationState| {
                let requested = application.operation.as_ref();
                requested.is_none_or(|requested| *requested == state.operation)
            };
            let next = if is_last(&state) {
                waiting(assessment)
            } else {
                Next::After(Duration::ZERO)
            };
            ended = Some(state);
            next
        }
    };
    if next == Next::WhenWoken
        && only_the_revision_moved(application, &before, &after)
        && let Some(wait) = hub.applications.hold_back(name, now, REVISION_DELAY)
    {
        return Next::After(wait);
    }
    let patch = patch(application, &after, ended.as_deref());
    if patch.is_empty() || !visible {
        return next;
    }
    match write(hub, name, patch).await {
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

/// Whether the status would tell nothing but that a newer revision changes nothing here.
fn only_the_revision_moved(
    application: &Application,
    before: &ApplicationStatus,
    after: &ApplicationStatus,
) -> bool {
    let asked = application.annotation(names::annotation::REFRESH).is_some()
        || application.operation.is_some();
    if asked || before.sync.status != SyncStatusCode::Synced {
        return false;
    }
    let mut unmoved = after.clone();
    unmoved.sync.revision.clone_from(&before.sync.revision);
    unmoved.sync.revisions.clone_from(&before.sync.revisions);
    unmoved.reconciled_at.clone_from(&before.reconciled_at);
    unmoved == *before && unmoved != *after
}

/// Gives an application that cannot be read the condition that says so.
pub(super) async fn malformed(hub: &Hub, name: &ObjectName, malformed: &Malformed) {
    // No time: written twice it must be no change, or it would wake itself for ever.
    let message = format!(
        "the Application cannot be read: {}; correct that field and it is looked at again",
        malformed.why
    );
    if malformed.told.contains(&message) {
        return;
    }
    let condition = json!({"type": condition::INVALID_SPEC_ERROR, "message": message});
    let patch = json!({"status": {"conditions": [condition]}});
    let api: Api<DynamicObject> = api(hub, name);
    if let Err(error) = api
        .patch(&name.name, &PatchParams::default(), &Patch::Merge(patch))
        .await
    {
        tracing::warn!(application = %name, error = crate::diagnostic::chain(&error), "a malformed application could not be marked");
    }
}

/// When to look again at an application that has nothing to do.
fn waiting(assessment: &Assessment) -> Next {
    match &assessment.observed {
        Ok(_) => Next::WhenWoken,
        Err(obstacle) => obstacle.next,
    }
}

/// The status as it follows from the assessment alone.
fn judged(
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
    let types = &observation.desired.source_types;
    if types.len() > 1 {
        after.source_type.clear();
        after.source_types.clone_from(types);
    } else {
        after.source_type = types.first().cloned().unwrap_or_default();
        after.source_types.clear();
    }
}

fn set_sync_error(
    after: &mut ApplicationStatus,
    found: Option<(&'static str, String)>,
    now: Timestamp,
) {
    if let Some((kind, message)) = found {
        let known = after
            .conditions
            .iter()
            .any(|one| one.type_ == kind && one.message == message);
        if !known {
            after.conditions.retain(|one| one.type_ != kind);
            after.conditions.push(ApplicationCondition {
                type_: kind.to_owned(),
                message,
                last_transition_time: Some(Time(now)),
            });
        }
    }
}

fn health_turned(before: &ApplicationStatus, after: &ApplicationStatus) -> bool {
    before.health.status != after.health.status
}

/// Events and counts of the end of a sync.
fn tell_of_end(
    hub: &Hub,
    application: &Application,
    assessment: &Assessment,
    state: &OperationState,
) {
    let sync = state.operation.sync.clone().unwrap_or_default();
    let took = match (&state.started_at, &state.finished_at) {
        (Some(started), Some(finished)) => finished
            .0
            .duration_since(started.0)
            .try_into()
            .unwrap_or_default(),
        _ => Duration::ZERO,
    };
    let phase = state.phase.to_string();
    let finished = FinishedSync {
        phase: &phase,
        dry_run: sync.dry_run,
        took,
    };
    hub.metrics
        .applications
        .synced(application, &assessment.server, &finished);
    let revision = state
        .sync_result
        .as_ref()
        .map(|result| result.revision.clone());
    let what = if sync.resources.is_empty() {
        "Sync operation"
    } else {
        "Partial sync operation"
    };
    let to = format!("{what} to {}", revision.unwrap_or_default());
    let news = if state.phase.is_successful() {
        News::normal("OperationCompleted", format!("{to} succeeded"))
    } else {
        News::warning(
            "OperationCompleted",
            format!("{to} failed: {}", state.message),
        )
    };
    told(hub, application, news);
}

/// Records a deployment: a whole sync that succeeded and was no dry run.
fn history(
    application: &Application,
    assessment: &Assessment,
    state: &OperationState,
    after: &mut ApplicationStatus,
) {
    let sync = state.operation.sync.clone().unwrap_or_default();
    if !state.phase.is_successful() || sync.dry_run || !sync.resources.is_empty() {
        return;
    }
    let result = state.sync_result.clone().unwrap_or_default();
    let sources = match &assessment.observed {
        Ok(observation) => observation.desired.sources.clone(),
        Err(_) => application.spec.sources().into_owned(),
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
    };
    record(
        &mut after.history,
        entry,
        application.spec.revision_history_limit,
    );
}

/// The changes to the object, each guarded so that nothing newer is overwritten.
fn patch(
    application: &Application,
    after: &ApplicationStatus,
    ended: Option<&OperationState>,
) -> Vec<Value> {
    let value = |status: &ApplicationStatus| serde_json::to_value(status).unwrap_or_default();
    let mut patch = Vec::new();
    match &application.status {
        Some(before) => {
            let (before, after) = (value(before), value(after));
            for operation in json_patch::diff(&before, &after).0 {
                let mut operation = serde_json::to_value(operation).unwrap_or_default();
                let path = format!("/status{}", operation["path"].as_str().unwrap_or_default());
                operation["path"] = json!(path);
                patch.push(operation);
            }
        }
        None => patch.push(json!({"op": "add", "path": "/status", "value": value(after)})),
    }
    if let Some(refresh) = application.annotation(names::annotation::REFRESH) {
        let path = "/metadata/annotations/argocd.argoproj.io~1refresh";
        patch.push(json!({"op": "test", "path": path, "value": refresh}));
        patch.push(json!({"op": "remove", "path": path}));
    }
    let done = ended.map(|state| &state.operation);
    if application.operation.is_some() && application.operation.as_ref() == done {
        // Another may have been asked for since this object was read.
        let version = &application.metadata.resource_version;
        patch.push(json!({"op": "test", "path": "/metadata/resourceVersion", "value": version}));
        patch.push(json!({"op": "remove", "path": "/operation"}));
    }
    patch
}

async fn write(hub: &Hub, name: &ObjectName, patch: Vec<Value>) -> kube::Result<()> {
    let patch: json_patch::Patch =
        serde_json::from_value(Value::Array(patch)).map_err(kube::Error::SerdeError)?;
    hub.metrics.applications.writes.inc();
    let api: Api<DynamicObject> = api(hub, name);
    let written = api
        .patch(
            &name.name,
            &PatchParams::default(),
            &Patch::Json::<()>(patch),
        )
        .await?;
    hub.fleet
        .wrote_application(&serde_json::to_value(written).map_err(kube::Error::SerdeError)?);
    Ok(())
}

fn api(hub: &Hub, name: &ObjectName) -> Api<DynamicObject> {
    let resource = kube::api::ApiResource::erase::<Application>(&());
    Api::namespaced_with(hub.client.clone(), &name.namespace, &resource)
}

/// Tells the log and whoever watches events.
fn told(hub: &Hub, application: &Application, news: News) {
    let name = application.metadata.name.as_deref().unwrap_or_default();
    if news.warning {
        tracing::warn!(application = name, "{}", news.message);
    } else {
        tracing::info!(application = name, "{}", news.message);
    }
    hub.events.tell(application, news);
}

/// Tells what turned, as Argo CD does.
fn tell(hub: &Hub, application: &Application, after: &ApplicationStatus) {
    let before = application.status.clone().unwrap_or_default();
    if before.sync.status != after.sync.status {
        let turned = format!(
            "Updated sync status: {} -> {}",
            before.sync.status, after.sync.status
        );
        told(hub, application, News::normal("ResourceUpdated", turned));
    }
    if before.health.status != after.health.status {
        let word = |health: &AppHealthStatus| {
            health
                .status
                .map_or_else(String::new, |status| status.to_string())
        };
        let turned = format!(
            "Updated health status: {} -> {}",
            word(&before.health),
            word(&after.health)
        );
        told(hub, application, News::normal("ResourceUpdated", turned));
    }
}
