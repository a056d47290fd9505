//! Whether two single values are the same to the API server.

use jiff::Timestamp;
use serde_json::{Number, Value};

use crate::normalise::quantity;
use crate::schema::Type;

/// Compares two values that are neither lists nor objects.
pub(super) fn same(of: &Type, desired: &Value, live: &Value) -> bool {
    if desired == live {
        return true;
    }
    match (of, desired, live) {
        (Type::Quantity, _, _) => match (amount(desired), amount(live)) {
            (Some(one), Some(other)) => quantity::same(&one, &other),
            _ => false,
        },
        (Type::Time, Value::String(one), Value::String(other)) => {
            match (one.parse::<Timestamp>(), other.parse::<Timestamp>()) {
                (Ok(one), Ok(other)) => one == other,
                _ => false,
            }
        }
        (Type::Bytes, Value::String(one), Value::String(other)) => {
            let significant = |c: &char| !matches!(c, '\r' | '\n');
            one.chars()
                .filter(significant)
                .eq(other.chars().filter(significant))
        }
        (_, Value::Number(one), Value::Number(other)) => same_number(one, other),
        _ => false,
    }
}

fn amount(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Numbers are equal by value: `1` and `1.0` are one number in JSON.
pub(super) fn same_number(one: &Number, other: &Number) -> bool {
    match (one.as_i64(), other.as_i64()) {
        (Some(one), Some(other)) => one == other,
        _ => one.as_f64() == other.as_f64(),
    }
}
