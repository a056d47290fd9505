//! Ingresses: served once a load balancer has given an address.

use super::Health;
use super::typed::{Error, Typed};

#[expect(
    clippy::unnecessary_wraps,
    reason = "the judges of all kinds have one shape"
)]
pub(super) fn assess(object: &Typed<'_>) -> Result<Health, Error> {
    let addresses = object
        .object("status")
        .and_then(|status| status.object("loadBalancer"))
        .and_then(|balancer| balancer.list("ingress"));
    // A status of another shape is no address; Argo CD does not fail on it either.
    Ok(match addresses {
        Ok(addresses) if !addresses.is_empty() => Health::healthy(""),
        _ => Health::progressing(""),
    })
}
