//! Loose conversions: what sprig takes for a number or a text.

use crate::error::FuncError;
use crate::fmt;
use crate::parse::number;
use crate::value::Value;

use super::args::bounded;

/// `int64`; what is no number becomes 0.
#[expect(
    clippy::cast_possible_truncation,
    reason = "floats lose their fraction, as in Go"
)]
pub(super) fn to_int(value: &Value) -> i64 {
    match value {
        Value::Int(n) | Value::Int64(n) => *n,
        Value::Uint(n) => n.cast_signed(),
        Value::Byte(n) => i64::from(*n),
        // Go leaves what does not fit to the processor, which gives the smallest integer.
        Value::Float(f) if f.is_nan() || *f >= 9.223_372_036_854_776e18 => i64::MIN,
        Value::Float(f) => *f as i64,
        Value::Bool(b) => i64::from(*b),
        Value::Str(s) => number::signed(trim_zero_decimal(s)).unwrap_or(0),
        Value::Opaque(o) => o.integer().unwrap_or(0),
        _ => 0,
    }
}

/// `float64`; what is no number becomes 0.
#[expect(clippy::cast_precision_loss, reason = "integers convert as in Go")]
pub(super) fn to_float(value: &Value) -> f64 {
    match value {
        Value::Float(f) => *f,
        Value::Uint(n) => *n as f64,
        Value::Str(s) => parse_float(s).unwrap_or(0.0),
        other => to_int(other) as f64,
    }
}

/// `strconv.ParseFloat` for any text.
fn parse_float(text: &str) -> Option<f64> {
    let unsigned = text
        .strip_prefix(['+', '-'])
        .unwrap_or(text)
        .to_ascii_lowercase();
    let special = match unsigned.as_str() {
        "inf" | "infinity" => f64::INFINITY,
        "nan" => return Some(f64::NAN),
        _ => return number::float(text),
    };
    Some(if text.starts_with('-') {
        -special
    } else {
        special
    })
}

/// `1.00` becomes `1`.
fn trim_zero_decimal(text: &str) -> &str {
    let trimmed = text.trim_end_matches('0');
    match trimmed.strip_suffix('.') {
        Some(whole) if trimmed.len() < text.len() => whole,
        _ => text,
    }
}

/// `toString`
pub(super) fn to_text(value: &Value) -> String {
    fmt::print(value)
}

/// `toStrings`: the elements as texts, less nil; a single value as a list of one.
pub(super) fn to_texts(value: &Value) -> Result<Vec<String>, FuncError> {
    match value {
        Value::List(list) => texts(list.as_slice()),
        other => texts(std::slice::from_ref(other)),
    }
}

/// Values as texts, less nil.
pub(super) fn texts(values: &[Value]) -> Result<Vec<String>, FuncError> {
    let mut texts = Vec::new();
    let mut length = 0;
    for value in values.iter().filter(|value| !value.is_nil()) {
        let text = to_text(value);
        length += text.len();
        bounded(Some(length))?;
        texts.push(text);
    }
    Ok(texts)
}
