//! Whether an apply says only what its kind's schema knows, as typed merging asks.

use serde_json::Value;

use super::super::failure::Failure;
use super::super::object::{name_of, namespace_of};
use super::schema;
use crate::registry::{Form, Kind, ListType, Node};

/// Refuses unknown fields, values of a wrong type, and list items that cannot be told apart.
pub(in super::super) fn check(kind: &Kind, object: &Value) -> Result<(), Failure> {
    let mut wrong = Vec::new();
    if let Some(custom) = &kind.custom {
        let unknown = schema::unknown(custom, object);
        let told = |path: &String| format!(".{path}: field not declared in schema");
        wrong.extend(unknown.iter().map(told));
    }
    walk(object, &kind.schema, "", &mut wrong);
    let told = match wrong.as_slice() {
        [] => return Ok(()),
        [one] => one.clone(),
        many => format!("errors:\n  {}", many.join("\n  ")),
    };
    Err(Failure::plain(format!(
        "failed to create typed patch object ({}/{}; {}/{}, Kind={}): {told}",
        namespace_of(object),
        name_of(object),
        kind.group,
        kind.version,
        kind.kind,
    )))
}

fn walk(value: &Value, node: &Node, path: &str, wrong: &mut Vec<String>) {
    let mismatch = |wanted: &str| {
        let shown = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        format!("{path}: expected {wanted}, got &value.valueUnstructured{{Value:{shown}}}")
    };
    match (node.form, value) {
        (Form::Text, Value::Number(_) | Value::Bool(_) | Value::Array(_) | Value::Object(_)) => {
            wrong.push(mismatch("string"));
        }
        (Form::Bool, Value::Number(_) | Value::String(_)) => wrong.push(mismatch("boolean")),
        (Form::Int32 | Form::Int64, Value::Bool(_) | Value::String(_)) => {
            wrong.push(mismatch("numeric (int or float)"));
        }
        (Form::Struct | Form::Map, Value::Array(_)) => wrong.push(mismatch("map")),
        (Form::List, Value::Object(_)) => wrong.push(mismatch("list")),
        (form, Value::Object(map)) => {
            for (name, value) in map {
                let here = format!("{path}.{name}");
                if form == Form::Struct && !node.fields.contains_key(name) {
                    wrong.push(format!("{here}: field not declared in schema"));
                } else {
                    walk(value, node.field(name), &here, wrong);
                }
            }
        }
        (_, Value::Array(items)) => list(items, node, path, wrong),
        _ => {}
    }
}

fn list(items: &[Value], node: &Node, path: &str, wrong: &mut Vec<String>) {
    let mut seen = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let key = node.item_key(item);
        if key.is_some() && seen.contains(&key) && node.list != ListType::Set {
            let printed = key
                .as_deref()
                .map(crate::apply::printed)
                .unwrap_or_default();
            wrong.push(format!("{path}: duplicate entries for key {printed}"));
        }
        seen.push(key);
        walk(item, node.item(), &format!("{path}[{index}]"), wrong);
    }
}
