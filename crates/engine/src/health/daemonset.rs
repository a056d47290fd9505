//! DaemonSets: updated and available on every node that should have a pod.

use super::Health;
use super::typed::{Error, Typed};

pub(super) fn assess(object: &Typed<'_>) -> Result<Health, Error> {
    let (metadata, spec, status) = (
        object.object("metadata")?,
        object.object("spec")?,
        object.object("status")?,
    );
    let name = metadata.text("name")?;
    let strategy = spec.object("updateStrategy")?.text("type")?;
    let (desired, updated, available) = (
        status.int("desiredNumberScheduled")?,
        status.int("updatedNumberScheduled")?,
        status.int("numberAvailable")?,
    );
    if metadata.int("generation")? > status.int("observedGeneration")? {
        return Ok(Health::progressing(
            "Waiting for rollout to finish: observed daemon set generation less than desired generation",
        ));
    }
    Ok(if strategy == "OnDelete" {
        Health::healthy(format!(
            "daemon set {updated} out of {desired} new pods have been updated"
        ))
    } else if updated < desired {
        Health::progressing(format!(
            "Waiting for daemon set \"{name}\" rollout to finish: {updated} out of {desired} new pods have been updated..."
        ))
    } else if available < desired {
        Health::progressing(format!(
            "Waiting for daemon set \"{name}\" rollout to finish: {available} of {desired} updated pods are available..."
        ))
    } else {
        Health::healthy("")
    })
}
