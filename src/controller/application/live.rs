//! What lives of an application on its cluster, without asking the cluster where the watch knows.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use argosy_crds::Application;
use argosy_engine::object::{GroupKind, Gvk, ObjectExt as _, ResourceKey};
use argosy_engine::sync::SyncOptions;
use argosy_facts::Observed;
use serde_json::Value;

use crate::cluster::{Cluster, Found, Served};
use crate::executor::Place;

/// How long the first listing of a kind may take before the reconcile goes on without it; what is
/// not listed by then counts as unknown.
const PATIENCE: Duration = Duration::from_secs(10);

/// The live objects that are desired or belong to the application `instance`.
pub(super) async fn live(
    cluster: &std::sync::Arc<Cluster>,
    served: &Served,
    application: &Application,
    instance: &str,
    desired: &[Value],
) -> Observed<Vec<Value>> {
    let kinds = kinds(application, desired);
    let watchable: Vec<_> = kinds.iter().filter_map(|gvk| find(served, gvk)).collect();
    cluster.live.watch(watchable.iter().copied());
    if creates_namespace(application) && cluster.config.namespaces.is_none() {
        // So that a namespace that is there is not made again with every sync.
        cluster.live.watch(served.preferred("", "Namespace"));
    }
    let watched: BTreeSet<_> = watchable
        .iter()
        .map(|kind| GroupKind::new(&kind.resource.group, &kind.resource.kind))
        .collect();
    cluster.live.settled(&watched, PATIENCE).await;
    let mut observed = cluster.live.observed(instance, &watched);
    let missing: Vec<_> = desired
        .iter()
        .filter_map(|object| place_of(object, application, served))
        .filter(|(key, _)| observed.seen().is_none_or(|seen| !seen.contains_key(key)))
        .collect();
    for (key, gvk) in missing {
        match elsewhere(cluster, served, &key, &gvk).await {
            Ok(None) => {}
            Ok(Some(object)) => {
                observed = observed.map(|mut seen| {
                    seen.insert(key, object);
                    seen
                });
            }
            Err(why) => observed = unseen(observed, &format!("{key} cannot be read: {why}")),
        }
    }
    observed.map(|seen| seen.into_values().collect())
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
    cluster: &std::sync::Arc<Cluster>,
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

fn unseen<T>(observed: Observed<T>, why: &str) -> Observed<T> {
    match observed {
        Observed::Complete(complete) => Observed::partial(complete.into_inner(), why),
        other => other,
    }
}
