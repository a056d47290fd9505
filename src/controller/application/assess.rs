//! What an observation means: the comparison, the health, the conditions.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use argosy_crds::Application;
use argosy_crds::application::{HealthStatus as HealthField, ResourceStatus};
use argosy_crds::codes::{HealthStatusCode, SyncStatusCode, condition};
use argosy_engine::compare::{
    self, Comparison, Difference, FIELD_MANAGER, Owner, ResourceComparison,
};
use argosy_engine::health::{self, Health, HealthStatus, Member};
use argosy_engine::ignore::Ignore;
use argosy_engine::object::{GroupKind, ObjectExt as _, ResourceKey, names};
use argosy_engine::operation::pause_of;
use argosy_engine::overrides::Overrides;
use argosy_engine::sync::{SyncOptions, taken_over};
use jiff::Timestamp;
use serde_json::Value;

use super::course;
use super::dependencies;
use super::held;
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
    /// What is not compared.
    pub(super) ignore: Ignore,
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
    let _comparing = course::stage(hub, name, "compare");
    let mut conditions = Conditions::new();
    let ignore = Ignore::new(
        &application.spec.ignore_differences,
        &observation.settings.overrides,
    );
    let mut comparison = compare(hub, name, application, &observation, &ignore);
    let told = comparison.conditions.iter();
    conditions.extend(told.map(|one| (one.kind.as_str(), one.message.clone())));
    for flaw in flaws(&ignore) {
        if !conditions.contains(&flaw) {
            conditions.push(flaw);
        }
    }
    conditions.extend(paused);
    confirm(
        hub,
        name,
        application,
        (&observation, &ignore),
        &mut comparison,
    )
    .await;
    let healths = healths(&observation);
    let mut resources = resources(&observation, &comparison, &healths);
    resources.extend(unseen(application, &observation, &resources));
    let health = overall(application, &observation, &comparison, &healths);
    conditions.extend(dependencies::flaw(hub, name));
    conditions.extend(observation.rollback.told());
    warn_of_orphans(hub, name, application, &observation, &mut conditions).await;
    warn_of_unused_rules(
        hub,
        name,
        application,
        (&ignore, &comparison),
        &mut conditions,
    );
    if let Some(why) = &observation.stale {
        conditions.push((
            condition::COMPARISON_ERROR,
            format!("{why}; the manifests of the last revision that could be read stay in force"),
        ));
    }
    Assessment {
        server: observation.known.server.clone(),
        observed: Ok(observation),
        ignore,
        comparison: Some(comparison),
        resources,
        health,
        conditions,
    }
}

/// What is wrong with the ignore rules, also with those that are for no object.
fn flaws(ignore: &Ignore) -> impl Iterator<Item = (&'static str, String)> {
    let flaws = ignore.flaws().into_iter();
    flaws.map(|flaw| (condition::COMPARISON_ERROR, flaw.to_string()))
}

/// After how many looks in a row a rule that names nothing is told.
const OFTEN: u32 = 10;

/// Tells of the application's ignore rules that have long been of no use. Only looks at which all is
/// in sync count: before that, what a rule is for may not be there yet.
fn warn_of_unused_rules(
    hub: &Hub,
    name: &ObjectName,
    application: &Application,
    (ignore, comparison): (&Ignore, &Comparison),
    conditions: &mut Conditions,
) {
    if ignore.own_rules().next().is_none() {
        return;
    }
    let told = application
        .status
        .iter()
        .flat_map(|status| &status.conditions);
    let told = told
        .filter(|one| one.type_ == condition::UNUSED_IGNORE_RULE_WARNING)
        .map(|one| one.message.as_str())
        .next()
        .unwrap_or_default();
    if comparison.status != SyncStatusCode::Synced {
        if !told.is_empty() {
            conditions.push((condition::UNUSED_IGNORE_RULE_WARNING, told.to_owned()));
        }
        return;
    }
    let used: BTreeSet<usize> = comparison
        .resources
        .iter()
        .flat_map(|one| one.verdict.ignored_by.iter().copied())
        .collect();
    let rules = ignore.own_rules().enumerate();
    let rules = rules.map(|(at, rule)| (rule, used.contains(&at)));
    let unused = hub.applications.unused_rules(name, rules, OFTEN, told);
    if !unused.is_empty() {
        let message = format!(
            "rules of spec.ignoreDifferences that name nothing of any object: {}; correct or remove them",
            unused.join("; ")
        );
        conditions.push((condition::UNUSED_IGNORE_RULE_WARNING, message));
    }
}

/// Counts what lives in the application's namespace and belongs to nobody, where its project asks, and
/// warns of it where the project asks for that, too.
async fn warn_of_orphans(
    hub: &Hub,
    name: &ObjectName,
    application: &Application,
    observation: &Observation,
    conditions: &mut Conditions,
) {
    let Some(monitored) = &observation.project.spec.orphaned_resources else {
        hub.applications.note_orphans(name, None);
        return;
    };
    let namespace = &application.spec.destination.namespace;
    let orphans = hub.applications.orphans.of(observation, namespace).await;
    let count = orphans.seen().map_or(0, Vec::len);
    hub.applications.note_orphans(name, Some(count));
    if count > 0 && monitored.warn == Some(true) {
        let message = format!("Application has {count} orphaned resources");
        conditions.push((condition::ORPHANED_RESOURCE_WARNING, message));
    }
}

fn obstructed(obstacle: Obstacle, paused: Option<(&'static str, String)>) -> Assessment {
    let mut conditions = vec![(obstacle.condition, obstacle.message.clone())];
    conditions.extend(paused);
    Assessment {
        server: obstacle.server.clone(),
        conditions,
        observed: Err(obstacle),
        ignore: Ignore::default(),
        comparison: None,
        resources: Vec::new(),
        health: Health::new(HealthStatus::Unknown, ""),
    }
}

type Conditions = Vec<(&'static str, String)>;

/// How single objects are compared.
pub(super) fn rules<'a>(observation: &'a Observation, ignore: &'a Ignore) -> compare::Rules<'a> {
    compare::Rules {
        ignore,
        overrides: &observation.settings.overrides,
        schema: &observation.schemas,
    }
}

fn compare(
    hub: &Hub,
    name: &ObjectName,
    application: &Application,
    observation: &Observation,
    ignore: &Ignore,
) -> Comparison {
    let settings = &observation.settings;
    let owner = |object: &Value| match settings.tracking.owner(object) {
        // Controllers copy annotations to what they make.
        Some(_) if !settings.tracking.is_self_referencing(object) => Owner::Nobody,
        Some(instance) if instance == observation.instance => Owner::Us,
        Some(other) => {
            let other = super::name_of_instance(&other, &hub.config.namespace);
            // What an application left behind that is gone may be taken over.
            if hub.fleet.index().applications.get(&other).is_some() {
                Owner::Other(other.to_string())
            } else {
                Owner::Nobody
            }
        }
        None => Owner::Nobody,
    };
    let namespaced = |kind: &GroupKind| {
        let served = observation.served.preferred(&kind.group, &kind.kind);
        served.map(|served| served.namespaced)
    };
    compare::application(
        &observation.objects,
        &observation.live,
        &compare::Settings {
            application: &name.to_string(),
            destination_namespace: &application.spec.destination.namespace,
            rules: rules(observation, ignore),
            owner: &owner,
            namespaced: &namespaced,
            excluded: &|kind| settings.excludes(kind, &observation.known.server),
            tainted: &observation.tainted,
        },
    )
}

/// Asks the server about what only might differ, unless it has said so before.
///
/// Where a sync follows, at once or when a rollout comes to it, no question is asked: its apply is
/// the answer.
async fn confirm(
    hub: &Hub,
    name: &ObjectName,
    application: &Application,
    (observation, ignore): (&Observation, &Ignore),
    comparison: &mut Comparison,
) {
    let respects = respects(application);
    let server_side = ServerSide::of(application, observation);
    let asked: Vec<_> = comparison
        .resources
        .iter()
        .filter(|one| one.verdict.suspect || (server_side.always && is_judged(one)))
        .cloned()
        .collect();
    for suspect in asked {
        let Some((desired, live)) = both(observation, &suspect) else {
            continue;
        };
        // What a dry run says counts only once what was applied client-side is taken over.
        if taken_over(live).is_some() {
            continue;
        }
        let respected = if respects {
            compare::respecting(desired, live, rules(observation, ignore))
        } else {
            Ok(Cow::Borrowed(desired))
        };
        // What cannot be respected has no verdict either.
        let Ok(desired) = respected.as_deref() else {
            continue;
        };
        let word = settled(desired, live, &observation.settings.overrides);
        if hub.applications.is_settled(name, &suspect.key, &word) {
            comparison.clear(&suspect.key);
            continue;
        }
        // Neither a sync nor a dry run would tell: it stays suspect.
        if hub.shadow.is_some() {
            continue;
        }
        let heals = heals_itself(application, observation.at);
        if heals && suspect.verdict.suspect && !server_side.always {
            comparison.confirm(&suspect.key);
            continue;
        }
        let Some(predicted) = dry_run(observation, &suspect, desired).await else {
            comparison.confirm(&suspect.key);
            continue;
        };
        let live = in_version_of(observation, &suspect, &predicted, live).await;
        let changes = changes(predicted, &live, ignore, server_side);
        if changes.is_empty() {
            hub.applications.settle(name, suspect.key.clone(), word);
            comparison.clear(&suspect.key);
        } else {
            comparison.differs(&suspect.key, &changes);
        }
    }
}

/// Whether there is a verdict on a resource that the server may have a word on.
fn is_judged(resource: &ResourceComparison) -> bool {
    resource.status.is_some() && resource.verdict.flaws.is_empty()
}

/// How much the server has to say in comparisons.
#[derive(Clone, Copy)]
pub(super) struct ServerSide {
    /// Whether it is asked about every object, and not only about those that might differ.
    pub(super) always: bool,
    /// Whether what admission webhooks would change is a difference.
    pub(super) webhooks: bool,
}

impl ServerSide {
    /// As the application's annotation says, else the hub's setting.
    pub(super) fn of(application: &Application, observation: &Observation) -> Self {
        let text = application.annotation(names::COMPARE_OPTIONS);
        let options: Vec<_> = text.unwrap_or_default().split(',').map(str::trim).collect();
        let asked =
            options.contains(&"ServerSideDiff=true") || observation.settings.server_side_diff;
        Self {
            always: asked && !options.contains(&"ServerSideDiff=false"),
            webhooks: options.contains(&"IncludeMutationWebhook=true"),
        }
    }
}

/// The server's word on this very pair of objects. What says nothing of a comparison, such as the
/// status where that is left out, which others write all the time, does not make another pair of it.
pub(super) fn settled(desired: &Value, live: &Value, overrides: &Overrides) -> Settled {
    let without_status = overrides.compare_options().ignores_status(live);
    let mut live = live.clone();
    if let Some(fields) = live.as_object_mut().filter(|_| without_status) {
        fields.remove("status");
    }
    if let Some(metadata) = live["metadata"].as_object_mut() {
        metadata.remove("resourceVersion");
        metadata.remove("generation");
        if let Some(managers) = metadata
            .get_mut("managedFields")
            .and_then(Value::as_array_mut)
        {
            managers.retain(|one| one["manager"] == FIELD_MANAGER);
            for one in managers {
                one["time"].take();
            }
        }
    }
    let hash = |object: &Value| {
        let mut hasher = DefaultHasher::new();
        object.to_string().hash(&mut hasher);
        hasher.finish()
    };
    Settled {
        live: hash(&live),
        desired: hash(desired),
    }
}

/// Whether the application's own syncs leave alone what is ignored.
fn respects(application: &Application) -> bool {
    let policy = application.spec.sync_policy.as_ref();
    let options = policy.into_iter().flat_map(|policy| &policy.sync_options);
    SyncOptions::parse(options.map(String::as_str)).respect_ignore_differences
}

/// Whether a sync follows where something differs, at once or when a rollout comes to it.
fn heals_itself(application: &Application, now: Timestamp) -> bool {
    if pause_of(application, now).is_some() {
        return false;
    }
    if held::is_held(application) {
        return true;
    }
    let policy = application.spec.sync_policy.as_ref();
    let automated = policy.and_then(|policy| policy.automated.as_ref());
    automated.is_some_and(|automated| automated.enabled != Some(false) && automated.self_heals())
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
    let client = observation.actor.as_ref().ok()?;
    let place = Place::new(client, &kind.resource, namespace);
    let options = ApplyOptions {
        dry_run: true,
        ..ApplyOptions::default()
    };
    place.apply(desired, options).await.ok()
}

/// The live object in the version of `predicted`: a kind is watched in one version, and git may name
/// another.
pub(super) async fn in_version_of<'a>(
    observation: &Observation,
    resource: &ResourceComparison,
    predicted: &Value,
    live: &'a Value,
) -> Cow<'a, Value> {
    if predicted.api_version() == live.api_version() {
        return Cow::Borrowed(live);
    }
    let gvk = predicted.gvk();
    let kind = observation.served.kind(&gvk.group, &gvk.version, &gvk.kind);
    let Some(kind) = kind else {
        return Cow::Borrowed(live);
    };
    let namespace = kind.namespaced.then_some(resource.key.namespace.as_str());
    let place = Place::new(&observation.cluster.client, &kind.resource, namespace);
    let found = place.get(&resource.key.name).await.ok().flatten();
    found.map_or(Cow::Borrowed(live), Cow::Owned)
}

/// What an apply would change, but for what is ignored.
pub(super) fn changes(
    mut predicted: Value,
    live: &Value,
    ignore: &Ignore,
    server_side: ServerSide,
) -> Vec<Difference> {
    let mut live = live.clone();
    ignore.remove(&mut predicted, &mut live);
    compare::predicted_changes(&predicted, &live, server_side.webhooks)
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
        .map(|(at, object)| {
            let judged = judge(observation, object).or_else(|| health::of_application(object));
            (at, judged)
        })
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
            None if resource.status == Some(SyncStatusCode::Unknown) => {
                Some(Health::new(HealthStatus::Unknown, ""))
            }
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

/// What the application had of the kinds that cannot be seen now, and does not desire any more: it is
/// kept in mind until somebody can tell whether it is still there.
fn unseen(
    application: &Application,
    observation: &Observation,
    known: &[ResourceStatus],
) -> Vec<ResourceStatus> {
    let key =
        |one: &ResourceStatus| ResourceKey::new(&one.group, &one.kind, &one.namespace, &one.name);
    let known: BTreeSet<_> = known.iter().map(key).collect();
    let status = application.status.iter();
    let had = status.flat_map(|status| &status.resources);
    had.filter(|one| observation.tainted.contains_key(&key(one).group_kind()))
        .filter(|one| !known.contains(&key(one)))
        .map(|one| ResourceStatus {
            status: Some(SyncStatusCode::Unknown),
            health: Some(HealthField {
                status: Some(HealthStatusCode::Unknown),
                ..HealthField::default()
            }),
            requires_pruning: false,
            ..one.clone()
        })
        .collect()
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
    if let Some(why) = observation.unseen() {
        return Health::new(HealthStatus::Unknown, why);
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
