//! Reading a list of windows from a file.

use argosy_crds::app_project::SyncWindow;
use serde::Deserialize;
use serde_json::Value;

/// Reads windows as Go reads YAML into its types: a scalar where a text belongs becomes one, so
/// that an unquoted `no` in a list of applications is the text `false`.
pub fn read(list: &Value) -> Result<Vec<SyncWindow>, serde_json::Error> {
    let mut list = list.clone();
    for window in list.as_array_mut().into_iter().flatten() {
        for (field, value) in window.as_object_mut().into_iter().flatten() {
            match field.as_str() {
                "applications" | "namespaces" | "clusters" => value
                    .as_array_mut()
                    .into_iter()
                    .flatten()
                    .for_each(into_text),
                "kind" | "schedule" | "duration" | "timeZone" | "description" => into_text(value),
                _ => {}
            }
        }
    }
    Ok(Option::deserialize(list)?.unwrap_or_default())
}

fn into_text(value: &mut Value) {
    if matches!(value, Value::Bool(_) | Value::Number(_)) {
        *value = Value::String(value.to_string());
    }
}
