//! StatefulSets: ready pods first, then the roll-out by its strategy.

use super::Health;
use super::typed::{Error, Typed};

pub(super) fn assess(object: &Typed<'_>) -> Result<Health, Error> {
    let (metadata, spec, status) = (
        object.object("metadata")?,
        object.object("spec")?,
        object.object("status")?,
    );
    let wanted = spec.optional_int("replicas")?;
    let strategy = spec.object("updateStrategy")?;
    let kind = strategy.text("type")?;
    let rolling = strategy.object("rollingUpdate")?;
    let partition = rolling.optional_int("partition")?;
    let (ready, updated, current) = (
        status.int("readyReplicas")?,
        status.int("updatedReplicas")?,
        status.int("currentReplicas")?,
    );
    let (from, to) = (
        status.text("currentRevision")?,
        status.text("updateRevision")?,
    );
    let observed = status.int("observedGeneration")?;
    if observed == 0 || metadata.int("generation")? > observed {
        return Ok(Health::progressing(
            "Waiting for statefulset spec update to be observed...",
        ));
    }
    if let Some(wanted) = wanted
        && ready < wanted
    {
        return Ok(Health::progressing(format!(
            "Waiting for {} pods to be ready...",
            wanted - ready
        )));
    }
    if kind == "RollingUpdate" && rolling.is_set() {
        if let (Some(wanted), Some(partition)) = (wanted, partition)
            && updated < wanted - partition
        {
            return Ok(Health::progressing(format!(
                "Waiting for partitioned roll out to finish: {updated} out of {} new pods have been updated...",
                wanted - partition
            )));
        }
        return Ok(Health::healthy(format!(
            "partitioned roll out complete: {updated} new pods have been updated..."
        )));
    }
    Ok(if kind == "OnDelete" {
        Health::healthy(format!("statefulset has {ready} ready pods"))
    } else if from == to {
        Health::healthy(format!(
            "statefulset rolling update complete {current} pods at revision {from}..."
        ))
    } else {
        Health::progressing(format!(
            "waiting for statefulset rolling update to complete {updated} pods at revision {to}..."
        ))
    })
}
