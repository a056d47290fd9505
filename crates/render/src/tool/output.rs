//! What a tool prints, as objects.

use serde_json::Value;

use crate::manifest::check_object;

/// The objects in a stream of YAML documents; empty documents count for nothing.
pub(super) fn objects(printed: &str) -> Result<Vec<Value>, String> {
    let documents = argosy_yaml::parse_documents(printed).map_err(|error| error.to_string())?;
    let mut objects = Vec::with_capacity(documents.len());
    for document in documents {
        if !document.value.is_null() {
            check_object(&document.value)
                .map_err(|why| format!("line {} of what it printed: {why}", document.line))?;
            objects.push(document.value);
        }
    }
    Ok(objects)
}
