//! Whether an object is what its kind allows: custom kinds by their schema, built-in kinds by the
//! rules that users of deployment tools meet.

mod builtin;
mod declared;
mod limits;
mod schema;

use serde_json::Value;

use super::failure::Cause;
use crate::registry::Kind;

pub(super) use declared::check as declared;
pub(super) use schema::{prune_and_default, unknown};

/// What is wrong with an object by itself.
pub(super) fn new_object(kind: &Kind, object: &Value) -> Vec<Cause> {
    match &kind.custom {
        Some(custom) => schema::check(custom, object),
        None => builtin::check(kind, object),
    }
}

/// What is wrong with a change.
pub(super) fn changed_object(kind: &Kind, old: &Value, new: &Value) -> Vec<Cause> {
    if kind.custom.is_some() {
        Vec::new()
    } else {
        builtin::check_change(kind, old, new)
    }
}
