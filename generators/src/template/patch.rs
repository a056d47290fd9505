//! `templatePatch`: a text that, once rendered, is merged into each Application.
//!
//! The merge is Kubernetes' strategic one for an Application: of its lists only finalizers and owner
//! references are merged, all others are replaced. A patch never changes the project.

use argosy_crds::Application;
use argosy_yaml as yaml;
use serde_json::{Map, Value};

use super::text::{Engine, Scope, Text};
use crate::typed;

const DIRECTIVE: &str = "$patch";
const DELETE_FROM_LIST: &str = "$deleteFromPrimitiveList/";
const ELEMENT_ORDER: &str = "$setElementOrder/";
const RETAIN_KEYS: &str = "$retainKeys";
const CONTEXT: &str = "error while applying templatePatch template to json";

/// A parsed patch.
pub(crate) struct Patch(Text);

impl Patch {
    pub(crate) fn compile(text: &str, engine: &Engine) -> Self {
        Self(engine.compile(text))
    }

    /// Renders the patch and merges it into an Application.
    pub(crate) fn apply(&self, app: &mut Value, scope: &Scope<'_>) -> Result<(), String> {
        let text = self
            .0
            .render(scope)
            .map_err(|error| format!("error replacing values in templatePatch: {error}"))?;
        let patch = read(&text).map_err(|error| {
            format!("error while converting template to json {text:?}: {error}")
        })?;
        let Value::Object(patch) = patch else {
            return match patch {
                Value::Null => Ok(()),
                other => Err(format!(
                    "invalid templatePatch {:?}: not a map",
                    other.to_string()
                )),
            };
        };
        let patch = Value::Object(patch);
        typed::from_json::<Application>(patch.clone())
            .map_err(|error| format!("invalid templatePatch {:?}: {error}", patch.to_string()))?;
        let project = app.pointer("/spec/project").cloned();
        if let (Value::Object(app), Value::Object(patch)) = (&mut *app, patch) {
            merge(app, patch, "")?;
        }
        restore_project(app, project);
        Ok(())
    }
}

/// Reads a patch. What begins with a brace must be JSON; all else is YAML.
fn read(text: &str) -> Result<Value, String> {
    if text.trim_start().starts_with('{') {
        return serde_json::from_str(text)
            .map_err(|error| format!("{error}; what begins with a brace must be JSON"));
    }
    yaml::from_str(text).map_err(|error| error.to_string())
}

fn restore_project(app: &mut Value, project: Option<Value>) {
    let Some(app) = app.as_object_mut() else {
        return;
    };
    let spec = app
        .entry("spec")
        .or_insert_with(|| Value::Object(Map::new()));
    if !spec.is_object() {
        *spec = Value::Object(Map::new());
    }
    if let Some(spec) = spec.as_object_mut() {
        match project {
            Some(project) => spec.insert("project".to_owned(), project),
            None => spec.remove("project"),
        };
    }
}

fn merge(
    target: &mut Map<String, Value>,
    mut patch: Map<String, Value>,
    path: &str,
) -> Result<(), String> {
    match patch.remove(DIRECTIVE).as_ref().map(Value::as_str) {
        None => {}
        Some(Some("replace")) => {
            *target = patch;
            return Ok(());
        }
        Some(Some("delete")) => {
            target.clear();
            return Ok(());
        }
        Some(directive) => {
            return Err(format!(
                "{CONTEXT}: unknown patch type found: {directive:?}"
            ));
        }
    }
    if let Some(kept) = patch.remove(RETAIN_KEYS) {
        retain(target, &patch, &kept)?;
    }
    for (key, value) in patch {
        if let Some(list) = key.strip_prefix(DELETE_FROM_LIST) {
            if let (Some(Value::Array(items)), Value::Array(gone)) = (target.get_mut(list), value) {
                items.retain(|item| !gone.contains(item));
            }
            continue;
        }
        if key.starts_with(ELEMENT_ORDER) {
            continue;
        }
        merge_entry(target, key, value, path)?;
    }
    Ok(())
}

/// Keeps the named keys; a patch may set no others.
fn retain(
    target: &mut Map<String, Value>,
    patch: &Map<String, Value>,
    kept: &Value,
) -> Result<(), String> {
    let is_kept = |key: &String| {
        let kept = kept.as_array();
        kept.is_some_and(|kept| kept.iter().any(|kept| kept.as_str() == Some(key)))
    };
    let is_directive =
        |key: &String| key.starts_with(DELETE_FROM_LIST) || key.starts_with(ELEMENT_ORDER);
    let mut set = patch
        .iter()
        .filter(|(key, value)| !value.is_null() && !is_directive(key));
    if !kept.is_array() || !set.all(|(key, _)| is_kept(key)) {
        return Err(format!(
            "{CONTEXT}: {RETAIN_KEYS} must be a list of keys that has all that the patch sets"
        ));
    }
    target.retain(|key, _| is_kept(key));
    Ok(())
}

fn merge_entry(
    target: &mut Map<String, Value>,
    key: String,
    value: Value,
    path: &str,
) -> Result<(), String> {
    let below = format!("{path}/{key}");
    match (target.get_mut(&key), value) {
        (_, Value::Null) => {
            target.remove(&key);
        }
        (Some(Value::Object(_)), Value::Object(_)) | (Some(Value::Array(_)), Value::Array(_))
            if path.ends_with("/valuesObject") =>
        {
            return Err(format!(
                "{CONTEXT}: unable to find api field in struct RawExtension for the json field {key:?}: no map and no list inside of valuesObject can be merged; give all of valuesObject, with `$patch: replace` in it"
            ));
        }
        (Some(Value::Object(target)), Value::Object(patch)) => merge(target, patch, &below)?,
        (Some(Value::Array(items)), Value::Array(patch)) if below == "/metadata/finalizers" => {
            merge_texts(items, patch);
        }
        (Some(Value::Array(items)), Value::Array(patch))
            if below == "/metadata/ownerReferences" =>
        {
            merge_by(items, patch, "uid", &below)?;
        }
        (Some(Value::Array(_)), value @ Value::Array(_)) => {
            target.insert(key, value);
        }
        (_, value) => match bare(value) {
            Some(value) => {
                target.insert(key, value);
            }
            None => {
                target.remove(&key);
            }
        },
    }
    Ok(())
}

/// What a patch brings to where there was nothing: without nulls, and without what holds a
/// directive, which has nothing to be applied to.
fn bare(value: Value) -> Option<Value> {
    match without_nulls(value) {
        Value::Object(entries) if entries.contains_key(DIRECTIVE) => None,
        Value::Object(entries) => {
            let entries = entries.into_iter();
            let entries = entries.filter_map(|(key, value)| Some((key, bare(value)?)));
            Some(Value::Object(entries.collect()))
        }
        Value::Array(items) => Some(Value::Array(items.into_iter().filter_map(bare).collect())),
        scalar => Some(scalar),
    }
}

/// A structure without the nulls of its maps, which say that a field is to go.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(entries) => {
            let entries = entries.into_iter().filter(|(_, value)| !value.is_null());
            let entries = entries.map(|(key, value)| (key, without_nulls(value)));
            Value::Object(entries.collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(without_nulls).collect()),
        scalar => scalar,
    }
}

/// The patch's texts come first, then those that only the target has.
fn merge_texts(items: &mut Vec<Value>, patch: Vec<Value>) {
    let rest: Vec<_> = items
        .drain(..)
        .filter(|item| !patch.contains(item))
        .collect();
    for item in patch.into_iter().chain(rest) {
        if !items.contains(&item) {
            items.push(item);
        }
    }
}

fn merge_by(
    items: &mut Vec<Value>,
    patch: Vec<Value>,
    key: &str,
    path: &str,
) -> Result<(), String> {
    for entry in patch {
        let same = items
            .iter_mut()
            .find(|item| item.get(key) == entry.get(key));
        match (same, entry) {
            (Some(Value::Object(target)), Value::Object(patch)) => merge(target, patch, path)?,
            (_, entry) => items.push(entry),
        }
    }
    Ok(())
}
