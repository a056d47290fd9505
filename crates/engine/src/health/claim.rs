//! PersistentVolumeClaims: their phase says it all.

use super::Health;
use super::typed::{Error, Typed};

pub(super) fn assess(object: &Typed<'_>) -> Result<Health, Error> {
    Ok(match object.object("status")?.text("phase")? {
        "Bound" => Health::healthy(""),
        "Pending" => Health::progressing(""),
        "Lost" => Health::degraded(""),
        _ => Health::unknown(""),
    })
}
