//! `argosy cluster …`.

mod add;
mod get;
mod list;
mod remote;
mod rm;

use std::collections::BTreeMap;

use argosy_crds::names;
use clap::Subcommand;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::Api;
use kube::api::ListParams;
use serde::Serialize;

use super::hub_access::{HubArgs, absent, failed};
use super::{CommandResult, block_on};
use crate::cluster::ClusterConfig;
use crate::controller::cluster::{ClusterInfo, INFO_CONFIG_MAP};
use crate::diagnostic::Diagnostic;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Register a cluster.
    Add(Box<add::Args>),
    /// List the registered clusters.
    List(list::Args),
    /// Show one cluster.
    Get(get::Args),
    /// Let go of a cluster.
    Rm(rm::Args),
}

pub(crate) fn run(command: Command) -> CommandResult {
    match command {
        Command::Add(args) => block_on(add::run(*args)),
        Command::List(args) => block_on(list::run(args)),
        Command::Get(args) => block_on(get::run(args)),
        Command::Rm(args) => block_on(rm::run(args)),
    }
}

/// A cluster as the CLI shows it; no credential is part of it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Registered {
    name: String,
    server: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
    labels: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespaces: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    project: Option<String>,
    connection: ClusterInfo,
}

/// All registered clusters, with what the hub published of them.
async fn registered(hub: &HubArgs) -> Result<Vec<Registered>, Diagnostic> {
    let client = hub.client().await?;
    let secrets: Api<Secret> = Api::namespaced(client.clone(), &hub.namespace);
    let selector = format!(
        "{}={}",
        names::label::SECRET_TYPE,
        names::label::SECRET_TYPE_CLUSTER
    );
    let found = secrets
        .list(&ListParams::default().labels(&selector))
        .await
        .map_err(|error| failed("cannot list cluster Secrets", &error))?;
    let mut infos = published(Api::namespaced(client, &hub.namespace)).await?;
    let mut clusters = Vec::new();
    for secret in found.items {
        let name = secret.metadata.name.clone();
        match ClusterConfig::from_secret(&secret) {
            Ok(config) => {
                let info = infos.remove(&config.server).unwrap_or_default();
                clusters.push(Registered::new(config, name, info));
            }
            Err(error) => super::output::note(format!(
                "Warning: Secret `{}` is passed over: {error}",
                name.unwrap_or_default()
            )),
        }
    }
    if let Some(info) = infos.remove(names::IN_CLUSTER_SERVER) {
        clusters.push(Registered::new(ClusterConfig::in_cluster(), None, info));
    }
    clusters.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(clusters)
}

async fn published(maps: Api<ConfigMap>) -> Result<BTreeMap<String, ClusterInfo>, Diagnostic> {
    let map = maps
        .get_opt(INFO_CONFIG_MAP)
        .await
        .map_err(|error| failed("cannot read the state of the clusters", &error))?;
    let data = map.and_then(|map| map.data).unwrap_or_default();
    let infos = data
        .values()
        .filter_map(|text| serde_json::from_str::<ClusterInfo>(text).ok());
    Ok(infos.map(|info| (info.server.clone(), info)).collect())
}

/// The cluster that `wanted` names, by name or server.
async fn find(hub: &HubArgs, wanted: &str) -> Result<Registered, Diagnostic> {
    let clusters = registered(hub).await?;
    let server = wanted.trim_end_matches('/');
    let known: Vec<_> = clusters
        .iter()
        .map(|cluster| cluster.name.clone())
        .collect();
    clusters
        .into_iter()
        .find(|cluster| cluster.name == wanted || cluster.server == server)
        .ok_or_else(|| absent("cluster", wanted, &known))
}

impl Registered {
    fn new(config: ClusterConfig, secret: Option<String>, connection: ClusterInfo) -> Self {
        let ClusterConfig {
            name,
            server,
            labels,
            namespaces,
            project,
            ..
        } = config;
        Self {
            name,
            server,
            secret,
            labels,
            namespaces,
            project,
            connection,
        }
    }

    fn status(&self) -> String {
        match self.connection.status.as_str() {
            "" => "Unknown".to_owned(),
            status => status.to_owned(),
        }
    }
}
