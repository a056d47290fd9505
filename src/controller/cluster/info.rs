//! What the hub knows of its connections, published in one ConfigMap.
//!
//! The CLI sees only the hub's API server; this is where it reads whether a cluster answers. The
//! ConfigMap is written when something turned and not otherwise.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

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
    let mut published = None;
    loop {
        let infos = hub.cluster_infos();
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
    pub fn cluster_infos(&self) -> BTreeMap<String, ClusterInfo> {
        let clusters = self.clusters.all();
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        let applications: Vec<_> = self
            .fleet
            .index()
            .applications
            .iter()
            .map(|(_, app)| Arc::clone(app))
            .collect();
        for server in applications.iter().filter_map(|app| self.server_of(app)) {
            *counts.entry(server).or_default() += 1;
        }
        let info = |cluster: &Arc<Cluster>| {
            let applications = counts
                .get(&cluster.config.server)
                .copied()
                .unwrap_or_default();
            (
                cluster.config.name.clone(),
                ClusterInfo::of(cluster, applications),
            )
        };
        clusters.iter().map(info).collect()
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
