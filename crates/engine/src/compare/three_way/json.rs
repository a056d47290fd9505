//! Merging kinds that nothing is known of: maps by key, everything else as a whole.

use serde_json::{Map, Value};

/// What `live` becomes when `desired` is applied. Live fields that `original` lacks are defaults and
/// do not count, within lists too. A field that git dropped is kept.
pub(super) fn predict(original: &Value, desired: &Value, live: &Value) -> Value {
    merged(original, desired, live)
}

fn merged(original: &Value, desired: &Value, live: &Value) -> Value {
    let (Value::Object(desired), Value::Object(present)) = (desired, live) else {
        let known = without_defaults(original, live);
        return if known == *desired {
            live.clone()
        } else {
            pruned(desired)
        };
    };
    let mut out = present.clone();
    for (key, wanted) in desired {
        if wanted.is_null() {
            continue;
        }
        let was = original.get(key).unwrap_or(&Value::Null);
        // Without an original the live field is a default: what git wants takes its place.
        let next = match present.get(key) {
            Some(now) if original.get(key).is_some() => merged(was, wanted, now),
            Some(now) => merged(wanted, wanted, now),
            None => pruned(wanted),
        };
        out.insert(key.clone(), next);
    }
    Value::Object(out)
}

/// `live` without the fields that `original` lacks; surplus items of lists stay.
fn without_defaults(original: &Value, live: &Value) -> Value {
    match (original, live) {
        (Value::Object(original), Value::Object(live)) => Value::Object(
            live.iter()
                .filter_map(|(key, value)| {
                    Some((key.clone(), without_defaults(original.get(key)?, value)))
                })
                .collect(),
        ),
        (Value::Array(original), Value::Array(live)) => Value::Array(
            live.iter()
                .enumerate()
                .map(|(at, value)| {
                    original
                        .get(at)
                        .map_or_else(|| value.clone(), |was| without_defaults(was, value))
                })
                .collect(),
        ),
        _ => live.clone(),
    }
}

/// A merge patch cannot set null within a map.
fn pruned(value: &Value) -> Value {
    match value {
        Value::Object(map) => Value::Object(
            map.iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(key, value)| (key.clone(), pruned(value)))
                .collect::<Map<_, _>>(),
        ),
        other => other.clone(),
    }
}
