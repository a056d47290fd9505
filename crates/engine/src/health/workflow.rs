//! Argo Workflows: their phase.

use super::Health;
use super::typed::{Error, Typed};

pub(super) fn assess(object: &Typed<'_>) -> Result<Health, Error> {
    let status = object.object("status")?;
    let message = status.text("message")?;
    Ok(match status.text("phase")? {
        "" | "Pending" | "Running" => Health::progressing(message),
        "Succeeded" => Health::healthy(message),
        "Failed" | "Error" => Health::degraded(message),
        _ => Health::unknown(message),
    })
}
