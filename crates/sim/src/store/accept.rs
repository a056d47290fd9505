//! Taking in what a client wrote: its types, unknown fields and defaults. The one place that every
//! object passes on its way in.

use serde_json::Value;

use super::defaults::defaulted;
use super::failure::{Cause, Failure};
use super::{typed, validate};
use crate::registry::Kind;

/// Brings an object in its kind's form and fills in what was left out.
pub(super) fn accept(kind: &Kind, object: &mut Value, strict: bool) -> Result<(), Failure> {
    read(kind, object, strict).map_err(|told| {
        Failure::bad_request(format!(
            "{} in version {:?} cannot be handled as a {}: {told}",
            kind.kind, kind.version, kind.kind
        ))
    })
}

/// The same for an object that a patch made: it is the patch that is wrong then.
pub(super) fn accept_patched(kind: &Kind, object: &mut Value, strict: bool) -> Result<(), Failure> {
    let given = object.clone();
    read(kind, object, strict).map_err(|told| {
        let cause = Cause::invalid("patch", &given.to_string().into(), &told);
        Failure::nameless(&cause)
    })
}

fn read(kind: &Kind, object: &mut Value, strict: bool) -> Result<(), String> {
    let unknown = if let Some(custom) = &kind.custom {
        let unknown = if strict {
            validate::unknown(custom, object)
        } else {
            Vec::new()
        };
        if let Some(metadata) = object.get_mut("metadata") {
            typed::decode(metadata, kind.schema.field("metadata"))?;
        }
        unknown
    } else {
        typed::decode(object, &kind.schema)?
    };
    if strict && !unknown.is_empty() {
        let told: Vec<_> = unknown
            .iter()
            .map(|path| format!("unknown field {path:?}"))
            .collect();
        return Err(format!("strict decoding error: {}", told.join(", ")));
    }
    defaulted(kind, object);
    Ok(())
}
