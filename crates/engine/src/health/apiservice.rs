//! APIServices: the condition Available, with its reason.

use super::Health;
use super::typed::{Error, Typed};

pub(super) fn assess(object: &Typed<'_>) -> Result<Health, Error> {
    let conditions = object.conditions()?;
    let Some(available) = conditions.iter().find(|one| one.kind == "Available") else {
        return Ok(Health::progressing("Waiting to be processed"));
    };
    let message = format!("{}: {}", available.reason, available.message);
    Ok(if available.status == "True" {
        Health::healthy(message)
    } else {
        Health::progressing(message)
    })
}
