//! Go's fmt package over [`Value`].
use crate::value::Value;

/// What `fmt.Sprint` gives for one operand.
pub(crate) fn print(value: &Value) -> String {
    format!("{value:?}")
}
