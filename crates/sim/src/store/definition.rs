//! CustomResourceDefinitions: served at once, with the conditions that say so.

use serde_json::{Value, json};

use super::object::get_text;
use super::{State, seconds};

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
