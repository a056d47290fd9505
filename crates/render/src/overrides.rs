//! `.argocd-source.yaml`: parameters of a source that lie beside its files.
//!
//! Such a file changes how a source is rendered, never what it is: repository, path, chart and
//! revision stay.

use argosy_crds::ApplicationSource;
use serde_json::Value;

use crate::{path::TreePath, render::RenderError, tree::Kind, view::View};

/// What an override cannot change.
const IDENTITY: [&str; 4] = ["repoURL", "path", "chart", "targetRevision"];

/// The source with the overrides in `directory` merged in: first the general file, then the one
/// for the application called `app_name`.
pub(crate) fn merged(
    view: &View,
    directory: &TreePath,
    source: &ApplicationSource,
    app_name: &str,
) -> Result<ApplicationSource, RenderError> {
    let mut result = source.clone();
    let own = format!(".argocd-source-{app_name}.yaml");
    for name in [".argocd-source.yaml", &own] {
        let Some(path) = directory.child(name) else {
            continue;
        };
        let is_file = view
            .resolve(&path)?
            .is_some_and(|target| target.kind == Kind::File);
        if is_file {
            result = merge(view, &path, &result)?;
        }
    }
    Ok(result)
}

fn merge(
    view: &View,
    path: &TreePath,
    source: &ApplicationSource,
) -> Result<ApplicationSource, RenderError> {
    let refuse = |why: String| RenderError::Override {
        path: path.clone(),
        why,
    };
    let text = argosy_yaml::decode(&view.read(path)?).map_err(|error| refuse(error.to_string()))?;
    let mut patch = argosy_yaml::from_str(&text).map_err(|error| refuse(error.to_string()))?;
    match &mut patch {
        Value::Null => return Ok(source.clone()),
        Value::Object(fields) => fields.retain(|key, _| !IDENTITY.contains(&key.as_str())),
        _ => return Err(refuse("it must be a mapping of source fields".into())),
    }
    let mut value = serde_json::to_value(source).map_err(|error| refuse(error.to_string()))?;
    merge_patch(&mut value, patch);
    serde_json::from_value(value).map_err(|error| refuse(error.to_string()))
}

/// RFC 7386.
fn merge_patch(target: &mut Value, patch: Value) {
    let Value::Object(fields) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    let Value::Object(into) = target else {
        return;
    };
    for (key, value) in fields {
        if value.is_null() {
            into.remove(&key);
        } else {
            merge_patch(into.entry(key).or_insert(Value::Null), value);
        }
    }
}
