//! Defaults and choices.

use crate::funcs::FuncMap;
use crate::value::Value;

use super::args::{Answer, any};

pub(super) fn register(m: &mut FuncMap) {
    m.add("default", "any,any...", |a| {
        let given = any(a, 1);
        Ok(if empty(given) {
            any(a, 0).clone()
        } else {
            given.clone()
        })
    });
    m.add("empty", "any", |a| Ok(empty(any(a, 0)).into()));
    m.add("coalesce", "any...", |a| {
        Ok(a.iter().find(|v| !empty(v)).cloned().unwrap_or(Value::Nil))
    });
    m.add("all", "any...", |a| Ok(a.iter().all(|v| !empty(v)).into()));
    m.add("any", "any...", |a| Ok(a.iter().any(|v| !empty(v)).into()));
    m.add("ternary", "any,any,bool", ternary);
}

/// What counts as empty: nil, false, zero, and what has no elements.
pub(super) fn empty(value: &Value) -> bool {
    !value.is_true()
}

fn ternary(args: &[Value]) -> Answer {
    Ok(any(args, usize::from(!any(args, 2).is_true())).clone())
}
