//! Stopping and starting workload clusters from outside: a ConfigMap on the hub says which cluster
//! is to run, and the process that has the clusters obeys it.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::TryStreamExt as _;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Patch, PatchParams};
use kube::runtime::{WatchStreamExt as _, watcher};
use kube::{Api, Client};
use serde_json::json;

use crate::diagnostic::{Diagnostic, Kind};
use crate::embedded::{NAMESPACE, Served};

/// The ConfigMap's name; it has a key for each workload cluster.
pub const MAP: &str = "argosy-demo";
/// The value of a cluster that is to run.
pub const RUNNING: &str = "running";
/// The value of a cluster that is to refuse connections.
pub const STOPPED: &str = "stopped";

/// Writes the ConfigMap, every cluster running.
pub(super) async fn set_up(client: &Client, clusters: &[&str]) -> Result<(), Diagnostic> {
    let data: BTreeMap<_, _> = clusters.iter().map(|name| (*name, RUNNING)).collect();
    let map = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": MAP}, "data": data,
    });
    let maps: Api<ConfigMap> = Api::namespaced(client.clone(), NAMESPACE);
    maps.patch(
        MAP,
        &PatchParams::apply("argosy").force(),
        &Patch::Apply(map),
    )
    .await
    .map(drop)
    .map_err(|error| {
        let what = format!("cannot write the ConfigMap `{MAP}`");
        Diagnostic::new(Kind::Internal, "SwitchFailed", what).because(&error)
    })
}

/// Obeys the ConfigMap for as long as it is polled.
pub(super) async fn obey(client: Client, clusters: Arc<Vec<Served>>) {
    let maps: Api<ConfigMap> = Api::namespaced(client, NAMESPACE);
    let only = watcher::Config::default().fields(&format!("metadata.name={MAP}"));
    let watched = watcher(maps, only)
        .default_backoff()
        .applied_objects()
        .try_for_each(|map| {
            let data = map.data.unwrap_or_default();
            for cluster in clusters.iter() {
                let stopped = data
                    .get(cluster.name())
                    .is_some_and(|state| state == STOPPED);
                cluster.set_stopped(stopped);
            }
            futures::future::ready(Ok(()))
        });
    if let Err(error) = watched.await {
        tracing::warn!(%error, "the demo's clusters can no longer be stopped and started");
    }
}
