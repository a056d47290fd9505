//! Lists among manifests are taken apart, one level deep.

use serde_json::Value;

use crate::{path::TreePath, render::RenderError};

/// Replaces every object that has an `items` list by those items.
pub(crate) fn expand_lists(objects: Vec<Value>) -> Result<Vec<Value>, RenderError> {
    let mut expanded = Vec::with_capacity(objects.len());
    for mut object in objects {
        if let Some(Value::Array(items)) = object.get_mut("items") {
            let items = std::mem::take(items);
            if let Some(item) = items.iter().find(|item| !item.is_object()) {
                return Err(RenderError::Manifest {
                    path: TreePath::root(),
                    why: format!("a list's item is not an object: {item}"),
                });
            }
            expanded.extend(items);
        } else if !is_null_list(&object) {
            expanded.push(object);
        }
    }
    Ok(expanded)
}

/// An `items: null` without anything that would make it a resource of its own.
fn is_null_list(object: &Value) -> bool {
    object.get("spec").is_none()
        && object.get("status").is_none()
        && object.get("items").is_some_and(Value::is_null)
}
