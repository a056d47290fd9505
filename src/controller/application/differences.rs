//! What a sync of an application would change, for a person to read.

use std::sync::Arc;

use argosy_crds::codes::SyncStatusCode;
use argosy_engine::compare::ResourceComparison;
use argosy_engine::object::ResourceKey;
use argosy_engine::secrets;
use serde_json::Value;

use super::assess::{self, assess};
use super::desired::desired;
use super::observe::{Observation, observe};
use crate::fleet::ObjectName;
use crate::hub::Hub;

/// One resource that a sync would change. Secret values are masked, such that equal ones look
/// equal.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// The resource.
    pub key: ResourceKey,
    /// As it lives; `None` if it does not.
    pub live: Option<Value>,
    /// As it would live; `None` if it would be pruned.
    pub predicted: Option<Value>,
}

/// Compares an application with its cluster, at `revision` where it is not empty.
///
/// # Errors
/// Why there is nothing to compare.
pub async fn differences(
    hub: &Arc<Hub>,
    name: &ObjectName,
    revision: &str,
) -> Result<Vec<Difference>, String> {
    let application = {
        let index = hub.fleet.index();
        match index.applications.get(name).map(|entry| entry.body.clone()) {
            Some(Ok(application)) => application,
            Some(Err(malformed)) => return Err(malformed.why),
            None => return Err(format!("there is no application {name}")),
        }
    };
    let mut observed = observe(hub, name, &application)
        .await
        .map_err(|found| found.message)?;
    if !revision.is_empty() {
        let sources = application.spec.sources().into_owned();
        let pinned = vec![revision.to_owned(); sources.len()];
        let other = desired(hub, name, &application, &sources, &pinned)
            .await
            .map_err(|failure| failure.message)?;
        observed = observed
            .with_desired(hub, name, &application, other)
            .await
            .map_err(|found| found.message)?;
    }
    let assessment = assess(hub, name, &application, Ok(observed)).await;
    let (Ok(observation), Some(comparison)) = (&assessment.observed, &assessment.comparison) else {
        return Err("nothing could be compared".to_owned());
    };
    if let Some(gap) = observation.live.gap() {
        return Err(format!("live state is not fully known: {gap}"));
    }
    let mut found = Vec::new();
    for resource in &comparison.resources {
        if resource.status == Some(SyncStatusCode::OutOfSync) {
            found.push(one(observation, resource).await);
        }
    }
    Ok(found)
}

async fn one(observation: &Observation, resource: &ResourceComparison) -> Difference {
    let live = resource
        .live
        .and_then(|at| observation.live.seen()?.get(at))
        .cloned();
    let desired = resource
        .desired
        .and_then(|at| observation.objects.get(at))
        .cloned();
    let predicted = match (&desired, &live) {
        // What a server makes of it: its defaults are no differences.
        (Some(desired), Some(_)) => assess::dry_run(observation, resource, desired).await,
        _ => None,
    };
    let (mut live, mut predicted) = (live.map(bare), predicted.or(desired).map(bare));
    let mut states: Vec<_> = live.iter_mut().chain(&mut predicted).collect();
    if states.iter().any(|state| secrets::is_secret(state)) {
        secrets::mask(&mut states, &[]);
    }
    Difference {
        key: resource.key.clone(),
        live,
        predicted,
    }
}

/// Without what the API server keeps for itself.
fn bare(mut object: Value) -> Value {
    if let Some(metadata) = object["metadata"].as_object_mut() {
        for field in [
            "managedFields",
            "resourceVersion",
            "generation",
            "uid",
            "creationTimestamp",
        ] {
            metadata.remove(field);
        }
    }
    if let Some(object) = object.as_object_mut() {
        object.remove("status");
    }
    object
}
