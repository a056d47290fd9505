//! Watches of the hub's own API server: objects go into the index, wakes come out.
//!
//! Objects are read as plain values, so that a malformed one is one entry in the index and never
//! the end of a watch.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError, RwLockWriteGuard};
use std::time::Duration;

use argosy_crds::names;
use argosy_engine::object::ObjectExt as _;
use futures::StreamExt as _;
use kube::api::{ApiResource, DynamicObject, TypeMeta};
use kube::runtime::WatchStreamExt as _;
use kube::runtime::utils::Backoff;
use kube::runtime::watcher::{self, Event};
use kube::{Api, Client, Resource as _};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::index::Listing;
use super::wake::{
    application_asks, application_set_asks, config_map_wakes, generated_part_changed, owner_set,
    secret_wakes,
};
use super::{Fleet, Index, ObjectName, Settings, Wake};
use crate::controller::queue::Lane;

/// How soon a watch that failed is taken up again; doubles up to [`LONGEST_RETRY`]. Both are those of
/// Kubernetes' own clients; there is no chance in it, because a hub is one client and not thousands.
const RETRY: Duration = Duration::from_millis(800);
const LONGEST_RETRY: Duration = Duration::from_secs(30);

/// How long a watch must last to show that it is allowed again.
const SETTLED: Duration = Duration::from_secs(2);

/// A kind that the hub watches in its own API server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Application,
    ApplicationSet,
    AppProject,
    Secret,
    ConfigMap,
}

impl Kind {
    const ALL: [Self; 5] = [
        Self::ConfigMap,
        Self::Secret,
        Self::AppProject,
        Self::Application,
        Self::ApplicationSet,
    ];

    fn resource(self) -> ApiResource {
        match self {
            Self::Application => ApiResource::erase::<argosy_crds::Application>(&()),
            Self::ApplicationSet => ApiResource::erase::<argosy_crds::ApplicationSet>(&()),
            Self::AppProject => ApiResource::erase::<argosy_crds::AppProject>(&()),
            Self::Secret => ApiResource::erase::<k8s_openapi::api::core::v1::Secret>(&()),
            Self::ConfigMap => ApiResource::erase::<k8s_openapi::api::core::v1::ConfigMap>(&()),
        }
    }

    fn config(self) -> watcher::Config {
        let config = watcher::Config::default();
        match self {
            Self::Application | Self::ApplicationSet | Self::AppProject => config,
            Self::Secret => config.labels(names::label::SECRET_TYPE),
            Self::ConfigMap => config.labels("app.kubernetes.io/part-of=argocd"),
        }
    }

    /// Whether objects outside the hub's namespace count.
    fn is_anywhere(self) -> bool {
        matches!(self, Self::Application | Self::ApplicationSet)
    }
}

/// The watches of one hub.
pub struct Watches {
    /// Where the objects go.
    pub fleet: Arc<Fleet>,
    /// The client of the hub's API server.
    pub client: Client,
    /// The hub's namespace.
    pub namespace: String,
    /// Whether applications and sets of other namespaces count.
    pub any_namespace: bool,
}

impl Watches {
    /// Watches until stopped.
    pub fn spawn(self, stop: &CancellationToken) {
        let watches = Arc::new(self);
        for kind in Kind::ALL {
            let watches = Arc::clone(&watches);
            let stopped = stop.clone();
            tokio::spawn(async move { stopped.run_until_cancelled(watches.watch(kind)).await });
        }
    }

    async fn watch(&self, kind: Kind) {
        let resource = kind.resource();
        let api: Api<DynamicObject> = if kind.is_anywhere() && self.any_namespace {
            Api::all_with(self.client.clone(), &resource)
        } else {
            Api::namespaced_with(self.client.clone(), &self.namespace, &resource)
        };
        let mut retry = Patience(RETRY);
        let mut was_denied = false;
        loop {
            let api = api.clone();
            self.follow(kind, &resource, api, was_denied, &mut retry)
                .await;
            was_denied = true;
            // Only a new listing shows that it is allowed again.
            tokio::time::sleep(retry.next().unwrap_or(LONGEST_RETRY)).await;
        }
    }

    /// Takes in what happens, until the API server denies that it be told.
    async fn follow(
        &self,
        kind: Kind,
        resource: &ApiResource,
        api: Api<DynamicObject>,
        was_denied: bool,
        retry: &mut Patience,
    ) {
        let mut events = watcher::watcher(api, kind.config())
            .backoff(Patience(RETRY))
            .boxed();
        let mut present = BTreeSet::new();
        let mut settling = false;
        loop {
            let event = if settling {
                tokio::time::timeout(SETTLED, events.next()).await
            } else {
                Ok(events.next().await)
            };
            match event {
                Ok(Some(Ok(event))) => {
                    // What happens after a listing comes from a watch that is allowed.
                    let settled = settling && matches!(event, Event::Apply(_) | Event::Delete(_));
                    settling =
                        !settled && (settling || was_denied && matches!(event, Event::InitDone));
                    self.take(kind, resource, event, &mut present);
                    if settled {
                        retry.reset();
                        self.fleet.allowed(kind);
                    }
                }
                Ok(Some(Err(error))) => {
                    let told = crate::diagnostic::chain(&error);
                    tracing::warn!(
                        kind = resource.kind,
                        error = told,
                        "cannot watch the hub's API server; what is known stays"
                    );
                    if !self.fleet.is_listed(kind) {
                        self.fleet.unlisted(&resource.plural, &told);
                    } else if let Some(why) = denial(&error) {
                        return self.fleet.denied(kind, why);
                    }
                }
                Ok(None) => return,
                Err(_) => {
                    settling = false;
                    retry.reset();
                    self.fleet.allowed(kind);
                }
            }
        }
    }

    fn take(
        &self,
        kind: Kind,
        resource: &ApiResource,
        event: Event<DynamicObject>,
        present: &mut BTreeSet<ObjectName>,
    ) {
        match event {
            Event::Init => present.clear(),
            Event::InitApply(object) => {
                present.insert(name_of(&object));
                self.fleet.apply(kind, &value_of(object, resource));
            }
            Event::InitDone => self.fleet.listed(kind, present),
            Event::Apply(object) => self.fleet.apply(kind, &value_of(object, resource)),
            Event::Delete(object) => self.fleet.delete(kind, &name_of(&object)),
        }
    }
}

/// What the API server said if it refused: that does not pass by itself, as an outage does.
fn denial(error: &watcher::Error) -> Option<&str> {
    let (watcher::Error::InitialListFailed(kube::Error::Api(status))
    | watcher::Error::WatchStartFailed(kube::Error::Api(status))
    | watcher::Error::WatchFailed(kube::Error::Api(status))
    | watcher::Error::WatchError(status)) = error
    else {
        return None;
    };
    matches!(status.code, 401 | 403).then_some(status.message.as_str())
}

/// How long the next failure waits.
struct Patience(Duration);

impl Iterator for Patience {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let wait = self.0;
        self.0 = (wait * 2).min(LONGEST_RETRY);
        Some(wait)
    }
}

impl Backoff for Patience {
    fn reset(&mut self) {
        self.0 = RETRY;
    }
}

fn name_of(object: &DynamicObject) -> ObjectName {
    let meta = object.meta();
    ObjectName::new(
        meta.namespace.clone().unwrap_or_default(),
        meta.name.clone().unwrap_or_default(),
    )
}

fn value_of(mut object: DynamicObject, resource: &ApiResource) -> Value {
    object.metadata.managed_fields = None;
    object.types = Some(TypeMeta {
        api_version: resource.api_version.clone(),
        kind: resource.kind.clone(),
    });
    serde_json::to_value(object).unwrap_or_default()
}

impl Fleet {
    /// Takes in what a write of an application returned, ahead of the watch.
    pub fn wrote_application(&self, object: &Value) {
        self.apply(Kind::Application, object);
    }

    /// Takes in what a write of a set returned, ahead of the watch.
    pub fn wrote_application_set(&self, object: &Value) {
        self.apply(Kind::ApplicationSet, object);
    }

    fn apply(&self, kind: Kind, object: &Value) {
        let name = ObjectName::new(object.namespace(), object.name());
        let wakes = {
            let mut index = self.index_mut();
            apply_to(&mut index, kind, &name, object)
        };
        self.after(kind, &name, wakes);
    }

    fn delete(&self, kind: Kind, name: &ObjectName) {
        let wakes = {
            let mut index = self.index_mut();
            delete_from(&mut index, kind, name)
        };
        self.after(kind, name, wakes);
    }

    fn listed(&self, kind: Kind, present: &BTreeSet<ObjectName>) {
        let (gone, registered, ready) = {
            let mut index = self.index_mut();
            let (knew_registrations, was_ready) = (index.knows_registrations(), index.is_ready());
            let gone = match kind {
                Kind::Application => index.applications.listed(present),
                Kind::ApplicationSet => index.application_sets.listed(present),
                Kind::AppProject => index.projects.listed(present),
                Kind::Secret => index.secrets.listed(present),
                Kind::ConfigMap => index.config_maps.listed(present),
            };
            let registered = !knew_registrations && index.knows_registrations();
            (gone, registered, !was_ready && index.is_ready())
        };
        for name in gone {
            self.delete(kind, &name);
        }
        if kind == Kind::ConfigMap {
            self.read_settings();
        }
        if registered {
            // Clusters are slow to answer at first: they need not wait for the applications.
            self.wake([Wake::Clusters, Wake::Repositories]);
        }
        if ready {
            self.wake([Wake::AllApplications]);
            self.wake_sets();
        }
    }

    fn wake_sets(&self) {
        let sets: Vec<_> = self.index().application_sets.names().cloned().collect();
        self.wake(
            sets.into_iter()
                .map(|set| Wake::ApplicationSet(set, Lane::Routine)),
        );
    }

    fn is_listed(&self, kind: Kind) -> bool {
        listing(&mut self.index_mut(), kind).done
    }

    /// Says that a kind cannot be listed and has never been.
    fn unlisted(&self, plural: &str, why: &str) {
        self.wake([Wake::Unlisted(format!(
            "{plural} of the hub's cluster cannot be listed: {why}"
        ))]);
    }

    /// Notes that a kind, which has been listed, may not be any more: what is known of it may be
    /// outdated, and the sets have to say so.
    fn denied(&self, kind: Kind, why: &str) {
        let why = Some(why.to_owned());
        let before = std::mem::replace(
            &mut listing(&mut self.index_mut(), kind).denied,
            why.clone(),
        );
        if before != why {
            self.wake_sets();
        }
    }

    /// Notes that a kind can be watched.
    fn allowed(&self, kind: Kind) {
        let before = listing(&mut self.index_mut(), kind).denied.take();
        if before.is_some() {
            self.wake_sets();
        }
    }

    fn index_mut(&self) -> RwLockWriteGuard<'_, Index> {
        self.index.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn after(&self, kind: Kind, name: &ObjectName, wakes: Vec<Wake>) {
        match kind {
            Kind::ConfigMap => self.read_settings(),
            Kind::Application => self.relate(name),
            Kind::ApplicationSet | Kind::AppProject | Kind::Secret => {}
        }
        self.wake(wakes);
    }

    fn read_settings(&self) {
        let (settings, telemetry) = Settings::read(&self.index());
        let (changed, marks_changed) = {
            let mut current = self
                .settings
                .write()
                .unwrap_or_else(PoisonError::into_inner);
            let changed = **current != settings;
            let marks_changed = current.tracking != settings.tracking;
            *current = Arc::new(settings);
            (changed, marks_changed)
        };
        let telemetry_changed = {
            let mut current = self
                .telemetry
                .write()
                .unwrap_or_else(PoisonError::into_inner);
            let changed = **current != telemetry;
            *current = Arc::new(telemetry);
            changed
        };
        if telemetry_changed {
            self.wake([Wake::Telemetry]);
        }
        if marks_changed {
            self.relate_all();
        }
        if changed {
            self.wake([Wake::Clusters, Wake::AllApplications]);
        }
    }
}

fn listing(index: &mut Index, kind: Kind) -> &mut Listing {
    match kind {
        Kind::Application => &mut index.applications.listing,
        Kind::ApplicationSet => &mut index.application_sets.listing,
        Kind::AppProject => &mut index.projects.listing,
        Kind::Secret => &mut index.secrets.listing,
        Kind::ConfigMap => &mut index.config_maps.listing,
    }
}

fn apply_to(index: &mut Index, kind: Kind, name: &ObjectName, object: &Value) -> Vec<Wake> {
    match kind {
        Kind::Application => {
            let Some(replaced) = index.applications.apply(object) else {
                return Vec::new();
            };
            application_wakes(
                name,
                replaced.before.as_deref(),
                index.applications.read(name),
            )
        }
        Kind::ApplicationSet => {
            let Some(replaced) = index.application_sets.apply(object) else {
                return Vec::new();
            };
            let asks = index
                .application_sets
                .read(name)
                .is_none_or(|after| application_set_asks(replaced.before.as_deref(), after));
            if asks {
                vec![Wake::ApplicationSet(name.clone(), Lane::Urgent)]
            } else {
                Vec::new()
            }
        }
        Kind::AppProject => match index.projects.apply(object) {
            Some(_) => vec![Wake::Project(name.name.clone())],
            None => Vec::new(),
        },
        Kind::Secret => match index.secrets.apply(object) {
            Some(replaced) => {
                let after = index.secrets.read(name).map(Arc::as_ref);
                secret_wakes([replaced.before.as_deref(), after])
            }
            None => Vec::new(),
        },
        Kind::ConfigMap => {
            index.config_maps.apply(object);
            config_map_wakes(name)
        }
    }
}

fn application_wakes(
    name: &ObjectName,
    before: Option<&argosy_crds::Application>,
    after: Option<&Arc<argosy_crds::Application>>,
) -> Vec<Wake> {
    // A malformed one is looked at, too: it gets the condition that says so.
    let Some(after) = after else {
        return vec![Wake::Application(name.clone(), Lane::Urgent)];
    };
    let mut wakes = Vec::new();
    if application_asks(before, after) {
        let lane = if before.is_some() {
            Lane::Urgent
        } else {
            Lane::Routine
        };
        wakes.push(Wake::Application(name.clone(), lane));
    }
    if let Some(set) = owner_set(after) {
        wakes.push(if generated_part_changed(before, after) {
            Wake::ApplicationSet(set, Lane::Urgent)
        } else {
            Wake::ApplicationSetStatus(set)
        });
    }
    wakes
}

fn delete_from(index: &mut Index, kind: Kind, name: &ObjectName) -> Vec<Wake> {
    match kind {
        Kind::Application => {
            let before = index.applications.delete(name);
            let set = before.as_deref().and_then(owner_set);
            let mut wakes = vec![Wake::Application(name.clone(), Lane::Urgent)];
            wakes.extend(set.map(|set| Wake::ApplicationSet(set, Lane::Urgent)));
            wakes
        }
        Kind::ApplicationSet => {
            index.application_sets.delete(name);
            vec![Wake::ApplicationSet(name.clone(), Lane::Urgent)]
        }
        Kind::AppProject => {
            index.projects.delete(name);
            vec![Wake::Project(name.name.clone())]
        }
        Kind::Secret => {
            let before = index.secrets.delete(name);
            secret_wakes([before.as_deref(), None])
        }
        Kind::ConfigMap => {
            index.config_maps.delete(name);
            config_map_wakes(name)
        }
    }
}
