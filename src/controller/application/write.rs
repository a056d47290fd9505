//! Writes of an Application: one patch, each change guarded so that nothing newer is overwritten.

use argosy_crds::application::{ApplicationStatus, OperationState};
use argosy_crds::codes::condition;
use argosy_crds::{Application, names};
use kube::Api;
use kube::api::{DynamicObject, Patch, PatchParams};
use serde_json::{Value, json};

use crate::fleet::{Malformed, ObjectName};
use crate::hub::Hub;

/// How many changes are made one by one; an API server takes 10,000 in a patch.
const ONE_BY_ONE: usize = 1000;

/// The lists of a status that have an item for each resource.
const LISTS: [&str; 2] = ["/resources", "/operationState/syncResult/resources"];

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
            patch.extend(changes(&value(before), &value(after)));
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

/// What makes one status of another; a list that changes in many places is written as a whole.
fn changes(before: &Value, after: &Value) -> Vec<Value> {
    let operations = json_patch::diff(before, after).0;
    let mut changes: Vec<_> = operations
        .iter()
        .map(|operation| serde_json::to_value(operation).unwrap_or_default())
        .collect();
    if changes.len() > ONE_BY_ONE {
        for list in LISTS {
            let is_in_list = |change: &Value| {
                let path = change["path"].as_str().unwrap_or_default();
                path.strip_prefix(list)
                    .is_some_and(|item| item.starts_with('/'))
            };
            let all = changes.len();
            changes.retain(|change| !is_in_list(change));
            if changes.len() < all {
                let whole = after.pointer(list);
                changes.push(json!({"op": "add", "path": list, "value": whole}));
            }
        }
    }
    for change in &mut changes {
        let path = format!("/status{}", change["path"].as_str().unwrap_or_default());
        change["path"] = json!(path);
    }
    changes
}

/// Writes changes of an application, and never to another that has got its name meanwhile.
pub(super) async fn write(
    hub: &Hub,
    name: &ObjectName,
    application: &Application,
    mut patch: Vec<Value>,
) -> kube::Result<()> {
    let uid = &application.metadata.uid;
    patch.insert(
        0,
        json!({"op": "test", "path": "/metadata/uid", "value": uid}),
    );
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_of_many_resources_is_one_that_an_api_server_takes() {
        let status = |health: &str, message: &str| {
            let resources: Vec<_> = (0..9000)
                .map(|at| json!({"name": at, "status": health, "health": {"status": health}}))
                .collect();
            json!({"resources": resources, "sync": {"status": health},
                   "operationState": {"message": message, "syncResult": {"resources": []}}})
        };
        let (before, after) = (status("a", "begins"), status("b", "ends"));
        let changes = changes(&before, &after);
        assert_eq!(changes.len(), 3, "the list, the status, the message");
        let patch: json_patch::Patch = serde_json::from_value(Value::Array(changes)).unwrap();
        let mut object = json!({"status": before});
        json_patch::patch(&mut object, &patch).unwrap();
        assert_eq!(object["status"], after);
    }
}
