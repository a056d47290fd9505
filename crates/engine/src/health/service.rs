//! Services: only a load balancer has something to wait for.

use super::Health;
use super::typed::{Error, Typed};

pub(super) fn assess(object: &Typed<'_>) -> Result<Health, Error> {
    let balanced = object.object("spec")?.text("type")? == "LoadBalancer";
    let addresses = object
        .object("status")?
        .object("loadBalancer")?
        .list("ingress")?;
    Ok(if balanced && addresses.is_empty() {
        Health::progressing("")
    } else {
        Health::healthy("")
    })
}
