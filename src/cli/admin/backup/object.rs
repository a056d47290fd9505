//! What of an object belongs into a backup, and what a backup means for an object that is there.

use argosy_crds::names;
use argosy_crds::names::annotation;
use argosy_engine::object::ObjectExt as _;
use serde_json::{Map, Value, json};

/// The metadata that somebody chose; the rest is the API server's.
const CHOSEN: [&str; 5] = ["name", "namespace", "labels", "annotations", "finalizers"];

/// The parts of an object that an import puts in place of what is there.
const CONTENT: [&str; 6] = [
    "spec",
    "data",
    "binaryData",
    "stringData",
    "type",
    "immutable",
];

/// Annotations that no backup holds: what kubectl applied last, which of a Secret repeats the values,
/// and what asks for something once.
const UNTOLD: [&str; 2] = [annotation::LAST_APPLIED, annotation::REFRESH];

/// An object as a backup holds it. An operation is left out: it must not begin again by itself.
pub(super) fn bare(mut object: Value) -> Value {
    let mut metadata = Map::new();
    for key in CHOSEN {
        if let Some(value) = object["metadata"].get_mut(key) {
            metadata.insert(key.to_owned(), value.take());
        }
    }
    if let Some(annotations) = metadata
        .get_mut("annotations")
        .and_then(Value::as_object_mut)
    {
        annotations.retain(|key, _| !UNTOLD.contains(&key.as_str()));
        if annotations.is_empty() {
            metadata.remove("annotations");
        }
    }
    if let Some(fields) = object.as_object_mut() {
        fields.remove("operation");
        // A set makes its status anew; an Application's holds its history.
        if fields.get("kind") != Some(&json!("Application")) {
            fields.remove("status");
        }
        fields.insert("metadata".to_owned(), Value::Object(metadata));
    }
    object
}

/// An object without the hub's own namespace, as Argo CD exports it: whoever imports it says where the
/// hub is.
pub(super) fn at_home(mut object: Value, home: &str) -> Value {
    if object.namespace() == home
        && let Some(metadata) = object["metadata"].as_object_mut()
    {
        metadata.remove("namespace");
    }
    object
}

/// An Application that automation leaves alone until somebody resumes it.
pub(super) fn pause(object: &mut Value) {
    if object.kind() == "Application" && object.api_version() == names::API_VERSION {
        object["metadata"]["annotations"][annotation::PAUSED_UNTIL] = json!("9999-12-31T00:00:00Z");
        object["metadata"]["annotations"][annotation::PAUSE_REASON] = json!("imported");
    }
}

/// The object that is there with the content of the backup; its status, owners and other metadata
/// stay. `None` if that changes nothing.
pub(super) fn merged(live: &Value, wanted: &Value) -> Option<Value> {
    let mut next = live.clone();
    for key in CONTENT {
        put(&mut next, key, &wanted[key]);
    }
    for key in ["labels", "annotations", "finalizers"] {
        put(&mut next["metadata"], key, &wanted["metadata"][key]);
    }
    for key in UNTOLD {
        if let Some(value) = live.annotation(key) {
            next["metadata"]["annotations"][key] = value.into();
        }
    }
    (next != *live).then_some(next)
}

fn put(object: &mut Value, key: &str, value: &Value) {
    let Some(fields) = object.as_object_mut() else {
        return;
    };
    if value.is_null() {
        fields.remove(key);
    } else {
        fields.insert(key.to_owned(), value.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn live() -> Value {
        json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
            "metadata": {
                "name": "web", "namespace": "argocd", "uid": "u", "resourceVersion": "7",
                "labels": {"team": "red"},
                "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}"},
                "ownerReferences": [{"kind": "ApplicationSet"}], "managedFields": [{}],
            },
            "spec": {"project": "default"},
            "operation": {"sync": {}},
            "status": {"sync": {"status": "Synced"}},
        })
    }

    #[test]
    fn only_what_is_elsewhere_says_where() {
        assert_eq!(at_home(live(), "argocd").namespace(), "");
        assert_eq!(at_home(live(), "hub").namespace(), "argocd");
    }

    #[test]
    fn a_backup_holds_what_somebody_chose() {
        assert_eq!(
            bare(live()),
            json!({
                "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
                "metadata": {"name": "web", "namespace": "argocd", "labels": {"team": "red"}},
                "spec": {"project": "default"},
                "status": {"sync": {"status": "Synced"}},
            })
        );
        let mut set = live();
        set["kind"] = json!("ApplicationSet");
        assert_eq!(bare(set).get("status"), None);
    }

    #[test]
    fn what_is_as_in_the_backup_is_not_written() {
        assert_eq!(merged(&live(), &bare(live())), None);
        let mut wanted = bare(live());
        wanted["spec"]["project"] = json!("shop");
        wanted["metadata"]["labels"].take();
        let next = merged(&live(), &wanted).unwrap();
        assert_eq!(next["spec"]["project"], "shop");
        assert_eq!(next["metadata"].get("labels"), None);
        assert_eq!(next["metadata"]["resourceVersion"], "7");
        assert_eq!(next["status"], live()["status"]);
    }

    #[test]
    fn applications_alone_can_be_paused() {
        let mut app = bare(live());
        pause(&mut app);
        let application = serde_json::from_value(app).unwrap();
        let now = jiff::Timestamp::UNIX_EPOCH;
        assert!(argosy_engine::operation::pause_of(&application, now).is_some());
        let mut map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}});
        let before = map.clone();
        pause(&mut map);
        assert_eq!(map, before);
    }
}
