//! ReplicaSets: no failure to create pods, and enough of them available.

use super::Health;
use super::typed::{Error, Typed};

pub(super) fn assess(object: &Typed<'_>) -> Result<Health, Error> {
    let (metadata, spec, status) = (
        object.object("metadata")?,
        object.object("spec")?,
        object.object("status")?,
    );
    let wanted = spec.optional_int("replicas")?;
    let available = status.int("availableReplicas")?;
    let conditions = object.conditions()?;
    if metadata.int("generation")? > status.int("observedGeneration")? {
        return Ok(Health::progressing(
            "Waiting for rollout to finish: observed replica set generation less than desired generation",
        ));
    }
    let failure = conditions.iter().find(|one| one.kind == "ReplicaFailure");
    if let Some(failure) = failure
        && failure.status == "True"
    {
        return Ok(Health::degraded(failure.message));
    }
    Ok(match wanted {
        Some(wanted) if available < wanted => Health::progressing(format!(
            "Waiting for rollout to finish: {available} out of {wanted} new replicas are available..."
        )),
        _ => Health::healthy(""),
    })
}
