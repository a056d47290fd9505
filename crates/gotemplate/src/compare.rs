//! Comparing values by Go's rules: only within a basic kind, integers regardless of their sign.

use crate::containers::Elem;
use crate::error::FuncError;
use crate::fmt::print;
use crate::funcs::Param;
use crate::value::Value;

/// Go's basic kinds, with the value in its widest form.
enum Basic<'a> {
    Bool(bool),
    Complex(f64, f64),
    Int(i64),
    Uint(u64),
    Float(f64),
    Str(&'a str),
}

fn basic(value: &Value) -> Option<Basic<'_>> {
    Some(match value {
        Value::Bool(b) => Basic::Bool(*b),
        Value::Complex(re, im) => Basic::Complex(*re, *im),
        Value::Int(n) | Value::Int64(n) => Basic::Int(*n),
        Value::Uint(n) => Basic::Uint(*n),
        Value::Byte(n) => Basic::Uint(u64::from(*n)),
        Value::Float(f) => Basic::Float(*f),
        Value::Str(s) => Basic::Str(s),
        Value::Opaque(o) => Basic::Int(o.integer()?),
        _ => return None,
    })
}

/// `eq`: whether the first equals any of the others.
pub(crate) fn any_equal(first: &Value, others: &[Value]) -> Result<bool, FuncError> {
    if others.is_empty() {
        return Err(FuncError::new("missing argument for comparison"));
    }
    for other in others {
        if equal(first, other)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn equal(a: &Value, b: &Value) -> Result<bool, FuncError> {
    Ok(match (basic(a), basic(b)) {
        (Some(Basic::Bool(a)), Some(Basic::Bool(b))) => a == b,
        (Some(Basic::Complex(a, b)), Some(Basic::Complex(c, d))) => a == c && b == d,
        (Some(Basic::Int(a)), Some(Basic::Int(b))) => a == b,
        (Some(Basic::Uint(a)), Some(Basic::Uint(b))) => a == b,
        (Some(Basic::Int(a)), Some(Basic::Uint(b)))
        | (Some(Basic::Uint(b)), Some(Basic::Int(a))) => u64::try_from(a).is_ok_and(|a| a == b),
        (Some(Basic::Float(a)), Some(Basic::Float(b))) => a == b,
        (Some(Basic::Str(a)), Some(Basic::Str(b))) => a == b,
        (None, None) => equal_others(a, b)?,
        _ if a.is_nil() || b.is_nil() => false,
        _ => return Err(incompatible(a, b)),
    })
}

/// Equality of what is no basic kind: nil equals nil, lists and maps cannot be compared.
fn equal_others(a: &Value, b: &Value) -> Result<bool, FuncError> {
    if a.is_nil() || b.is_nil() {
        return Ok(a.is_nil() && b.is_nil());
    }
    if a.kind() != b.kind() {
        let (a_text, a_type, b_type, b_text) = (print(a), a.type_name(), b.type_name(), print(b));
        return Err(FuncError::new(format!(
            "non-comparable types {a_text}: {a_type}, {b_type}: {b_text}"
        )));
    }
    match (a, b) {
        (Value::Opaque(a), Value::Opaque(b)) => Ok(a.equals(b.as_ref())),
        _ => Err(FuncError::new(format!(
            "non-comparable type {}: {}",
            print(b),
            b.type_name()
        ))),
    }
}

fn incompatible(a: &Value, b: &Value) -> FuncError {
    FuncError::new(format!(
        "incompatible types for comparison: {} and {}",
        a.type_name(),
        b.type_name()
    ))
}

/// `lt`
pub(crate) fn less(a: &Value, b: &Value) -> Result<bool, FuncError> {
    let invalid = || FuncError::new("invalid type for comparison");
    let (x, y) = (basic(a).ok_or_else(invalid)?, basic(b).ok_or_else(invalid)?);
    Ok(match (x, y) {
        (Basic::Int(a), Basic::Int(b)) => a < b,
        (Basic::Uint(a), Basic::Uint(b)) => a < b,
        (Basic::Int(a), Basic::Uint(b)) => u64::try_from(a).is_ok_and(|a| a < b) || a < 0,
        (Basic::Uint(a), Basic::Int(b)) => u64::try_from(b).is_ok_and(|b| a < b),
        (Basic::Float(a), Basic::Float(b)) => a < b,
        (Basic::Str(a), Basic::Str(b)) => a < b,
        (Basic::Bool(_), Basic::Bool(_)) | (Basic::Complex(..), Basic::Complex(..)) => {
            return Err(invalid());
        }
        _ => return Err(incompatible(a, b)),
    })
}

/// `le`
pub(crate) fn less_or_equal(a: &Value, b: &Value) -> Result<bool, FuncError> {
    Ok(less(a, b)? || equal(a, b)?)
}

/// Whether a value can be given where a type is wanted.
pub(crate) fn assignable(value: &Value, want: Param) -> bool {
    match want {
        Param::Any | Param::Reflect => true,
        Param::Bool => matches!(value, Value::Bool(_)),
        Param::Int => matches!(value, Value::Int(_)),
        Param::Int64 => matches!(value, Value::Int64(_)),
        Param::Float => matches!(value, Value::Float(_)),
        Param::Str => matches!(value, Value::Str(_)),
        Param::List => matches!(value, Value::List(l) if l.elem() == Elem::Any),
        Param::Strings => matches!(value, Value::List(l) if l.elem() == Elem::Str),
        Param::Map => matches!(value, Value::Map(m) if m.elem() == Elem::Any),
        Param::Time | Param::Certificate => value.type_name() == want.type_name(),
    }
}
