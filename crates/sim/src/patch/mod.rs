//! The patch formats that are not server-side apply. Pure functions over values.

mod strategic;

use serde_json::Value;

use crate::registry::Node;

/// How a patch is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Json,
    Merge,
    Strategic,
    Apply,
}

impl Format {
    pub(crate) fn of(content_type: &str) -> Option<Self> {
        match content_type.split(';').next()?.trim() {
            "application/json-patch+json" => Some(Self::Json),
            "application/merge-patch+json" => Some(Self::Merge),
            "application/strategic-merge-patch+json" => Some(Self::Strategic),
            "application/apply-patch+yaml" | "application/apply-patch+cbor" => Some(Self::Apply),
            _ => None,
        }
    }
}

/// Why a patch could not be applied.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PatchError {
    /// It is not a patch of its format.
    #[error("error decoding patch: {0}")]
    Malformed(String),
    /// An item of a list that merges by a key has none.
    #[error("{0}")]
    Keyless(String),
    /// It does not fit the object.
    #[error("{0}")]
    Unfit(String),
}

/// The real server takes `replace` of a missing member of an object for `add`.
fn forgiving(patch: &Value, live: &Value) -> Value {
    let mut patch = patch.clone();
    for operation in patch.as_array_mut().into_iter().flatten() {
        let path = operation["path"].as_str().unwrap_or_default();
        let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
        let missing =
            live.pointer(path).is_none() && live.pointer(parent).is_some_and(Value::is_object);
        if operation["op"] == "replace" && missing {
            operation["op"] = "add".into();
        }
    }
    patch
}

/// `live` with `patch` applied; server-side apply is not done here.
pub(crate) fn patched(
    live: &Value,
    patch: &Value,
    format: Format,
    node: &Node,
) -> Result<Value, PatchError> {
    let mut object = live.clone();
    match format {
        Format::Json => {
            let patch = forgiving(patch, live);
            let patch: json_patch::Patch = serde_json::from_value(patch)
                .map_err(|error| PatchError::Malformed(error.to_string()))?;
            json_patch::patch(&mut object, &patch)
                .map_err(|error| PatchError::Unfit(error.to_string()))?;
        }
        Format::Merge | Format::Apply => json_patch::merge(&mut object, patch),
        Format::Strategic => object = strategic::merge(object, patch, node)?,
    }
    Ok(object)
}
