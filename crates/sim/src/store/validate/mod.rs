//! Whether an object is what its kind allows: custom kinds by their schema, built-in kinds by the
//! rules that users of deployment tools meet.

mod builtin;
mod schema;

use serde_json::Value;

use super::failure::{Cause, Failure};
use crate::registry::Kind;

pub(super) use schema::prune_and_default;

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

/// Refuses fields that a custom kind's schema does not know, where the writer asks for that.
pub(super) fn strict(kind: &Kind, object: &Value, wanted: bool) -> Result<(), Failure> {
    let Some(custom) = kind.custom.as_ref().filter(|_| wanted) else {
        return Ok(());
    };
    let unknown: Vec<_> = schema::unknown(custom, object)
        .iter()
        .map(|path| format!("unknown field {path:?}"))
        .collect();
    if unknown.is_empty() {
        return Ok(());
    }
    Err(Failure::bad_request(format!(
        "{} in version {:?} cannot be handled as a {}: strict decoding error: {}",
        kind.kind,
        kind.version,
        kind.kind,
        unknown.join(", ")
    )))
}

/// Refuses an apply of fields that a custom kind's schema does not know, as typed merging does.
pub(super) fn declared(kind: &Kind, place: (&str, &str), object: &Value) -> Result<(), Failure> {
    let Some(custom) = &kind.custom else {
        return Ok(());
    };
    let unknown: Vec<_> = schema::unknown(custom, object)
        .iter()
        .map(|path| format!(".{path}: field not declared in schema"))
        .collect();
    if unknown.is_empty() {
        return Ok(());
    }
    let (namespace, name) = place;
    Err(Failure::internal(format!(
        "failed to create typed patch object ({namespace}/{name}; {}, Kind={}): {}",
        kind.api_version(),
        kind.kind,
        unknown.join("\n")
    )))
}
