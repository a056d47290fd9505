//! Secrets into connections and credentials.

use std::collections::BTreeMap;
use std::sync::Arc;

use argosy_crds::names;
use argosy_engine::application::{KnownCluster, KnownClusters};
use k8s_openapi::api::core::v1 as core;

use crate::cluster::{Cluster, ClusterConfig};
use crate::hub::Hub;
use crate::source::{Repositories, TrustedHosts, decoded};

impl Hub {
    /// Brings the connections in step with the cluster Secrets. Does nothing before the Secrets
    /// have been listed: a cluster must not be let go of because nobody has looked yet.
    pub(crate) fn connect_clusters(self: &Arc<Self>) {
        let Some(registered) = self.registered_clusters() else {
            return;
        };
        for (server, why) in self.clusters.reconcile(&registered, &self.published_uids()) {
            tracing::warn!(cluster = server, why, "cannot connect to the cluster");
        }
        let clusters = self.clusters.all();
        let known = clusters.iter().map(|cluster| known(cluster)).collect();
        // The hub's own cluster is among them where it may be used.
        self.set_known_clusters(KnownClusters::new(known, false));
        self.set_clusters_known();
    }

    fn registered_clusters(&self) -> Option<BTreeMap<String, ClusterConfig>> {
        let in_cluster = self.fleet.settings().in_cluster_enabled;
        let index = self.fleet.index();
        if !index.secrets.is_listed() || !index.config_maps.is_listed() {
            return None;
        }
        let mut registered = BTreeMap::new();
        for (name, secret) in index
            .secrets
            .iter()
            .filter(|(_, secret)| is_of_type(secret, names::label::SECRET_TYPE_CLUSTER))
        {
            match ClusterConfig::from_secret(secret) {
                Ok(config) => drop(registered.insert(config.server.clone(), config)),
                Err(error) => {
                    tracing::warn!(secret = %name, %error, "the cluster Secret cannot be used");
                }
            }
        }
        if in_cluster {
            registered
                .entry(names::IN_CLUSTER_SERVER.to_owned())
                .or_insert_with(ClusterConfig::in_cluster);
        }
        Some(registered)
    }

    /// Reads the repository Secrets anew.
    pub(crate) fn read_repositories(&self) {
        let (all, secrets): (bool, Vec<_>) = {
            let index = self.fleet.index();
            let secrets = index
                .secrets
                .iter()
                .filter_map(|(name, secret)| {
                    let kind = secret
                        .metadata
                        .labels
                        .as_ref()?
                        .get(names::label::SECRET_TYPE)?;
                    Some((name.name.clone(), kind.clone(), decoded(secret)))
                })
                .collect();
            (index.secrets.is_listed(), secrets)
        };
        let borrowed = secrets
            .iter()
            .map(|(name, kind, data)| (name.as_str(), kind.as_str(), data));
        let (repositories, errors) = Repositories::read(borrowed, self.trusted_hosts());
        for error in errors {
            tracing::warn!(
                secret = error.secret,
                why = error.why,
                "the repository Secret cannot be used"
            );
        }
        self.set_repositories(repositories);
        if all {
            self.set_repositories_known();
        }
    }

    fn trusted_hosts(&self) -> TrustedHosts {
        let index = self.fleet.index();
        let data = |name: &str| {
            let found = index.config_maps.iter().find(|(key, _)| key.name == name);
            found
                .and_then(|(_, map)| map.data.clone())
                .unwrap_or_default()
        };
        TrustedHosts::read(data)
    }
}

fn known(cluster: &Cluster) -> KnownCluster {
    KnownCluster {
        name: cluster.config.name.clone(),
        server: cluster.config.server.clone(),
        project: cluster.config.project.clone(),
    }
}

fn is_of_type(secret: &core::Secret, kind: &str) -> bool {
    let labels = secret.metadata.labels.as_ref();
    labels
        .and_then(|labels| labels.get(names::label::SECRET_TYPE))
        .is_some_and(|found| found == kind)
}
