//! Lays a generator's template over the set's.

use serde_json::Value;

/// Fills what is empty in `over` from `base`: maps key by key, everything else as a whole. Zero,
/// `false`, the empty text and the empty list are empty, so they never override.
pub(crate) fn fill(over: &mut Value, base: Value) {
    match (over, base) {
        (Value::Object(over), Value::Object(base)) => {
            for (key, value) in base {
                match over.get_mut(&key) {
                    // Free-form values are one value.
                    Some(existing) if key == "valuesObject" && !existing.is_null() => {}
                    Some(existing) => fill(existing, value),
                    None => {
                        over.insert(key, value);
                    }
                }
            }
        }
        (over, base) if is_empty(over) => *over = base,
        _ => {}
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(b) => !b,
        Value::Number(n) => n.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_generator_wins_where_it_says_something() {
        let mut over = json!({"name": "g", "labels": {"a": "g"}, "list": ["g"], "prune": false, "automated": {}});
        fill(
            &mut over,
            json!({"name": "b", "labels": {"a": "b", "c": "b"}, "list": ["b", "b"], "prune": true, "automated": {"x": true}}),
        );
        assert_eq!(
            over,
            json!({"name": "g", "labels": {"a": "g", "c": "b"}, "list": ["g"], "prune": true, "automated": {"x": true}})
        );
    }
}
