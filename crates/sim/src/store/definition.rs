//! CustomResourceDefinitions: served at once, with the conditions that say so.

use serde_json::{Value, json};

use super::object::{finalizers, get_text, is_deleting, metadata};
use super::{State, seconds};
use crate::registry::Kind;

/// Holds a definition until its objects are gone.
pub(super) const CLEANUP: &str = "customresourcecleanup.apiextensions.k8s.io";
/// The table of definitions.
pub(super) const TABLE: &str = "customresourcedefinitions.apiextensions.k8s.io";

/// Writes the status of a definition that is accepted and established.
pub(super) fn complete(state: &State, definition: &mut Value) {
    let conditions = &definition["status"]["conditions"];
    let known = conditions.as_array().is_some_and(|list| !list.is_empty());
    let names = definition["spec"]["names"].clone();
    let mut stored: Vec<Value> = definition["status"]["storedVersions"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    for version in definition["spec"]["versions"]
        .as_array()
        .into_iter()
        .flatten()
    {
        let name = get_text(version, &["name"]);
        if version["storage"] == true && !stored.iter().any(|kept| kept == name) {
            stored.push(name.into());
        }
    }
    let now = seconds(state.now);
    if !known {
        definition["status"]["conditions"] = json!([
            {"type": "NamesAccepted", "status": "True", "lastTransitionTime": now,
             "reason": "NoConflicts", "message": "no conflicts found"},
            {"type": "Established", "status": "True", "lastTransitionTime": now,
             "reason": "InitialNamesAccepted", "message": "the initial names have been accepted"},
        ]);
    }
    definition["status"]["acceptedNames"] = names;
    definition["status"]["storedVersions"] = stored.into();
}

/// Marks a definition that is being deleted; other kinds are left alone.
pub(super) fn terminate(state: &State, kind: &Kind, definition: &mut Value) {
    let is_one = kind.is("apiextensions.k8s.io", "CustomResourceDefinition");
    if !is_one || is_deleting(definition) {
        return;
    }
    let mut held: Vec<String> = finalizers(definition)
        .into_iter()
        .map(str::to_owned)
        .collect();
    if !held.iter().any(|name| name == CLEANUP) {
        held.push(CLEANUP.to_owned());
    }
    metadata(definition).insert("finalizers".to_owned(), json!(held));
    if let Some(conditions) = definition["status"]["conditions"].as_array_mut() {
        conditions.push(json!({
            "type": "Terminating", "status": "True", "lastTransitionTime": seconds(state.now),
            "reason": "InstanceDeletionPending",
            "message": "CustomResourceDefinition marked for deletion; CustomResource deletion will be initiated soon",
        }));
    }
}
