//! What the log, the Events and the metrics are told of an application.

use std::time::Duration;

use argosy_crds::Application;
use argosy_crds::application::{AppHealthStatus, ApplicationStatus, OperationState};

use super::assess::Assessment;
use super::course;
use crate::controller::events::News;
use crate::fleet::ObjectName;
use crate::hub::Hub;
use crate::metrics::FinishedSync;

/// Events and counts of the end of a sync.
pub(super) fn tell_of_end(
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

/// Tells the log and whoever watches events.
pub(super) fn told(hub: &Hub, application: &Application, news: News) {
    let name = application.metadata.name.as_deref().unwrap_or_default();
    let namespace = application
        .metadata
        .namespace
        .as_deref()
        .unwrap_or_default();
    let trace_id = course::recorded(hub, &ObjectName::new(namespace, name));
    if news.warning {
        tracing::warn!(application = name, trace_id, "{}", news.message);
    } else {
        tracing::info!(application = name, trace_id, "{}", news.message);
    }
    hub.events.tell(application, news);
}

/// Tells what turned, as Argo CD does.
pub(super) fn tell(hub: &Hub, application: &Application, after: &ApplicationStatus) {
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
