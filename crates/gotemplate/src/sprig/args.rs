//! Reading arguments whose types have been checked, and bounds on what functions may produce.

use crate::containers::Map;
use crate::error::FuncError;
use crate::fmt::MAX_TEXT;
use crate::value::Value;

pub(super) type Answer = Result<Value, FuncError>;

/// No function gives a longer list than this.
const MAX_ITEMS: usize = 1_000_000;

pub(super) fn fail<T>(message: impl Into<String>) -> Result<T, FuncError> {
    Err(FuncError::new(message))
}

pub(super) fn any(args: &[Value], i: usize) -> &Value {
    args.get(i).unwrap_or(&Value::Nil)
}

pub(super) fn text(args: &[Value], i: usize) -> &str {
    any(args, i).as_str().unwrap_or_default()
}

pub(super) fn int(args: &[Value], i: usize) -> i64 {
    match any(args, i) {
        Value::Int(n) | Value::Int64(n) => *n,
        _ => 0,
    }
}

/// A map, unless it is nil.
pub(super) fn map(args: &[Value], i: usize) -> Option<&Map> {
    match any(args, i) {
        Value::Map(m) => Some(m),
        _ => None,
    }
}

/// The elements of a list.
pub(super) fn items<'a>(value: &'a Value, doing: &str) -> Result<&'a [Value], FuncError> {
    match value {
        Value::List(list) => Ok(list.as_slice()),
        other => fail(format!("Cannot {doing} type {}", other.kind())),
    }
}

/// Refuses texts that would be too long.
pub(super) fn bounded(len: Option<usize>) -> Result<(), FuncError> {
    match len {
        Some(len) if len <= MAX_TEXT => Ok(()),
        _ => Err(FuncError::limit(format!(
            "the result would be longer than {MAX_TEXT} bytes"
        ))),
    }
}

/// Refuses lists that would be too long.
pub(super) fn bounded_items(len: usize) -> Result<(), FuncError> {
    if len <= MAX_ITEMS {
        return Ok(());
    }
    Err(FuncError::limit(format!(
        "the result has more than {MAX_ITEMS} elements"
    )))
}

/// A count that must not be negative.
pub(super) fn count(n: i64) -> Result<usize, FuncError> {
    usize::try_from(n).or_else(|_| fail(format!("{n} is negative")))
}
