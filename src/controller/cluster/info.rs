//! What the hub knows of its connections, published in one ConfigMap.
//!
//! The CLI sees only the hub's API server; this is where it reads whether a cluster answers. The
//! ConfigMap is written when something turned and not otherwise.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use argosy_engine::application::{KnownClusters, resolve};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::cluster::Cluster;
use crate::hub::Hub;

/// The ConfigMap's name; its data has a JSON [`ClusterInfo`] for each cluster's name.
pub const INFO_CONFIG_MAP: &str = "argosy-cluster-info";

/// How often the connections are compared with what was published last.
const INTERVAL: Duration = Duration::from_secs(1);

/// What is published of one cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ClusterInfo {
    /// Its API server.
    pub server: String,
    /// `Successful`, `Failed` or `Unknown`.
    pub status: String,
    /// Why it failed.
    pub message: String,
    /// The version of its API server.
    pub server_version: String,
    /// When it was last reached, while it is not.
    pub last_contact: Option<String>,
    /// How many applications it has.
    pub applications_count: usize,
    /// The uid of its namespace `kube-system`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub uid: String,
}

/// Publishes for ever.
pub async fn work(hub: Arc<Hub>) {
    let (mut counts, mut published) = (Counts::default(), None);
    loop {
        counts.update(&hub);
        let infos = hub.cluster_infos(&counts);
        if published.as_ref() != Some(&infos) {
            match publish(&hub, &infos).await {
                Ok(()) => published = Some(infos),
                Err(error) => tracing::debug!(
                    error = crate::diagnostic::chain(&error),
                    "the state of the clusters was not published"
                ),
            }
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

impl Hub {
    /// The uids of the clusters as they were published last, by server: a hub that starts anew knows
    /// its clusters again.
    pub(super) fn published_uids(&self) -> BTreeMap<String, String> {
        let index = self.fleet.index();
        let maps = index.config_maps.iter();
        let published = maps.filter(|(name, _)| name.name == INFO_CONFIG_MAP);
        published
            .flat_map(|(_, map)| map.data.iter().flatten())
            .filter_map(|(_, text)| serde_json::from_str::<ClusterInfo>(text).ok())
            .filter(|info| !info.uid.is_empty())
            .map(|info| (info.server, info.uid))
            .collect()
    }

    /// What is known of each cluster, by name.
    fn cluster_infos(&self, counts: &Counts) -> BTreeMap<String, ClusterInfo> {
        let info = |cluster: &Arc<Cluster>| {
            let applications = counts.by_server.get(&cluster.config.server).copied();
            (
                cluster.config.name.clone(),
                ClusterInfo::of(cluster, applications.unwrap_or_default()),
            )
        };
        self.clusters.all().iter().map(info).collect()
    }
}

/// How many applications each server has; counted anew only when an application or a cluster has
/// changed, for there may be many of them.
#[derive(Default)]
struct Counts {
    by_server: BTreeMap<String, usize>,
    /// The changes of applications, and the clusters, with which that was so.
    counted: Option<(u64, Arc<KnownClusters>)>,
}

impl Counts {
    fn update(&mut self, hub: &Hub) {
        let clusters = hub.known_clusters();
        let index = hub.fleet.index();
        let changes = index.applications.changes();
        let is_same = |(counted, with): &(u64, Arc<KnownClusters>)| {
            *counted == changes && Arc::ptr_eq(with, &clusters)
        };
        if self.counted.as_ref().is_some_and(is_same) {
            return;
        }
        let mut by_destination = BTreeMap::new();
        for (_, application) in index.applications.iter() {
            let destination = &application.spec.destination;
            let key = (&destination.server, &destination.name);
            by_destination.entry(key).or_insert((destination, 0)).1 += 1;
        }
        self.by_server.clear();
        for (destination, count) in by_destination.into_values() {
            if let Ok(cluster) = resolve(destination, &clusters) {
                *self.by_server.entry(cluster.server.clone()).or_default() += count;
            }
        }
        drop(index);
        self.counted = Some((changes, clusters));
    }
}

impl ClusterInfo {
    fn of(cluster: &Cluster, applications_count: usize) -> Self {
        let state = cluster.connection();
        let failed = !state.message.is_empty();
        Self {
            server: cluster.config.server.clone(),
            status: state.status.as_str().to_owned(),
            message: state.message,
            server_version: state.version.unwrap_or_default(),
            // While it answers the time would change with every look and be of no interest.
            last_contact: state
                .last_contact
                .filter(|_| failed)
                .map(|at| format!("{at:.0}")),
            applications_count,
            uid: state.uid.unwrap_or_default(),
        }
    }
}

async fn publish(hub: &Hub, infos: &BTreeMap<String, ClusterInfo>) -> kube::Result<()> {
    let api: Api<ConfigMap> = Api::namespaced(hub.client.clone(), &hub.config.namespace);
    let data: BTreeMap<_, _> = infos
        .iter()
        .filter_map(|(name, info)| Some((key_of(name), serde_json::to_string(info).ok()?)))
        .collect();
    let map = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": INFO_CONFIG_MAP, "labels": {"app.kubernetes.io/part-of": "argocd"}},
        "data": data,
    });
    let params = PatchParams::apply("argosy").force();
    api.patch(INFO_CONFIG_MAP, &params, &Patch::Apply(map))
        .await
        .map(drop)
}

/// A cluster's name as a key of a ConfigMap, which takes letters, digits and `-_.` alone.
fn key_of(name: &str) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    name.chars()
        .map(|c| if allowed(c) { c } else { '_' })
        .collect()
}
