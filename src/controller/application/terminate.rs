//! The end of an operation that somebody wants ended, within ten seconds whatever hangs.
//!
//! Usually the next look at the application ends it in order: its hooks are let go of and deleted.
//! Where that look does not come to its end, because a cluster or a repository does not answer, it
//! is broken off, and the status says that nobody knows what became of the last requests.

use std::sync::Arc;
use std::time::Duration;

use argosy_crds::Application;
use argosy_crds::application::OperationState;
use argosy_crds::codes::OperationPhase;
use argosy_engine::operation::TERMINATED;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::json;

use super::begin::is_terminating;
use super::write::{patch, write};
use crate::controller::worker::Next;
use crate::fleet::ObjectName;
use crate::hub::Hub;

/// How long an operation may take to end in order.
const PATIENCE: Duration = Duration::from_secs(7);

/// How soon the hub's own API server is asked again that did not take the end.
const AGAIN: Duration = Duration::from_secs(1);

/// Sees to it that the application's operation ends, if somebody wants it to.
pub fn see_to(hub: &Arc<Hub>, name: &ObjectName, application: &Application) {
    if hub.shadow.is_some()
        || !is_terminating(application)
        || !hub.applications.is_to_end(name, started(application))
    {
        return;
    }
    let (begun, hub, name) = (started(application), Arc::clone(hub), name.clone());
    Arc::clone(&hub).spawn(async move {
        tokio::time::sleep(PATIENCE).await;
        let still = terminating(&hub, &name).is_some_and(|now| started(&now) == begun);
        // A look that is under way ends it itself, so that nothing is written after the end.
        if still && !hub.applications.break_off(&name) {
            abandon(&hub, &name).await;
        }
    });
}

/// Ends the operation as far as the hub is concerned, however long its own API server takes.
pub(super) async fn abandon(hub: &Hub, name: &ObjectName) -> Next {
    while let Some(application) = terminating(hub, name) {
        if let Err(error) = end(hub, name, &application).await {
            tracing::debug!(application = %name, error = crate::diagnostic::chain(&error), "the end of the operation was not written and will be again");
            tokio::time::sleep(AGAIN).await;
        }
    }
    Next::After(Duration::ZERO)
}

async fn end(hub: &Hub, name: &ObjectName, application: &Application) -> kube::Result<()> {
    let mut after = application.status.clone().unwrap_or_default();
    let state = after.operation_state.take().unwrap_or_default();
    let state = OperationState {
        phase: OperationPhase::Failed,
        message: format!(
            "{TERMINATED}; what was under way did not end within {} s, so that the last objects may \
             or may not be applied and its hooks may still run; the next sync deletes those",
            PATIENCE.as_secs()
        ),
        finished_at: Some(Time(hub.clock.now())),
        ..state
    };
    after.operation_state = Some(state.clone());
    let path = "/status/operationState/phase";
    let mut changes = vec![json!({"op": "test", "path": path, "value": "Terminating"})];
    changes.extend(patch(application, &after, None, Some(&state)));
    write(hub, name, application, changes).await
}

/// The application, as long as its operation has to end.
fn terminating(hub: &Hub, name: &ObjectName) -> Option<Arc<Application>> {
    let application = hub.fleet.index().applications.read(name).cloned();
    application.filter(|application| is_terminating(application))
}

/// Which operation it is, by its beginning.
fn started(application: &Application) -> Timestamp {
    let status = application.status.as_ref();
    let state = status.and_then(|status| status.operation_state.as_ref());
    let started = state.and_then(|state| state.started_at.as_ref());
    started.map_or(Timestamp::UNIX_EPOCH, |at| at.0)
}
