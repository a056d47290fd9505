//! What a sync of an application would change, for a person to read.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;

use argosy_crds::Application;
use argosy_crds::codes::SyncStatusCode;
use argosy_engine::compare::{self, ResourceComparison};
use argosy_engine::ignore::Ignore;
use argosy_engine::object::ResourceKey;
use argosy_engine::overrides::{CompareOptions, Overrides};
use argosy_engine::{schema, secrets};
use serde_json::Value;

use super::assess::{self, ServerSide, assess};
use super::desired::{Desired, desired, in_folder};
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

/// What a sync would change, as far as that can be told.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Differences {
    /// The resources that it would change.
    pub found: Vec<Difference>,
    /// What could not be compared, a kind or a resource, and why; a sentence each.
    pub blind: Vec<String>,
}

/// What is compared with the cluster, and how.
#[derive(Clone, Debug, Default)]
pub struct Against {
    /// This revision of every source, instead of the target revision.
    pub revision: Option<String>,
    /// The content of this folder instead of that of the application's repository.
    pub local: Option<PathBuf>,
    /// A dry run of every object decides, and not only of those that might differ.
    pub server_side: bool,
}

/// Compares an application with its cluster.
///
/// # Errors
/// Why there is nothing to compare.
pub async fn differences(
    hub: &Arc<Hub>,
    name: &ObjectName,
    against: &Against,
) -> Result<Differences, String> {
    let application = application(hub, name)?;
    let observed = observed(hub, name, &application, against).await?;
    let assessment = assess(hub, name, &application, Ok(observed)).await;
    let (Ok(observation), Some(comparison)) = (&assessment.observed, &assessment.comparison) else {
        return Err("nothing could be compared".to_owned());
    };
    if let Some(gap) = observation.live.gap() {
        return Err(format!("live state is not fully known: {gap}"));
    }
    let server_side = ServerSide::of(&application, observation);
    let mut found = Vec::new();
    let judged = comparison.resources.iter();
    for resource in judged.filter(|one| !is_blind(observation, one)) {
        let differs = resource.status == Some(SyncStatusCode::OutOfSync);
        let asked = against.server_side && resource.status.is_some();
        // What another application keeps no sync writes.
        if !differs && !asked || resource.kept_by.is_some() {
            continue;
        }
        let predicted = predicted(observation, resource).await;
        let live = live(observation, resource, predicted.as_ref()).await;
        if asked && !differs {
            let changes = live.as_ref().zip(predicted.clone());
            let changes = changes.map(|(live, predicted)| {
                assess::changes(predicted, live, &assessment.ignore, server_side)
            });
            if changes.is_none_or(|changes| changes.is_empty()) {
                continue;
            }
        }
        let states = (live, predicted);
        found.push(one(observation, &assessment.ignore, resource, states));
    }
    let blind = blind(observation, &comparison.resources);
    Ok(Differences { found, blind })
}

/// Whether nobody can tell what differs of a resource.
fn is_blind(observation: &Observation, resource: &ResourceComparison) -> bool {
    let kind = resource.key.group_kind();
    observation.tainted.contains_key(&kind) || !resource.verdict.flaws.is_empty()
}

/// The kinds that cannot be seen, and the resources for which an ignore rule cannot be used.
fn blind(observation: &Observation, resources: &[ResourceComparison]) -> Vec<String> {
    let kinds = observation.tainted.iter();
    let kinds = kinds.map(|(kind, why)| format!("{}: {why}", kind.shown()));
    let flawed = resources.iter().filter_map(|resource| {
        let flaw = resource.verdict.flaws.first()?;
        Some(format!("{}: {flaw}", resource.key))
    });
    kinds.chain(flawed).collect()
}

/// The application as it is observed, with the manifests that `against` asks for.
pub(super) async fn observed(
    hub: &Arc<Hub>,
    name: &ObjectName,
    application: &Application,
    against: &Against,
) -> Result<Observation, String> {
    let observed = observe(hub, name, application)
        .await
        .map_err(|found| found.message)?;
    let Some(other) = other(hub, name, application, against).await? else {
        return Ok(observed);
    };
    observed
        .with_desired(hub, name, application, other)
        .await
        .map_err(|found| found.message)
}

/// Manifests of another revision or of a folder.
async fn other(
    hub: &Arc<Hub>,
    name: &ObjectName,
    application: &Application,
    against: &Against,
) -> Result<Option<Desired>, String> {
    let sources = application.spec.sources().into_owned();
    let pinned = match &against.revision {
        Some(revision) => vec![revision.clone(); sources.len()],
        None => Vec::new(),
    };
    let other = match &against.local {
        Some(folder) => in_folder(hub, name, application, folder).await,
        None if pinned.is_empty() => return Ok(None),
        None => desired(hub, name, application, &sources, &pinned).await,
    };
    other.map(Some).map_err(|failure| failure.message)
}

/// A resource as it lives, in the version in which it would be written.
async fn live(
    observation: &Observation,
    resource: &ResourceComparison,
    predicted: Option<&Value>,
) -> Option<Value> {
    let live = observation.live.seen()?.get(resource.live?)?;
    let Some(predicted) = predicted else {
        return Some(live.clone());
    };
    let live = assess::in_version_of(observation, resource, predicted, live).await;
    Some(live.into_owned())
}

/// What the server would make of a resource that lives: its defaults are no differences.
async fn predicted(observation: &Observation, resource: &ResourceComparison) -> Option<Value> {
    let (desired, _) = assess::both(observation, resource)?;
    assess::dry_run(observation, resource, desired).await
}

/// An application that can be read.
pub(super) fn application(hub: &Hub, name: &ObjectName) -> Result<Arc<Application>, String> {
    let index = hub.fleet.index();
    match index.applications.get(name).map(|entry| entry.body.clone()) {
        Some(Ok(application)) => Ok(application),
        Some(Err(malformed)) => Err(malformed.why),
        None => Err(format!("there is no application {name}")),
    }
}

fn one(
    observation: &Observation,
    ignore: &Ignore,
    resource: &ResourceComparison,
    (live, predicted): (Option<Value>, Option<Value>),
) -> Difference {
    let desired = resource
        .desired
        .and_then(|at| observation.objects.get(at))
        .cloned();
    let options = observation.settings.overrides.compare_options();
    let bare = |object| bare(object, options);
    let (mut live, mut predicted) = (live.map(bare), predicted.or(desired).map(bare));
    if let (Some(live), Some(predicted)) = (&mut live, &mut predicted) {
        show_ignored_as_equal(ignore, live, predicted);
    }
    let mut states: Vec<_> = live.iter_mut().chain(&mut predicted).collect();
    if states.iter().any(|state| secrets::is_secret(state)) {
        secrets::mask(&mut states, &observation.settings.sensitive_annotations);
    }
    Difference {
        key: resource.key.clone(),
        live,
        predicted,
    }
}

/// Shows what is ignored as it lives on both sides, so that it is no difference.
fn show_ignored_as_equal(ignore: &Ignore, live: &mut Value, predicted: &mut Value) {
    let rules = compare::Rules {
        ignore,
        overrides: &Overrides::default(),
        schema: schema::bundled(),
    };
    if let Ok(Cow::Owned(respected)) = compare::respecting(predicted, live, rules) {
        *predicted = respected;
    }
}

/// Without what the API server keeps for itself, and without a status that no comparison looks at.
fn bare(mut object: Value, options: &CompareOptions) -> Value {
    let without_status = options.ignores_status(&object);
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
    if let Some(object) = object.as_object_mut().filter(|_| without_status) {
        object.remove("status");
    }
    object
}
