//! Reads and prints numbers as Go's strconv does. Never accepts Rust's own forms, such as `inf`.

use std::{
    fmt::{Display, LowerExp},
    str::FromStr,
};

use serde_json::{Number, Value};

use crate::scalar::Scalar;

/// An integer in any base that Go knows by its prefix, else a decimal float. Underscores must be gone.
pub(crate) fn number(text: &str) -> Option<Scalar> {
    if let Some(integer) = integer(text) {
        return Some(integer);
    }
    if is_decimal_float(text)
        && let Some(float) = finite(text)
    {
        return Some(Scalar::Float(float));
    }
    // A binary number may have its sign after the prefix.
    let bits = text.strip_prefix("0b")?;
    i64::from_str_radix(bits, 2).ok().map(Scalar::Int)
}

fn integer(text: &str) -> Option<Scalar> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (base, digits) = match unsigned.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &unsigned[2..]),
        [b'0', b'o' | b'O', ..] => (8, &unsigned[2..]),
        [b'0', b'b' | b'B', ..] => (2, &unsigned[2..]),
        [b'0', _, ..] => (8, &unsigned[1..]),
        _ => (10, unsigned),
    };
    if digits.starts_with(['+', '-']) {
        return None;
    }
    let size = u64::from_str_radix(digits, base).ok()?;
    if text.starts_with('-') {
        return 0_i64.checked_sub_unsigned(size).map(Scalar::Int);
    }
    match i64::try_from(size) {
        Ok(int) => Some(Scalar::Int(int)),
        Err(_) if text.starts_with('+') => None,
        Err(_) => Some(Scalar::Uint(size)),
    }
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
fn is_decimal_float(text: &str) -> bool {
    let text = text.strip_prefix(['+', '-']).unwrap_or(text);
    let all_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let exponent_fits = exponent.is_none_or(|exponent| {
        let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        !digits.is_empty() && all_digits(digits)
    });
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    let some_digits = !whole.is_empty() || !fraction.is_empty();
    exponent_fits && some_digits && all_digits(whole) && all_digits(fraction)
}

/// A float that starts with a dot; underscores may stand between digits.
pub(crate) fn float(text: &str) -> Option<f64> {
    let bytes = text.as_bytes();
    let separated = bytes.iter().enumerate().all(|(index, &byte)| {
        let digit_at = |index: usize| bytes.get(index).is_some_and(u8::is_ascii_digit);
        byte != b'_' || (index > 0 && digit_at(index - 1) && digit_at(index + 1))
    });
    let plain = text.replace('_', "");
    if separated && is_decimal_float(&plain) {
        finite(&plain)
    } else {
        None
    }
}

fn finite(text: &str) -> Option<f64> {
    text.parse().ok().filter(|float: &f64| float.is_finite())
}

/// A float as it stands in JSON: integral ones are integers there. `None` for infinities and what is no number.
pub(crate) fn json(float: f64) -> Option<Value> {
    if !float.is_finite() {
        return None;
    }
    if float == 0.0 && float.is_sign_negative() {
        return Number::from_f64(float).map(Value::Number);
    }
    let digits = float.to_string();
    if let Ok(int) = digits.parse::<i64>() {
        return Some(Value::from(int));
    }
    if let Ok(int) = digits.parse::<u64>() {
        return Some(Value::from(int));
    }
    Number::from_f64(float).map(Value::Number)
}

/// Prints a float as Go's `FormatFloat(f, 'g', -1, 32)`, the form that mapping keys get.
pub(crate) fn short(float: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "keys lose this precision in Kubernetes"
    )]
    let float = float as f32;
    special(f64::from(float)).unwrap_or_else(|| general(&float))
}

/// Prints a float as Go's `FormatFloat(f, 'g', -1, 64)`, the form that values get in YAML.
pub(crate) fn long(float: f64) -> String {
    special(float).unwrap_or_else(|| general(&float))
}

fn special(float: f64) -> Option<String> {
    if float.is_nan() {
        return Some(".nan".to_owned());
    }
    float
        .is_infinite()
        .then(|| if float > 0.0 { ".inf" } else { "-.inf" }.to_owned())
}

/// The fewest digits that give the float back, with an exponent below -4 and from 6 on.
fn general<F: Display + LowerExp + FromStr + PartialEq>(float: &F) -> String {
    let shortest = format!("{float:e}");
    let digits = shortest
        .bytes()
        .take_while(|&b| b != b'e')
        .filter(u8::is_ascii_digit)
        .count();
    // Where two such numbers are equally near Go takes the even one, as exact printing does.
    let exact = format!("{float:.*e}", digits.saturating_sub(1));
    let even = exact.parse().is_ok_and(|even: F| even == *float);
    let scientific = if even { exact } else { shortest };
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..6).contains(&exponent) {
        return float.to_string();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.unsigned_abs())
}
