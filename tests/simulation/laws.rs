//! What has to hold in every story: while it happens, and at its end.

use std::collections::{BTreeMap, BTreeSet};

use argosy_crds::Application;
use argosy_crds::codes::OperationPhase;
use argosy_test_support::wait::{is_well, live};
use http::Method;
use kube::api::ListParams;
use serde_json::Value;

use crate::content::{Directory, number};
use crate::wire::Entry;
use crate::world::{Deployed, HUB, World};

/// The annotation that marks a hook as one of an attempt.
const ATTEMPT: &str = "/metadata/annotations/argosy.dev~1sync-attempt";

/// An object by the path of a request.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Target {
    cluster: String,
    namespace: String,
    plural: String,
    name: String,
}

impl Target {
    fn of(entry: &Entry) -> Self {
        let path = entry.target.split('?').next().unwrap();
        let mut parts: Vec<_> = path.split('/').skip(1).collect();
        // The group and version come first: `api/v1` or `apis/GROUP/VERSION`.
        parts.drain(..if parts[0] == "api" { 2 } else { 3 });
        let mut namespace = "";
        if parts.len() > 2 && parts[0] == "namespaces" {
            namespace = parts[1];
            parts.drain(..2);
        }
        let named = parts.get(1).copied();
        let sent = entry.body.as_ref();
        let in_body = sent.and_then(|body| body["metadata"]["name"].as_str());
        Self {
            cluster: entry.cluster.clone(),
            namespace: namespace.to_owned(),
            plural: parts[0].to_owned(),
            name: named.or(in_body).unwrap_or_default().to_owned(),
        }
    }
}

/// Every way in which the hubs' writes to workload clusters break a law.
pub(crate) fn broken_by_writes(world: &World, entries: &[Entry]) -> Vec<String> {
    let deployed = world.ever_deployed();
    let mut applied: BTreeMap<Target, u64> = BTreeMap::new();
    let mut hooks: BTreeMap<(Target, String), BTreeSet<String>> = BTreeMap::new();
    let mut broken = Vec::new();
    let writes = entries
        .iter()
        .filter(|entry| entry.cluster != HUB && entry.is_write());
    for entry in writes {
        let target = Target::of(entry);
        let mut tell = |why: &str| broken.push(format!("{why}: {}", entry.line()));
        if target.plural == "namespaces" {
            let is_wanted = deployed
                .iter()
                .any(|one| one.cluster == target.cluster && one.namespace == target.name);
            if !is_wanted || entry.method == Method::DELETE {
                tell("a namespace that is nobody's");
            }
            continue;
        }
        let Some(owner) = owner(&deployed, &target) else {
            tell("something in a namespace that is nobody's");
            continue;
        };
        let states = &world.history[&owner.directory];
        if !states
            .iter()
            .any(|state| state.0.contains_key(&target.name))
        {
            tell("an object that was never in the repository");
            continue;
        }
        if entry.method == Method::DELETE {
            let is_absent = states
                .iter()
                .any(|state| !state.0.contains_key(&target.name));
            let is_hook = target.plural == "jobs";
            let is_removed = world.removed.contains(&owner.application);
            if !(is_hook || is_absent || is_removed) {
                tell("an object was deleted that nobody removed");
            }
            continue;
        }
        let Some(body) = entry.body.as_ref().filter(|body| body["kind"].is_string()) else {
            continue;
        };
        if let Some(attempt) = body.pointer(ATTEMPT).and_then(Value::as_str)
            && let Some(uid) = entry.answer["metadata"]["uid"].as_str()
        {
            let runs = hooks
                .entry((target.clone(), attempt.to_owned()))
                .or_default();
            runs.insert(uid.to_owned());
            if runs.len() > 1 {
                tell("a hook ran twice in one attempt");
            }
        }
        let Some(number) = number(body) else {
            tell("an object without its number");
            continue;
        };
        let last = applied.entry(target).or_insert(number);
        if number < *last {
            tell("an older state after a newer one");
        }
        *last = number;
    }
    broken
}

/// Writes of a hub after another had begun to write: of several one works, until it ends.
pub(crate) fn broken_terms(entries: &[Entry]) -> Vec<String> {
    let mut at_work = None;
    let mut ended = BTreeSet::new();
    let mut broken = Vec::new();
    for entry in entries.iter().filter(|entry| entry.is_write()) {
        if let Some(before) = at_work
            .replace(entry.life)
            .filter(|life| *life != entry.life)
        {
            ended.insert(before);
        }
        if ended.contains(&entry.life) {
            broken.push(format!("a hub that no longer leads: {}", entry.line()));
        }
    }
    broken
}

/// Operations that cost more writes of the application than they may, where nothing went wrong: one
/// that says that it runs, one as the first objects are there, two as what takes its time progresses
/// and is healthy, one for each hook that ended, and one for what somebody does by hand meanwhile.
pub(crate) fn costly_operations(world: &World, entries: &[Entry]) -> Vec<String> {
    let mut writes: BTreeMap<(String, String), usize> = BTreeMap::new();
    let on_hub = entries.iter().filter(|entry| entry.cluster == HUB);
    for entry in on_hub.filter(|entry| entry.is_write() && entry.answer["kind"] == "Application") {
        let state = &entry.answer["status"]["operationState"];
        if state["phase"] == "Running" {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let operation = (
                text(&entry.answer["metadata"]["name"]),
                text(&state["startedAt"]),
            );
            *writes.entry(operation).or_default() += 1;
        }
    }
    let deployed = world.ever_deployed();
    let allowed = |application: &str| {
        let directory = deployed.iter().find(|one| one.application == application);
        let states = directory.map(|one| &world.history[&one.directory]);
        let news = states.into_iter().flatten().map(Directory::news).max();
        let by_hand = directory.map(|one| world.plan.changes_by_hand(&one.directory));
        2 + news.unwrap_or_default() + by_hand.unwrap_or_default() + world.plan.refreshes()
    };
    writes
        .into_iter()
        .filter(|((application, _), writes)| *writes > allowed(application))
        .map(|(operation, writes)| format!("{writes} writes while it ran: {operation:?}"))
        .collect()
}

fn owner<'a>(deployed: &'a [Deployed], target: &Target) -> Option<&'a Deployed> {
    deployed
        .iter()
        .find(|one| one.cluster == target.cluster && one.namespace == target.namespace)
}

/// Everything that is not yet as the repository has it.
pub(crate) async fn unsettled(world: &World) -> Vec<String> {
    let mut missing = Vec::new();
    let api = world.applications();
    let all = api.list(&ListParams::default()).await.unwrap();
    let all: BTreeMap<_, _> = all
        .into_iter()
        .map(|app| (app.metadata.name.clone().unwrap(), app))
        .collect();
    let deployed = world.deployed();
    for name in all.keys() {
        if !deployed.iter().any(|one| one.application == *name) {
            missing.push(format!("{name} is still there"));
        }
    }
    for one in &deployed {
        match all.get(&one.application) {
            None => missing.push(format!("{} is not there", one.application)),
            Some(app) if !is_well(app) || is_busy(app) => {
                let status = serde_json::to_string(&app.status).unwrap();
                missing.push(format!("{} is not well: {status}", one.application));
            }
            Some(_) => {}
        }
        missing.extend(differences(world, one).await);
    }
    missing
}

fn is_busy(app: &Application) -> bool {
    let state = app.status.as_ref().and_then(|s| s.operation_state.as_ref());
    app.operation.is_some() || state.is_some_and(|state| state.phase == OperationPhase::Running)
}

/// How the cluster differs from the repository.
async fn differences(world: &World, one: &Deployed) -> Vec<String> {
    let mut found = Vec::new();
    let now = &world.plan.directories[&one.directory];
    let wanted: BTreeMap<_, _> = now
        .lasting()
        .map(|(item, number)| (&item.name, number))
        .collect();
    let ever = world.history[&one.directory]
        .iter()
        .flat_map(|state| state.lasting().map(|(item, _)| item));
    let ever: BTreeMap<_, _> = ever.map(|item| (&item.name, item.shape)).collect();
    for (name, shape) in ever {
        let place = format!("{}/{name}", one.namespace);
        let client = world.client(&one.cluster);
        let there = live(client, shape.api_version(), shape.kind(), &place).await;
        let there = there.map(|object| number(&object));
        if there != wanted.get(name).map(|number| Some(*number)) {
            let wanted = wanted.get(name);
            found.push(format!(
                "{place} on {} is {there:?} and not {wanted:?}",
                one.cluster
            ));
        }
    }
    found
}

/// What belongs to nobody, and is not as it was.
pub(crate) async fn touched_neighbours(world: &World) -> Vec<String> {
    let mut touched = Vec::new();
    let beside = world
        .plan
        .applications
        .iter()
        .filter(|one| one.has_neighbour);
    let beside = beside.map(|one| (&world.plan.clusters[one.cluster].name, one.name.as_str()));
    let defaults = world.plan.clusters.iter().map(|one| (&one.name, "default"));
    for (cluster, namespace) in beside.chain(defaults) {
        let place = format!("{namespace}/neighbour");
        let there = live(world.client(cluster), "v1", "ConfigMap", &place).await;
        let managers = there.as_ref().map(|it| &it["metadata"]["managedFields"]);
        if managers.and_then(Value::as_array).map(Vec::len) != Some(1) {
            touched.push(format!("{place} on {cluster} is touched: {there:?}"));
        }
    }
    touched
}
