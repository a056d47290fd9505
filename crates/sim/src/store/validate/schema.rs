//! Structural schemas of custom kinds: pruning, defaulting, validation.

use serde_json::Value;

use super::super::failure::Cause;
use crate::registry::Custom;

use super::limits::limits;

/// Drops unknown fields and fills in defaults.
pub(crate) fn prune_and_default(custom: &Custom, object: &mut Value) {
    if custom.schema.is_null() {
        return;
    }
    if !custom.preserve {
        prune(object, &custom.schema, "", &mut Vec::new());
    }
    default(object, &custom.schema);
}

/// The paths that pruning would drop.
pub(crate) fn unknown(custom: &Custom, object: &Value) -> Vec<String> {
    let mut found = Vec::new();
    if !custom.schema.is_null() && !custom.preserve {
        prune(&mut object.clone(), &custom.schema, "", &mut found);
    }
    found
}

fn prune(value: &mut Value, schema: &Value, path: &str, dropped: &mut Vec<String>) {
    let preserve = schema["x-kubernetes-preserve-unknown-fields"] == true;
    let embedded = schema["x-kubernetes-embedded-resource"] == true;
    match value {
        Value::Object(map) => {
            let properties = schema["properties"].as_object();
            let additional = &schema["additionalProperties"];
            let open = preserve || *additional == true || additional.is_object();
            let typed = |name: &str| {
                (embedded && ["apiVersion", "kind", "metadata"].contains(&name))
                    || (path.is_empty() && name == "metadata")
            };
            map.retain(|name, _| {
                let known = properties.is_some_and(|properties| properties.contains_key(name));
                let keep = open || known || typed(name);
                if !keep {
                    dropped.push(joined(path, name));
                }
                keep
            });
            for (name, value) in map.iter_mut().filter(|(name, _)| !typed(name)) {
                let below = properties.and_then(|properties| properties.get(name));
                let below = below.or_else(|| additional.is_object().then_some(additional));
                if let Some(below) = below {
                    prune(value, below, &joined(path, name), dropped);
                }
            }
        }
        Value::Array(items) if schema["items"].is_object() => {
            for (index, item) in items.iter_mut().enumerate() {
                prune(item, &schema["items"], &format!("{path}[{index}]"), dropped);
            }
        }
        _ => {}
    }
}

fn default(value: &mut Value, schema: &Value) {
    match value {
        Value::Object(map) => {
            for (name, below) in schema["properties"].as_object().into_iter().flatten() {
                let missing = match map.get(name) {
                    None => true,
                    Some(Value::Null) => below["nullable"] != true,
                    Some(_) => false,
                };
                if missing {
                    // A null that may not be one counts as left out.
                    map.remove(name);
                    match below.get("default") {
                        Some(default) => drop(map.insert(name.clone(), default.clone())),
                        None => continue,
                    }
                }
                if let Some(found) = map.get_mut(name) {
                    default(found, below);
                }
            }
            if schema["additionalProperties"].is_object() {
                map.values_mut()
                    .for_each(|v| default(v, &schema["additionalProperties"]));
            }
        }
        Value::Array(items) if schema["items"].is_object() => {
            for item in items {
                default(item, &schema["items"]);
            }
        }
        _ => {}
    }
}

/// What of a custom object its schema forbids.
pub(super) fn check(custom: &Custom, object: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    let fields = object.as_object().into_iter().flatten();
    for (name, value) in fields.filter(|(name, _)| *name != "metadata") {
        if let Some(below) = custom.schema["properties"].get(name) {
            walk(name, value, below, &mut causes);
        }
    }
    missing("", object, &custom.schema, &mut causes);
    causes
}

fn missing(path: &str, value: &Value, schema: &Value, causes: &mut Vec<Cause>) {
    for name in schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
    {
        let known = path.is_empty() && ["apiVersion", "kind", "metadata"].contains(&name);
        if value.get(name).is_none() && !known {
            causes.push(Cause::required(joined(path, name), ""));
        }
    }
}

fn joined(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}

fn walk(path: &str, value: &Value, schema: &Value, causes: &mut Vec<Cause>) {
    if value.is_null() {
        if schema["nullable"] != true && schema["type"].is_string() {
            let wanted = schema["type"].as_str().unwrap_or_default();
            causes.push(Cause::wrong_type(path, value, wanted));
        }
        return;
    }
    if schema["x-kubernetes-int-or-string"] == true {
        if !value.is_i64() && !value.is_u64() && !value.is_string() {
            causes.push(Cause::wrong_type(path, value, "integer,string"));
        }
        return;
    }
    if let Some(wanted) = schema["type"].as_str()
        && !is_type(value, wanted)
    {
        causes.push(Cause::wrong_type(path, value, wanted));
        return;
    }
    limits(path, value, schema, causes);
    match value {
        Value::Object(map) => {
            missing(path, value, schema, causes);
            for (name, value) in map {
                if let Some(below) = schema["properties"].get(name) {
                    walk(&joined(path, name), value, below, causes);
                } else if schema["additionalProperties"].is_object() {
                    walk(
                        &joined(path, name),
                        value,
                        &schema["additionalProperties"],
                        causes,
                    );
                }
            }
        }
        Value::Array(items) if schema["items"].is_object() => {
            told_apart(path, items, schema, causes);
            for (index, item) in items.iter().enumerate() {
                walk(&format!("{path}[{index}]"), item, &schema["items"], causes);
            }
        }
        _ => {}
    }
}

fn is_type(value: &Value, wanted: &str) -> bool {
    match wanted {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.as_f64().is_some_and(|n| n.fract() == 0.0),
        "number" => value.is_number(),
        _ => true,
    }
}

/// Items of sets and keyed lists must differ.
fn told_apart(path: &str, items: &[Value], schema: &Value, causes: &mut Vec<Cause>) {
    let keys = schema["x-kubernetes-list-map-keys"].as_array();
    let key = |item: &Value| -> Value {
        match (schema["x-kubernetes-list-type"].as_str(), keys) {
            (Some("set"), _) => item.clone(),
            (Some("map"), Some(keys)) => {
                let pick = |key: &Value| {
                    Some((key.as_str()?.to_owned(), item.get(key.as_str()?)?.clone()))
                };
                Value::Object(keys.iter().filter_map(pick).collect())
            }
            _ => Value::Null,
        }
    };
    let mut seen = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let key = key(item);
        if !key.is_null() && seen.contains(&key) {
            causes.push(Cause::duplicate(format!("{path}[{index}]"), &key));
        }
        seen.push(key);
    }
}
