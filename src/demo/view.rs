//! What the demonstration's applications look like, kept up to date from the hub's API: the same
//! that any client of the hub sees.

use std::collections::BTreeMap;

use argosy_crds::application::ApplicationDestination;
use argosy_crds::codes::{HealthStatusCode, OperationPhase, SyncStatusCode};
use argosy_crds::{Application, ApplicationSet, ApplicationStatus, names};
use futures::{Stream, StreamExt as _};
use kube::runtime::WatchStreamExt as _;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, ResourceExt as _};
use tokio::sync::watch;

use super::ROOT;
use crate::embedded::NAMESPACE;
use crate::hub::Hub;

/// One application.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// The name of its cluster.
    pub cluster: String,
    /// Its sync status.
    pub sync: String,
    /// Its health.
    pub health: String,
    /// The commit that it was compared with.
    pub revision: String,
    /// When its last operation began; tells one operation from the next.
    pub operation: String,
    /// Whether it is in sync, healthy, and nothing is under way.
    pub settled: bool,
    /// What stands in the way.
    pub reasons: Vec<String>,
    /// The ApplicationSets among its resources.
    pub sets: Vec<String>,
}

/// All applications.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct View {
    /// The applications by name.
    pub rows: BTreeMap<String, Row>,
    /// Whether each ApplicationSet has made its applications.
    pub sets: BTreeMap<String, bool>,
}

impl View {
    /// How many applications are settled.
    pub fn settled(&self) -> usize {
        self.rows.values().filter(|row| row.settled).count()
    }

    /// Whether everything that the repository asks for is there, in sync and healthy.
    pub fn is_complete(&self) -> bool {
        let is_made = |set: &String| self.sets.get(set) == Some(&true);
        self.rows
            .get(ROOT)
            .is_some_and(|root| root.sets.iter().all(is_made))
            && self.rows.values().all(|row| row.settled)
    }

    /// The ApplicationSets that have not made their applications yet.
    pub fn pending_sets(&self) -> Vec<&str> {
        let pending = self.sets.iter().filter(|(_, made)| !**made);
        pending.map(|(name, _)| name.as_str()).collect()
    }
}

/// Follows the applications of `hub` until it stops; `clusters` names servers.
pub(super) fn follow(hub: &Hub, clusters: BTreeMap<String, String>) -> watch::Receiver<View> {
    let (sender, receiver) = watch::channel(View::default());
    let applications = events::<Application>(hub);
    let sets = events::<ApplicationSet>(hub);
    hub.spawn(async move {
        let changes = futures::stream::select(
            applications.map(|event| Change::Application(Box::new(event))),
            sets.map(|event| Change::Set(Box::new(event))),
        );
        let mut changes = std::pin::pin!(changes);
        while let Some(change) = changes.next().await {
            sender.send_if_modified(|view| {
                let before = view.clone();
                view.take(change, &clusters);
                *view != before
            });
        }
    });
    receiver
}

enum Change {
    Application(Box<Event<Application>>),
    Set(Box<Event<ApplicationSet>>),
}

fn events<K>(hub: &Hub) -> impl Stream<Item = Event<K>> + Send + use<K>
where
    K: kube::Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>
        + Clone
        + std::fmt::Debug
        + serde::de::DeserializeOwned
        + Send
        + 'static,
{
    let api: Api<K> = Api::namespaced(hub.client.clone(), NAMESPACE);
    watcher(api, watcher::Config::default())
        .default_backoff()
        .filter_map(|event| futures::future::ready(event.ok()))
}

impl View {
    fn take(&mut self, change: Change, clusters: &BTreeMap<String, String>) {
        match change {
            Change::Application(event) => match *event {
                Event::Apply(app) | Event::InitApply(app) => {
                    self.rows.insert(app.name_any(), row(&app, clusters));
                }
                Event::Delete(app) => drop(self.rows.remove(&app.name_any())),
                Event::Init | Event::InitDone => {}
            },
            Change::Set(event) => match *event {
                Event::Apply(set) | Event::InitApply(set) => {
                    self.sets.insert(set.name_any(), is_made(&set));
                }
                Event::Delete(set) => drop(self.sets.remove(&set.name_any())),
                Event::Init | Event::InitDone => {}
            },
        }
    }
}

fn is_made(set: &ApplicationSet) -> bool {
    let conditions = set.status.iter().flat_map(|status| &status.conditions);
    conditions
        .filter(|condition| condition.type_ == "ResourcesUpToDate")
        .any(|condition| condition.status == "True")
}

fn row(app: &Application, clusters: &BTreeMap<String, String>) -> Row {
    let cluster = cluster(&app.spec.destination, clusters);
    let Some(status) = &app.status else {
        return Row {
            cluster,
            sync: "Unknown".to_owned(),
            health: "Unknown".to_owned(),
            reasons: vec!["the hub has not looked at it yet".to_owned()],
            ..Row::default()
        };
    };
    let operation = status.operation_state.as_ref();
    let idle = app.operation.is_none() && operation.is_none_or(|state| state.phase.is_completed());
    let synced = status.sync.status == SyncStatusCode::Synced;
    let healthy = status.health.status == Some(HealthStatusCode::Healthy);
    let sets = status
        .resources
        .iter()
        .filter(|one| one.kind == "ApplicationSet");
    Row {
        cluster,
        sync: status.sync.status.to_string(),
        health: status
            .health
            .status
            .map_or_else(|| "Unknown".to_owned(), |code| code.to_string()),
        revision: status.sync.revision.chars().take(7).collect(),
        operation: operation
            .and_then(|state| state.started_at.as_ref())
            .map_or_else(String::new, |time| time.0.to_string()),
        settled: idle && synced && healthy,
        reasons: reasons(status),
        sets: sets.map(|set| set.name.clone()).collect(),
    }
}

/// Servers that nobody named are shown as they are.
fn cluster(destination: &ApplicationDestination, names_of: &BTreeMap<String, String>) -> String {
    if !destination.name.is_empty() {
        return destination.name.clone();
    }
    if destination.server == names::IN_CLUSTER_SERVER {
        return names::IN_CLUSTER_NAME.to_owned();
    }
    names_of
        .get(&destination.server)
        .unwrap_or(&destination.server)
        .clone()
}

fn reasons(status: &ApplicationStatus) -> Vec<String> {
    let mut reasons: Vec<_> = status
        .conditions
        .iter()
        .map(|condition| format!("{}: {}", condition.type_, condition.message))
        .collect();
    if let Some(state) = &status.operation_state
        && state.phase != OperationPhase::Succeeded
    {
        reasons.push(format!("sync {}: {}", state.phase, state.message));
    }
    for resource in &status.resources {
        let place = format!("{} {}/{}", resource.kind, resource.namespace, resource.name);
        if resource.status == Some(SyncStatusCode::OutOfSync) {
            reasons.push(format!("{place} is out of sync"));
        }
        if let Some(health) = &resource.health
            && health
                .status
                .is_some_and(|code| code != HealthStatusCode::Healthy)
        {
            let code = health
                .status
                .map(|code| code.to_string())
                .unwrap_or_default();
            reasons.push(
                format!("{place} is {code} {}", health.message)
                    .trim_end()
                    .to_owned(),
            );
        }
    }
    reasons
}
