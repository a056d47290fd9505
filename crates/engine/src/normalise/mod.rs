//! One spelling for what Kubernetes takes to be the same.
//!
//! Both faces of the comparison begin here. Normalising twice changes nothing, and nothing here
//! knows which side an object is.

pub mod defaults;
mod duration;
pub mod quantity;
pub mod remarshal;

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use crate::object::ObjectExt;
use crate::overrides::{CompareOptions, KnownTypeField};
use crate::schema::{Type, bundled};

/// Folds what some kinds can say in two ways into one: a Secret's stringData, empty rules of
/// roles, the default protocol of Endpoints. Other objects are passed through uncopied.
pub fn object<'a>(object: &'a Value, options: &CompareOptions) -> Cow<'a, Value> {
    let mut object = Cow::Borrowed(object);
    match (object.group(), object.kind()) {
        ("", "Secret") => secret(&mut object),
        ("", "Endpoints") => endpoints(object.to_mut()),
        ("rbac.authorization.k8s.io", "Role" | "ClusterRole") => role(object.to_mut(), options),
        _ => {}
    }
    object
}

/// An object as it is written: a Secret's stringData is folded into its data, because the API server
/// keeps no record of who owns what came as stringData, and what git drops of it would stay.
pub fn written(object: &Value) -> Cow<'_, Value> {
    let mut object = Cow::Borrowed(object);
    if (object.group(), object.kind()) == ("", "Secret") && object.get("stringData").is_some() {
        secret(&mut object);
    }
    object
}

fn secret(object: &mut Cow<'_, Value>) {
    let has_plain = object.get("stringData").is_some_and(Value::is_object);
    let has_null = object
        .get("data")
        .and_then(Value::as_object)
        .is_some_and(|data| data.values().any(Value::is_null));
    if !has_plain && !has_null {
        return;
    }
    let Value::Object(map) = object.to_mut() else {
        return;
    };
    let plain = match map.remove("stringData") {
        Some(Value::Object(plain)) => plain,
        _ => Map::new(),
    };
    let data = map
        .entry("data")
        .or_insert_with(|| Value::Object(Map::new()));
    if data.is_null() {
        *data = Value::Object(Map::new());
    }
    let Value::Object(data) = data else {
        return;
    };
    for (key, value) in plain {
        // What is no string stays as it is, so that the API server refuses the Secret.
        let value = match value {
            Value::String(text) => Value::String(STANDARD.encode(text)),
            other => other,
        };
        data.insert(key, value);
    }
    for value in data.values_mut().filter(|value| value.is_null()) {
        *value = Value::String(String::new());
    }
}

fn role(object: &mut Value, options: &CompareOptions) {
    let aggregated = options.ignore_aggregated_roles
        && object.kind() == "ClusterRole"
        && object
            .get("aggregationRule")
            .is_some_and(|rule| !rule.is_null());
    let Value::Object(map) = object else {
        return;
    };
    // The API server keeps no rules as null or as an empty list, however they were written.
    if aggregated || map.get("rules").is_some_and(Value::is_null) {
        map.insert("rules".to_owned(), Value::Array(Vec::new()));
    }
}

fn endpoints(object: &mut Value) {
    let Some(Value::Array(subsets)) = object.get_mut("subsets") else {
        return;
    };
    for subset in subsets {
        if let Some(Value::Array(ports)) = subset.get_mut("ports") {
            for port in &mut *ports {
                if let Value::Object(port) = port {
                    port.entry("protocol").or_insert_with(|| "TCP".into());
                }
            }
            ports.sort_by_key(sort_key);
        }
        if let Some(Value::Array(addresses)) = subset.get_mut("addresses") {
            addresses.sort_by_key(sort_key);
        }
    }
}

fn sort_key(value: &Value) -> String {
    value.to_string()
}

/// Writes whole floats as integers, as Go's JSON does.
pub fn numbers(value: &mut Value) {
    match value {
        Value::Number(number) => {
            if let Some(float) = number.as_f64().filter(|_| number.is_f64())
                && float.fract() == 0.0
                && float.abs() < 1e15
            {
                #[expect(
                    clippy::cast_possible_truncation,
                    reason = "the float is whole and small"
                )]
                let whole = float as i64;
                *value = Value::from(whole);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(numbers),
        Value::Object(map) => map.values_mut().for_each(numbers),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

/// Rewrites the named fields of well-known types in their canonical spelling; what cannot be read
/// as its type stays.
pub fn known_types(object: &mut Value, fields: &[KnownTypeField]) {
    if object.group() == "argoproj.io" && object.kind() == "Rollout" {
        visit(object, &["spec", "template", "spec"], &|value| {
            rewrite(value, "core/v1/PodSpec");
        });
    }
    for field in fields {
        let way: Vec<&str> = field.field.split('.').collect();
        visit(object, &way, &|value| rewrite(value, &field.of));
    }
}

fn visit(value: &mut Value, way: &[&str], rewrite: &dyn Fn(&mut Value)) {
    match (value, way.split_first()) {
        (value, None) => rewrite(value),
        (Value::Object(map), Some((key, rest))) => {
            if let Some(next) = map.get_mut(*key) {
                visit(next, rest, rewrite);
            }
        }
        (Value::Array(items), Some(_)) => {
            for item in items {
                visit(item, way, rewrite);
            }
        }
        _ => {}
    }
}

fn rewrite(value: &mut Value, of: &str) {
    let structure = of
        .strip_prefix("core/v1/")
        .and_then(|name| bundled().named(&format!("core.v1.{name}")));
    if let Some(at) = structure {
        remarshal::canonical(value, bundled(), &Type::Struct(at));
        return;
    }
    let canonical = match (of, &*value) {
        ("core/Quantity", Value::String(text)) => quantity::canonical(text),
        ("core/Quantity", Value::Number(number)) => quantity::canonical(&number.to_string()),
        ("meta/v1/Duration", Value::String(text)) => duration::canonical(text),
        _ => None,
    };
    if let Some(text) = canonical {
        *value = Value::String(text);
    }
}
