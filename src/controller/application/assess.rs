//! What an observation means: the comparison, the health, the conditions.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use argosy_crds::Application;
use argosy_crds::application::{HealthStatus as HealthField, ResourceStatus};
use argosy_crds::codes::{HealthStatusCode, SyncStatusCode, condition};
use argosy_engine::compare::{self, Comparison, Owner, ResourceComparison};
use argosy_engine::health::{self, Health, HealthStatus, Member};
use argosy_engine::ignore::Ignore;
use argosy_engine::object::{GroupKind, ObjectExt as _, names};
use argosy_engine::operation::pause_of;
use argosy_engine::schema;
use jiff::Timestamp;
use serde_json::Value;

use super::dependencies;
use super::memory::Settled;
use super::observe::{Observation, Obstacle};
use crate::executor::{ApplyOptions, Place};
use crate::fleet::ObjectName;
use crate::hub::Hub;

/// What is known of an application, judged.
pub(super) struct Assessment {
    /// The API server, empty where the destination leads to none.
    pub(super) server: String,
    /// What was observed, or what stood in the way.
    pub(super) observed: Result<Observation, Obstacle>,
    /// What differs; `None` when there is nothing to compare.
    pub(super) comparison: Option<Comparison>,
    /// Every resource, as the status lists them.
    pub(super) resources: Vec<ResourceStatus>,
    /// The health of the whole.
    pub(super) health: Health,
    /// What to tell: condition types and messages.
    pub(super) conditions: Vec<(&'static str, String)>,
}

impl Assessment {
    /// Whether live state and git agree.
    pub(super) fn sync_status(&self) -> SyncStatusCode {
        self.comparison
            .as_ref()
            .map_or(SyncStatusCode::Unknown, |comparison| comparison.status)
    }
}

/// Judges an observation.
pub(super) async fn assess(
    hub: &Arc<Hub>,
    name: &ObjectName,
    application: &Application,
    observed: Result<Observation, Obstacle>,
) -> Assessment {
    let paused =
        pause_of(application, hub.clock.now()).map(|pause| (condition::PAUSED, pause.message()));
    let observation = match observed {
        Ok(observation) => observation,
        Err(obstacle) => return obstructed(obstacle, paused),
    };
    let (mut comparison, mut conditions) = compare(hub, name, application, &observation);
    conditions.extend(paused);
    confirm(hub, name, application, &observation, &mut comparison).await;
    let healths = healths(&observation);
    let resources = resources(&observation, &comparison, &healths);
    let health = overall(application, &observation, &comparison, &healths);
    conditions.extend(dependencies::flaw(hub, name));
    conditions.extend(observation.rollback.told());
    if let Some(why) = &observation.stale {
        conditions.push((
            condition::COMPARISON_ERROR,
            format!("{why}; the manifests of the last revision that could be read stay in force"),
        ));
    }
    Assessment {
        server: observation.known.server.clone(),
        observed: Ok(observation),
        comparison: Some(comparison),
        resources,
        health,
        conditions,
    }
}

fn obstructed(obstacle: Obstacle, paused: Option<(&'static str, String)>) -> Assessment {
    let mut conditions = vec![(obstacle.condition, obstacle.message.clone())];
    conditions.extend(paused);
    Assessment {
        server: obstacle.server.clone(),
        conditions,
        observed: Err(obstacle),
        comparison: None,
        resources: Vec::new(),
        health: Health::new(HealthStatus::Unknown, ""),
    }
}

type Conditions = Vec<(&'static str, String)>;

fn compare(
    hub: &Hub,
    name: &ObjectName,
    application: &Application,
    observation: &Observation,
) -> (Comparison, Conditions) {
    let settings = &observation.settings;
    let mut conditions = Conditions::new();
    let ignore = Ignore::new(&application.spec.ignore_differences, &settings.overrides)
        .unwrap_or_else(|error| {
            conditions.push((condition::COMPARISON_ERROR, error.to_string()));
            Ignore::default()
        });
    let owner = |object: &Value| match settings.tracking.owner(object) {
        Some(instance) if instance == observation.instance => Owner::Us,
        Some(other) => {
            Owner::Other(super::name_of_instance(&other, &hub.config.namespace).to_string())
        }
        None => Owner::Nobody,
    };
    let namespaced = |kind: &GroupKind| {
        let served = observation.served.preferred(&kind.group, &kind.kind);
        served.map(|served| served.namespaced)
    };
    let comparison = compare::application(
        &observation.objects,
        &observation.live,
        &compare::Settings {
            application: &name.to_string(),
            destination_namespace: &application.spec.destination.namespace,
            rules: compare::Rules {
                ignore: &ignore,
                overrides: &settings.overrides,
                schema: schema::bundled(),
            },
            owner: &owner,
            namespaced: &namespaced,
            excluded: &|kind| settings.excludes(kind, &observation.known.server),
        },
    );
    conditions.extend(
        comparison
            .conditions
            .iter()
            .map(|one| (one.kind.as_str(), one.message.clone())),
    );
    (comparison, conditions)
}

/// Asks the server about what only might differ, unless it has said so before.
///
/// Where a sync follows at once no question is asked: its apply is the answer.
async fn confirm(
    hub: &Hub,
    name: &ObjectName,
    application: &Application,
    observation: &Observation,
    comparison: &mut Comparison,
) {
    let suspects: Vec<_> = comparison.suspects().cloned().collect();
    for suspect in suspects {
        let Some((desired, live)) = both(observation, &suspect) else {
            continue;
        };
        let word = settled(desired, live);
        if hub.applications.is_settled(name, &suspect.key, &word) {
            comparison.clear(&suspect.key);
            continue;
        }
        if heals_itself(application, observation.at) {
            comparison.confirm(&suspect.key);
            continue;
        }
        match dry_run(observation, &suspect, desired).await {
            Some(predicted) if is_same(&predicted, live) => {
                hub.applications.settle(name, suspect.key.clone(), word);
                comparison.clear(&suspect.key);
            }
            _ => comparison.confirm(&suspect.key),
        }
    }
}

/// The server's word on this very pair of objects.
pub(super) fn settled(desired: &Value, live: &Value) -> Settled {
    let mut hasher = DefaultHasher::new();
    desired.to_string().hash(&mut hasher);
    Settled {
        resource_version: live.resource_version().to_owned(),
        desired: hasher.finish(),
    }
}

/// Whether a sync follows at once where something differs.
fn heals_itself(application: &Application, now: Timestamp) -> bool {
    if pause_of(application, now).is_some() {
        return false;
    }
    let policy = application.spec.sync_policy.as_ref();
    let automated = policy.and_then(|policy| policy.automated.as_ref());
    automated.is_some_and(|automated| automated.enabled != Some(false) && automated.self_heal)
}

/// The desired and the live object of a resource that has both.
pub(super) fn both<'a>(
    observation: &'a Observation,
    resource: &ResourceComparison,
) -> Option<(&'a Value, &'a Value)> {
    let desired = observation.objects.get(resource.desired?)?;
    let live = observation.live.seen()?.get(resource.live?)?;
    Some((desired, live))
}

pub(super) async fn dry_run(
    observation: &Observation,
    suspect: &ResourceComparison,
    desired: &Value,
) -> Option<Value> {
    let gvk = desired.gvk();
    let kind = observation
        .served
        .kind(&gvk.group, &gvk.version, &gvk.kind)?;
    let namespace = kind.namespaced.then_some(suspect.key.namespace.as_str());
    let place = Place::new(&observation.cluster.client, &kind.resource, namespace);
    let options = ApplyOptions {
        dry_run: true,
        ..ApplyOptions::default()
    };
    place.apply(desired, options).await.ok()
}

/// Whether an apply would change nothing but its own bookkeeping.
fn is_same(predicted: &Value, live: &Value) -> bool {
    let bare = |object: &Value| {
        let mut object = object.clone();
        if let Some(metadata) = object["metadata"].as_object_mut() {
            metadata.remove("managedFields");
            metadata.remove("resourceVersion");
            metadata.remove("generation");
        }
        object
    };
    bare(predicted) == bare(live)
}

type Healths = BTreeMap<usize, Option<Health>>;

/// The health of each live object, by its place.
fn healths(observation: &Observation) -> Healths {
    let live = observation
        .live
        .seen()
        .map(Vec::as_slice)
        .unwrap_or_default();
    live.iter()
        .enumerate()
        .map(|(at, object)| (at, judge(observation, object)))
        .collect()
}

/// The health of one object; a check that fails counts as `Unknown`.
pub(super) fn judge(observation: &Observation, object: &Value) -> Option<Health> {
    health::assess(object, &observation.settings.overrides, observation.at)
        .unwrap_or_else(|error| Some(Health::new(HealthStatus::Unknown, error.to_string())))
}

fn resources(
    observation: &Observation,
    comparison: &Comparison,
    healths: &Healths,
) -> Vec<ResourceStatus> {
    let live = observation
        .live
        .seen()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let status = |resource: &ResourceComparison| {
        let object = resource
            .desired
            .and_then(|at| observation.objects.get(at))
            .or_else(|| resource.live.and_then(|at| live.get(at)));
        let health = match resource.live {
            Some(at) => healths.get(&at).cloned().flatten(),
            None if resource.verdict.missing => Some(Health::new(HealthStatus::Missing, "")),
            None => None,
        };
        ResourceStatus {
            group: resource.key.group.clone(),
            version: resource.version.clone(),
            kind: resource.key.kind.clone(),
            namespace: resource.key.namespace.clone(),
            name: resource.key.name.clone(),
            status: resource.status,
            health: health.map(|health| HealthField {
                status: Some(code(health.status)),
                message: health.message,
                last_transition_time: None,
            }),
            hook: resource.verdict.hook,
            requires_pruning: resource.verdict.requires_pruning,
            sync_wave: object.map_or(0, argosy_engine::object::ObjectExt::sync_wave),
            requires_deletion_confirmation: false,
        }
    };
    comparison.resources.iter().map(status).collect()
}

fn overall(
    application: &Application,
    observation: &Observation,
    comparison: &Comparison,
    healths: &Healths,
) -> Health {
    let live = observation
        .live
        .seen()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let own_name = application.metadata.name.as_deref().unwrap_or_default();
    let members: Vec<_> = comparison
        .resources
        .iter()
        .map(|resource| {
            let object = resource.live.and_then(|at| live.get(at));
            let ignored = object
                .is_some_and(|object| object.annotation(names::IGNORE_HEALTHCHECK) == Some("true"));
            let itself = resource.key.group == argosy_crds::names::GROUP
                && resource.key.kind == "Application"
                && resource.key.name == own_name;
            let health = resource
                .live
                .and_then(|at| healths.get(&at))
                .cloned()
                .flatten();
            Member {
                group: &resource.key.group,
                kind: &resource.key.kind,
                namespace: &resource.key.namespace,
                name: &resource.key.name,
                live: resource.live.is_some(),
                counts: !(resource.verdict.hook || ignored || itself),
                health: health.map(|health| health.status),
            }
        })
        .collect();
    if !comparison.complete {
        return Health::new(
            HealthStatus::Unknown,
            observation.live.gap().unwrap_or_default(),
        );
    }
    health::aggregate(&members)
}

/// The code in the API of a health.
pub(super) fn code(status: HealthStatus) -> HealthStatusCode {
    match status {
        HealthStatus::Healthy => HealthStatusCode::Healthy,
        HealthStatus::Suspended => HealthStatusCode::Suspended,
        HealthStatus::Progressing => HealthStatusCode::Progressing,
        HealthStatus::Missing => HealthStatusCode::Missing,
        HealthStatus::Degraded => HealthStatusCode::Degraded,
        HealthStatus::Unknown | HealthStatus::Unset => HealthStatusCode::Unknown,
    }
}
