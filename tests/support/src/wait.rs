//! Waiting for what a hub does: conditions that are looked at until they hold.
//!
//! Nothing here sleeps for a time that somebody guessed; a condition that does not come to hold
//! fails the test and says what was seen last.

use std::time::Duration;

use argosy_crds::Application;
use argosy_crds::codes::{HealthStatusCode, OperationPhase, SyncStatusCode};
use kube::api::{ApiResource, DynamicObject, ListParams};
use kube::core::GroupVersionKind;
use kube::{Api, Client};
use serde_json::Value;

/// How long a condition may take; far more than it does, because the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(90);

/// How often a condition is looked at.
pub const LOOK: Duration = Duration::from_millis(20);

/// Whether an asynchronous condition comes to hold in time.
pub async fn comes_true(condition: impl AsyncFnMut() -> bool) -> bool {
    comes_true_at(LOOK, condition).await
}

/// Whether an asynchronous condition, looked at that often, comes to hold in time.
pub async fn comes_true_at(look: Duration, mut condition: impl AsyncFnMut() -> bool) -> bool {
    let looking = async {
        while !condition().await {
            tokio::time::sleep(look).await;
        }
    };
    tokio::time::timeout(PATIENCE, looking).await.is_ok()
}

/// Waits until an asynchronous condition holds.
///
/// # Panics
///
/// Panics when it does not in time.
pub async fn eventually(what: &str, condition: impl AsyncFnMut() -> bool) {
    assert!(comes_true(condition).await, "not in time: {what}");
}

/// Waits until an asynchronous condition, looked at that often, holds; a failure tells of all these
/// applications.
///
/// # Panics
///
/// Panics when it does not in time, or when the API server does not answer.
pub async fn eventually_among(
    api: &Api<Application>,
    look: Duration,
    what: &str,
    condition: impl AsyncFnMut() -> bool,
) {
    if !comes_true_at(look, condition).await {
        let all = api.list(&ListParams::default()).await;
        let all = all.expect("the hub's server answers");
        let told: Vec<_> = all
            .into_iter()
            .map(|app| (app.metadata.name, app.status))
            .collect();
        let told = serde_json::to_string_pretty(&told).expect("a status is JSON");
        panic!("not in time: {what}; {told}");
    }
}

/// Waits until the application meets a condition, and returns it then.
///
/// # Panics
///
/// Panics when it does not in time, or when the API server does not answer.
pub async fn until(
    api: &Api<Application>,
    name: &str,
    what: &str,
    condition: impl Fn(&Application) -> bool,
) -> Application {
    let mut last = None;
    let met = comes_true(async || {
        last = api.get_opt(name).await.expect("the hub's server answers");
        last.as_ref().is_some_and(&condition)
    })
    .await;
    match last {
        Some(application) if met => application,
        last => panic!(
            "{name} is not {what}: {}",
            serde_json::to_string_pretty(&last).expect("an Application is JSON")
        ),
    }
}

/// An object, `namespace/name`, if it is there.
///
/// # Panics
///
/// Panics when the API server does not answer.
pub async fn live(client: Client, api_version: &str, kind: &str, place: &str) -> Option<Value> {
    let (namespace, name) = place.split_once('/').expect("a place is namespace/name");
    let resource = resource(api_version, kind);
    let api: Api<DynamicObject> = Api::namespaced_with(client, namespace, &resource);
    let found = api.get_opt(name).await.expect("the cluster answers");
    found.map(|object| serde_json::to_value(object).expect("an object is JSON"))
}

/// How kube's client addresses a kind.
pub fn resource(api_version: &str, kind: &str) -> ApiResource {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind))
}

/// Whether an application is synced and healthy.
pub fn is_well(application: &Application) -> bool {
    let health = application.status.as_ref().and_then(|s| s.health.status);
    is_synced(application) && health == Some(HealthStatusCode::Healthy)
}

/// Whether the last operation of an application has ended in this phase.
pub fn has_ended(application: &Application, phase: OperationPhase) -> bool {
    let status = application.status.as_ref();
    let state = status.and_then(|status| status.operation_state.as_ref());
    application.operation.is_none() && state.is_some_and(|state| state.phase == phase)
}

/// Whether an application is synced.
pub fn is_synced(application: &Application) -> bool {
    let status = application.status.as_ref();
    status.is_some_and(|status| status.sync.status == SyncStatusCode::Synced)
}
