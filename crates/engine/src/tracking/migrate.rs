//! Changing the tracking method without a difference on every object.

use serde_json::Value;

use super::{Identity, Method, Tracking};
use crate::object::{ObjectExt, names};

/// The annotation that a live object would have, had it been marked by the method in use. It is for
/// comparing only: an object that carries only the label of an earlier method is not different for
/// it. `None` where there is nothing to add.
pub fn virtual_annotation(tracking: &Tracking, live: &Value, desired: &Value) -> Option<Identity> {
    if tracking.method == Method::Label || live.is_crd() {
        return None;
    }
    if live.annotation(names::TRACKING_ID).is_some() {
        return None;
    }
    let label = live.label(&tracking.label_key)?;
    let wanted: Identity = desired.annotation(names::TRACKING_ID)?.parse().ok()?;
    let same = label == wanted.application || label == super::label_value(&wanted.application);
    same.then_some(wanted)
}
