//! What lives of an application on its cluster, without asking the cluster where the watch knows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use argosy_crds::Application;
use argosy_engine::object::{GroupKind, Gvk, ObjectExt as _, ResourceKey};
use argosy_engine::sync::SyncOptions;
use argosy_facts::Observed;
use serde_json::Value;

use crate::cluster::{Cluster, Found, Living, Served, Taint};
use crate::executor::Place;
use crate::hub::Hub;

/// How long the first listing of a kind may take before the reconcile goes on without it; what is
/// not listed by then counts as unknown.
const PATIENCE: Duration = Duration::from_secs(10);

/// What lives of an application.
pub(super) struct Live {
    /// The objects that are desired or its own, of the kinds that can be seen.
    pub(super) objects: Observed<Vec<Value>>,
    /// The kinds that cannot be seen now, and why: of them nothing is judged, written or pruned.
    pub(super) tainted: BTreeMap<GroupKind, String>,
    /// Whether the cluster may serve something else by now than it is believed to.
    pub(super) is_outdated: bool,
}

impl Live {
    /// All objects, or as many as can be seen.
    pub(super) fn whole(self) -> Observed<Vec<Value>> {
        match (self.objects, self.tainted.into_values().next()) {
            (Observed::Complete(objects), Some(why)) => {
                Observed::partial(objects.into_inner(), why)
            }
            (objects, _) => objects,
        }
    }
}

/// The live objects that are desired or belong to the application `instance`.
pub(super) async fn live(
    cluster: &Arc<Cluster>,
    served: &Served,
    application: &Application,
    instance: &str,
    desired: &[Value],
) -> Live {
    let kinds = kinds(application, desired);
    let watchable: Vec<_> = kinds.iter().filter_map(|gvk| find(served, gvk)).collect();
    cluster.live.watch(watchable.iter().copied());
    watch_namespaces(cluster, served, application);
    let watched: BTreeSet<_> = watchable
        .iter()
        .map(|kind| GroupKind::new(&kind.resource.group, &kind.resource.kind))
        .collect();
    let unserved = unserved(cluster, served, &kinds);
    cluster.live.settled(&watched, PATIENCE).await;
    let Living {
        mut objects,
        mut tainted,
    } = cluster.live.observed(instance, &watched);
    tainted.extend(unserved);
    let missing: BTreeMap<_, _> = desired
        .iter()
        .filter_map(|object| place_of(object, application, served))
        .filter(|(key, _)| !tainted.contains_key(&key.group_kind()))
        .filter(|(key, _)| objects.seen().is_none_or(|seen| !seen.contains_key(key)))
        .collect();
    cluster
        .live
        .follow(instance, missing.keys().cloned().collect());
    for (key, gvk) in missing {
        match elsewhere(cluster, served, &key, &gvk).await {
            Ok(None) => {}
            Ok(Some(object)) => {
                objects = objects.map(|mut seen| {
                    seen.insert(key, object);
                    seen
                });
            }
            Err(why) => {
                let taint = Taint {
                    why: format!("{key} cannot be read: {why}"),
                    is_outdated: false,
                };
                tainted.insert(key.group_kind(), taint);
            }
        }
    }
    let is_seen = |key: &ResourceKey| !tainted.contains_key(&key.group_kind());
    Live {
        objects: objects.map(|seen| {
            let seen = seen.into_iter().filter(|(key, _)| is_seen(key));
            seen.map(|(_, object)| object).collect()
        }),
        is_outdated: tainted.values().any(|taint| taint.is_outdated),
        tainted: tainted
            .into_iter()
            .map(|(kind, taint)| (kind, taint.why))
            .collect(),
    }
}

/// Watches on a cluster all that its applications are known to have there, for a hub that stands by.
pub async fn watch_in_advance(hub: Arc<Hub>, server: String) {
    let Some(cluster) = hub.clusters.get(&server) else {
        return;
    };
    let Ok(served) = cluster.discovery.get(&cluster.client).await else {
        // Whoever works there asks again.
        return;
    };
    let kinds: BTreeSet<Gvk> = {
        let index = hub.fleet.index();
        let applications = index.applications.iter().map(|(_, app)| app);
        let there = applications.filter(|app| hub.server_of(app).as_deref() == Some(&server));
        there.flat_map(|app| kinds(app, &[])).collect()
    };
    let served = kinds.iter().filter_map(|gvk| find(&served, gvk));
    cluster.live.watch(served);
}

/// Watches which namespaces there are where a sync makes the application's own, so that one that is
/// there is not made again with every sync.
fn watch_namespaces(cluster: &Arc<Cluster>, served: &Served, application: &Application) {
    if !creates_namespace(application) || cluster.config.namespaces.is_some() {
        return;
    }
    let namespaces = served.preferred("", "Namespace");
    let policy = application.spec.sync_policy.as_ref();
    if policy.is_some_and(|policy| policy.managed_namespace_metadata.is_some()) {
        cluster.live.watch(namespaces);
    } else {
        cluster.live.watch_metadata(namespaces);
    }
}

/// The kinds that are not served. What the cluster could not find out is tainted; what it does not
/// serve has no objects.
fn unserved(
    cluster: &Cluster,
    served: &Served,
    kinds: &BTreeSet<Gvk>,
) -> BTreeMap<GroupKind, Taint> {
    let mut tainted = BTreeMap::new();
    for gvk in kinds.iter().filter(|gvk| find(served, gvk).is_none()) {
        if served.is_stale(&gvk.group) {
            let taint = Taint {
                why: format!(
                    "the cluster cannot find out what its API group {} serves; see the APIServices \
                     of that group",
                    gvk.group
                ),
                is_outdated: true,
            };
            tainted.insert(gvk.group_kind(), taint);
        } else {
            cluster.live.forget(&gvk.group_kind());
        }
    }
    tainted
}

fn creates_namespace(application: &Application) -> bool {
    let policy = application.spec.sync_policy.iter();
    let options = policy.flat_map(|policy| &policy.sync_options);
    SyncOptions::parse(options.map(String::as_str)).create_namespace
}

/// The kinds that may hold something of the application: what is desired, and what it had.
fn kinds(application: &Application, desired: &[Value]) -> BTreeSet<Gvk> {
    let had = application
        .status
        .iter()
        .flat_map(|status| &status.resources)
        .map(|resource| Gvk {
            group: resource.group.clone(),
            version: resource.version.clone(),
            kind: resource.kind.clone(),
        });
    let mut kinds: BTreeMap<GroupKind, Gvk> = BTreeMap::new();
    for gvk in had.chain(desired.iter().map(Value::gvk)) {
        kinds.insert(gvk.group_kind(), gvk);
    }
    kinds.into_values().collect()
}

fn find<'a>(served: &'a Served, gvk: &Gvk) -> Option<&'a crate::cluster::ServedKind> {
    let exact = served.kind(&gvk.group, &gvk.version, &gvk.kind);
    exact.or_else(|| served.preferred(&gvk.group, &gvk.kind))
}

/// Where a desired object is to live, if its kind is served.
fn place_of(
    object: &Value,
    application: &Application,
    served: &Served,
) -> Option<(ResourceKey, Gvk)> {
    let gvk = object.gvk();
    let kind = find(served, &gvk)?;
    let key = object.resource_key();
    let namespace = match (kind.namespaced, key.namespace.as_str()) {
        (false, _) => String::new(),
        (true, "") => application.spec.destination.namespace.clone(),
        (true, namespace) => namespace.to_owned(),
    };
    Some((key.in_namespace(&namespace), gvk))
}

/// An object that is desired and tracked by nobody, or by another application.
async fn elsewhere(
    cluster: &Arc<Cluster>,
    served: &Served,
    key: &ResourceKey,
    gvk: &Gvk,
) -> Result<Option<Value>, String> {
    match cluster.live.get(key) {
        None => Ok(None),
        Some(Found::Tracked(object)) => Ok(Some(object)),
        Some(Found::Untracked) => {
            let Some(kind) = find(served, gvk) else {
                return Ok(None);
            };
            let namespace = kind.namespaced.then_some(key.namespace.as_str());
            let place = Place::new(&cluster.client, &kind.resource, namespace);
            place
                .get(&key.name)
                .await
                .map_err(|failure| failure.to_string())
        }
    }
}
