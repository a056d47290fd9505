//! Writes of an Application: one patch, each change guarded so that nothing newer is overwritten.

use argosy_crds::application::{ApplicationStatus, OperationState};
use argosy_crds::codes::condition;
use argosy_crds::{Application, names};
use kube::Api;
use kube::api::{DynamicObject, Patch, PatchParams};
use serde_json::{Value, json};

use crate::fleet::{Malformed, ObjectName};
use crate::hub::Hub;

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

/// The changes to the object, each guarded so that nothing newer is overwritten.
pub(super) fn patch(
    application: &Application,
    after: &ApplicationStatus,
    finalizers: Option<Vec<String>>,
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
    let version = &application.metadata.resource_version;
    let is_newest = json!({"op": "test", "path": "/metadata/resourceVersion", "value": version});
    if let Some(finalizers) = finalizers {
        patch.push(is_newest.clone());
        patch.push(json!({"op": "add", "path": "/metadata/finalizers", "value": finalizers}));
    }
    let done = ended.map(|state| &state.operation);
    if application.operation.is_some() && application.operation.as_ref() == done {
        // Another may have been asked for since this object was read.
        patch.push(is_newest);
        patch.push(json!({"op": "remove", "path": "/operation"}));
    }
    patch
}

pub(super) async fn write(hub: &Hub, name: &ObjectName, patch: Vec<Value>) -> kube::Result<()> {
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

pub(super) fn api(hub: &Hub, name: &ObjectName) -> Api<DynamicObject> {
    let resource = kube::api::ApiResource::erase::<Application>(&());
    Api::namespaced_with(hub.client.clone(), &name.namespace, &resource)
}
