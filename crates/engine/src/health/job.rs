//! Jobs: a condition's type decides, whatever its status says.

use super::Health;
use super::typed::{Error, Typed};

pub(super) fn assess(object: &Typed<'_>) -> Result<Health, Error> {
    let mut ended = false;
    let mut failure = None;
    let mut suspended = false;
    let mut message = "";
    for condition in object.conditions()? {
        match condition.kind {
            "Failed" => {
                ended = true;
                failure = Some(condition.message);
            }
            "Complete" => {
                ended = true;
                message = condition.message;
            }
            "Suspended" => {
                ended = true;
                message = condition.message;
                suspended |= condition.status == "True";
            }
            _ => {}
        }
    }
    Ok(match failure {
        _ if !ended => Health::progressing(message),
        Some(why) => Health::degraded(why),
        // Argo CD reports the (empty) failure text of a suspended Job, not the condition's.
        None if suspended => Health::suspended(""),
        None => Health::healthy(message),
    })
}
