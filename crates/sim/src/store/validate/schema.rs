//! Structural schemas of custom kinds: pruning, defaulting, validation.

use serde_json::Value;

use super::super::failure::Cause;
use crate::registry::Custom;

/// Drops unknown fields and fills in defaults.
pub(crate) fn prune_and_default(custom: &Custom, object: &mut Value) {
    if custom.schema.is_null() {
        return;
    }
    let metadata = object.get("metadata").cloned();
    if !custom.preserve {
        prune(object, &custom.schema, true);
    }
    default(object, &custom.schema);
    if let (Some(metadata), Some(map)) = (metadata, object.as_object_mut()) {
        map.insert("metadata".to_owned(), metadata);
    }
}

fn prune(value: &mut Value, schema: &Value, root: bool) {
    let preserve = schema["x-kubernetes-preserve-unknown-fields"] == true;
    match value {
        Value::Object(map) => {
            if schema["x-kubernetes-embedded-resource"] == true && preserve {
                return;
            }
            let properties = schema["properties"].as_object();
            let additional = &schema["additionalProperties"];
            let open = preserve || *additional == true;
            map.retain(|name, _| {
                open || additional.is_object()
                    || properties.is_some_and(|p| p.contains_key(name))
                    || (root && name == "metadata")
                    || (schema["x-kubernetes-embedded-resource"] == true
                        && ["apiVersion", "kind", "metadata"].contains(&name.as_str()))
            });
            for (name, value) in map.iter_mut() {
                if let Some(below) = properties.and_then(|p| p.get(name)) {
                    prune(value, below, false);
                } else if additional.is_object() {
                    prune(value, additional, false);
                }
            }
        }
        Value::Array(items) if schema["items"].is_object() => {
            items
                .iter_mut()
                .for_each(|item| prune(item, &schema["items"], false));
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
            items
                .iter_mut()
                .for_each(|item| default(item, &schema["items"]));
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

fn limits(path: &str, value: &Value, schema: &Value, causes: &mut Vec<Cause>) {
    if let Some(known) = schema["enum"].as_array()
        && !known.contains(value)
    {
        let known: Vec<_> = known
            .iter()
            .map(|value| {
                value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_owned)
            })
            .collect();
        causes.push(Cause::unsupported(path, value, &known));
    }
    let invalid =
        |message: String| Cause::invalid(path, value, &format!("{path} in body {message}"));
    if let Some(number) = value.as_f64() {
        if let Some(least) = schema["minimum"].as_f64().filter(|least| number < *least) {
            causes.push(invalid(format!(
                "should be greater than or equal to {least}"
            )));
        }
        if let Some(most) = schema["maximum"].as_f64().filter(|most| number > *most) {
            causes.push(invalid(format!("should be less than or equal to {most}")));
        }
    }
    if let Some(text) = value.as_str() {
        let length = text.chars().count() as u64;
        if let Some(least) = schema["minLength"].as_u64().filter(|least| length < *least) {
            causes.push(invalid(format!("should be at least {least} chars long")));
        }
        if let Some(most) = schema["maxLength"].as_u64().filter(|most| length > *most) {
            causes.push(invalid(format!("should be at most {most} chars long")));
        }
    }
    if let Some(items) = value.as_array() {
        let length = items.len() as u64;
        if let Some(least) = schema["minItems"].as_u64().filter(|least| length < *least) {
            causes.push(invalid(format!("should have at least {least} items")));
        }
    }
}
