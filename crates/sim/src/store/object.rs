//! Reading and writing the parts of an object that every kind has.

use jiff::Timestamp;
use serde_json::{Map, Value};

/// The value at a path, `None` where any part of it is missing or null.
pub(crate) fn at<'a>(value: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter()
        .try_fold(value, |value, key| value.get(key))
        .filter(|value| !value.is_null())
}

/// The text at a path, empty where there is none.
pub(crate) fn get_text<'a>(value: &'a Value, path: &[&str]) -> &'a str {
    at(value, path).and_then(Value::as_str).unwrap_or_default()
}

pub(crate) fn name_of(object: &Value) -> &str {
    get_text(object, &["metadata", "name"])
}

pub(crate) fn namespace_of(object: &Value) -> &str {
    get_text(object, &["metadata", "namespace"])
}

pub(super) fn uid_of(object: &Value) -> &str {
    get_text(object, &["metadata", "uid"])
}

pub(super) fn version_of(object: &Value) -> u64 {
    get_text(object, &["metadata", "resourceVersion"])
        .parse()
        .unwrap_or(0)
}

pub(super) fn is_deleting(object: &Value) -> bool {
    at(object, &["metadata", "deletionTimestamp"]).is_some()
}

pub(super) fn finalizers(object: &Value) -> Vec<&str> {
    let list = at(object, &["metadata", "finalizers"]).and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}

/// The metadata map, made where it is missing or not a map.
pub(super) fn metadata(object: &mut Value) -> &mut Map<String, Value> {
    child(object, "metadata")
}

/// The map under `key`, made where it is missing or not a map.
pub(super) fn child<'a>(object: &'a mut Value, key: &str) -> &'a mut Map<String, Value> {
    let map = map_of(object);
    let value = map.entry(key).or_insert_with(|| Value::Object(Map::new()));
    map_of(value)
}

pub(super) fn map_of(value: &mut Value) -> &mut Map<String, Value> {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    value.as_object_mut().expect("it was just made an object")
}

/// RFC 3339 in whole seconds, as Kubernetes writes times.
pub(crate) fn seconds(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
