//! Deployments: observed, rolled out, old pods gone, new pods available, in that order.

use super::Health;
use super::typed::{Error, Typed};

pub(super) fn assess(object: &Typed<'_>) -> Result<Health, Error> {
    let (metadata, spec, status) = (
        object.object("metadata")?,
        object.object("spec")?,
        object.object("status")?,
    );
    let wanted = spec.optional_int("replicas")?;
    let paused = spec.flag("paused")?;
    let (all, updated, available) = (
        status.int("replicas")?,
        status.int("updatedReplicas")?,
        status.int("availableReplicas")?,
    );
    let conditions = object.conditions()?;
    if paused {
        return Ok(Health::suspended("Deployment is paused"));
    }
    if metadata.int("generation")? > status.int("observedGeneration")? {
        return Ok(Health::progressing(
            "Waiting for rollout to finish: observed deployment generation less than desired generation",
        ));
    }
    let late = conditions
        .iter()
        .find(|one| one.kind == "Progressing")
        .is_some_and(|one| one.reason == "ProgressDeadlineExceeded");
    if late {
        let name = metadata.text("name")?;
        return Ok(Health::degraded(format!(
            "Deployment \"{name}\" exceeded its progress deadline"
        )));
    }
    Ok(match wanted {
        Some(wanted) if updated < wanted => Health::progressing(format!(
            "Waiting for rollout to finish: {updated} out of {wanted} new replicas have been updated..."
        )),
        _ if all > updated => Health::progressing(format!(
            "Waiting for rollout to finish: {} old replicas are pending termination...",
            all - updated
        )),
        _ if available < updated => Health::progressing(format!(
            "Waiting for rollout to finish: {available} of {updated} updated replicas are available..."
        )),
        _ => Health::healthy(""),
    })
}
