//! Equality of Applications as a Kubernetes API server sees it: absent and zero are the same.

use serde_json::{Map, Value, json};

/// Compares two lists of Applications regardless of their order.
pub(crate) fn applications(expected: &Value, answer: &Value) -> Result<(), String> {
    let (expected, answer) = (sorted(expected), sorted(answer));
    let names = |list: &[Value]| -> Vec<Value> {
        list.iter()
            .map(|app| app["metadata"]["name"].clone())
            .collect()
    };
    if names(&expected) != names(&answer) {
        return Err(format!(
            "names: {:?} instead of {:?}",
            names(&answer),
            names(&expected)
        ));
    }
    let pairs = expected.iter().zip(&answer);
    pairs
        .enumerate()
        .try_for_each(|(n, (e, a))| equal(e, a, &format!("/{n}")))
}

fn sorted(list: &Value) -> Vec<Value> {
    const METADATA: [&str; 5] = ["name", "namespace", "labels", "annotations", "finalizers"];
    let relevant = |app: &Value| {
        let metadata = app["metadata"].as_object().cloned().unwrap_or_default();
        let mut metadata: Map<String, Value> = metadata
            .into_iter()
            .filter(|(key, _)| METADATA.contains(&key.as_str()))
            .collect();
        metadata.entry("name").or_insert_with(|| json!(""));
        json!({"metadata": metadata, "spec": app["spec"]})
    };
    let mut list: Vec<_> = list
        .as_array()
        .into_iter()
        .flatten()
        .map(relevant)
        .collect();
    list.sort_by_key(|app| (app["metadata"]["name"].to_string(), app.to_string()));
    list
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(entries) => entries.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

fn is_zero(value: &Value) -> bool {
    is_empty(value) || *value == json!(false) || value.as_f64() == Some(0.0)
}

fn equal(expected: &Value, answer: &Value, path: &str) -> Result<(), String> {
    match (expected, answer) {
        (Value::Object(e), Value::Object(a)) => {
            for (key, value) in e {
                match a.get(key) {
                    Some(other) => equal(value, other, &format!("{path}/{key}"))?,
                    None if key != "automated" && is_empty(value) => {}
                    None => return Err(format!("{path}/{key}: missing, expected {value}")),
                }
            }
            let unexpected = a.iter().find(|(key, value)| {
                let counts = ["automated", "enabled"].contains(&key.as_str());
                !e.contains_key(*key) && (counts || !is_zero(value))
            });
            unexpected.map_or(Ok(()), |(key, value)| {
                Err(format!("{path}/{key}: unexpected {value}"))
            })
        }
        (Value::Array(e), Value::Array(a)) if e.len() == a.len() => {
            let mut pairs = e.iter().zip(a).enumerate();
            pairs.try_for_each(|(n, (e, a))| equal(e, a, &format!("{path}/{n}")))
        }
        (e, a) if e == a || (is_empty(e) && is_empty(a)) => Ok(()),
        (Value::Number(e), Value::Number(a)) if e.as_f64() == a.as_f64() => Ok(()),
        (e, a) => Err(format!("{path}: {a} instead of {e}")),
    }
}
