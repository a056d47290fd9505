//! Where two states differ.

use serde_json::Value;

use crate::compare::leaf::same_number;
use crate::compare::path::escape;

/// Adds to `out` the JSON pointer of each value that is not the same in both; lists of unequal
/// length differ as a whole.
pub(super) fn differing(one: &Value, other: &Value, at: &mut String, out: &mut Vec<String>) {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            let mut keys: Vec<&String> = one.keys().chain(other.keys()).collect();
            keys.sort();
            keys.dedup();
            for key in keys {
                let length = at.len();
                at.push('/');
                at.push_str(&escape(key));
                match (one.get(key), other.get(key)) {
                    (Some(one), Some(other)) => differing(one, other, at, out),
                    _ => out.push(at.clone()),
                }
                at.truncate(length);
            }
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            for (index, (one, other)) in one.iter().zip(other).enumerate() {
                let length = at.len();
                at.push('/');
                at.push_str(&index.to_string());
                differing(one, other, at, out);
                at.truncate(length);
            }
        }
        (Value::Number(one), Value::Number(other)) if same_number(one, other) => {}
        _ if one == other => {}
        _ => out.push(at.clone()),
    }
}
