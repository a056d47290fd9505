//! All registered clusters, kept in step with their Secrets.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use argosy_crds::names::annotation::CLUSTER_UID;
use kube::Client;

use super::live::{Changed, Reading};
use super::{Cluster, ClusterConfig, Dial, SchemaCache};
use crate::clock::Clock;

/// Is told the API server of a cluster and the instance name of an application that changed there.
pub type LiveChanged = Arc<dyn Fn(&str, &str) + Send + Sync>;

/// Is told the API server of a cluster that was lost or found again.
pub type ConnectionChanged = Arc<dyn Fn(&str) + Send + Sync>;

/// What a cluster tells the hub, and what it has to know to do so.
#[derive(Clone)]
pub struct Events {
    /// Tells the time.
    pub clock: Clock,
    /// Reads live objects as the settings say.
    pub reading: Reading,
    /// Live objects of an application (server, instance name) changed.
    pub live: LiveChanged,
    /// A cluster (server) became reachable or unreachable.
    pub connection: ConnectionChanged,
}

impl Events {
    pub(super) fn live_changed(&self, server: &str) -> Changed {
        let (live, server) = (Arc::clone(&self.live), server.to_owned());
        Arc::new(move |instance| live(&server, instance))
    }

    pub(super) fn connection_changed(&self, server: &str) -> impl Fn() + Send + Sync + 'static {
        let (connection, server) = (Arc::clone(&self.connection), server.to_owned());
        move || connection(&server)
    }
}

/// The connections of the fleet, by API server.
pub struct Clusters {
    hub: Client,
    dial: Dial,
    events: Events,
    schemas: SchemaCache,
    by_server: RwLock<BTreeMap<String, Arc<Cluster>>>,
}

impl Clusters {
    /// No cluster yet; `hub` is the client of the cluster that the hub itself uses, `dial` makes the
    /// others.
    pub fn new(hub: Client, dial: Dial, events: Events) -> Self {
        Self {
            hub,
            dial,
            events,
            schemas: SchemaCache::default(),
            by_server: RwLock::default(),
        }
    }

    /// The cluster behind `server`.
    pub fn get(&self, server: &str) -> Option<Arc<Cluster>> {
        self.read().get(server).cloned()
    }

    /// All clusters, by server.
    pub fn all(&self) -> Vec<Arc<Cluster>> {
        self.read().values().cloned().collect()
    }

    /// `uids` are those of the clusters that were there before, by server.
    ///
    /// Connects what is registered, reconnects what changed, and lets go of what is no longer
    /// there. Returns what could not be connected, by server, with the reason.
    pub fn reconcile(
        &self,
        registered: &BTreeMap<String, ClusterConfig>,
        uids: &BTreeMap<String, String>,
    ) -> BTreeMap<String, String> {
        let mut clusters = self
            .by_server
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        clusters.retain(|server, cluster| registered.get(server) == Some(&cluster.config));
        let mut refused = BTreeMap::new();
        for (server, config) in registered {
            if clusters.contains_key(server) {
                continue;
            }
            let asked = config.annotations.get(CLUSTER_UID);
            let uid = asked.or_else(|| uids.get(server)).cloned();
            let known = (self.schemas.clone(), uid);
            let connected =
                Cluster::connect(config.clone(), &self.hub, &self.dial, &self.events, known);
            match connected {
                Ok(cluster) => {
                    clusters.insert(server.clone(), cluster);
                }
                Err(error) => {
                    refused.insert(server.clone(), crate::diagnostic::chain(&error));
                }
            }
        }
        refused
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, BTreeMap<String, Arc<Cluster>>> {
        self.by_server
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
