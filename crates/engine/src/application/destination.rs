//! From a destination as written to the cluster that is meant.

use std::collections::BTreeMap;

use argosy_crds::application::ApplicationDestination;
use argosy_crds::names::{IN_CLUSTER_NAME, IN_CLUSTER_SERVER};
use thiserror::Error;

/// A registered cluster, as far as destinations need to know it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownCluster {
    /// Name for people.
    pub name: String,
    /// URL of its API server, without a slash at the end.
    pub server: String,
    /// The only project that may use it, if any.
    pub project: Option<String>,
}

/// The registered clusters, `in-cluster` included unless it is registered or turned off.
#[derive(Clone, Debug, Default)]
pub struct KnownClusters {
    clusters: Vec<KnownCluster>,
    /// The place of the first with this server: every application asks for its own.
    by_server: BTreeMap<String, usize>,
    by_name: BTreeMap<String, Vec<usize>>,
}

impl KnownClusters {
    /// Takes the clusters of the cluster Secrets; `in_cluster` tells whether the hub's own cluster
    /// may be used.
    pub fn new(registered: Vec<KnownCluster>, in_cluster: bool) -> Self {
        let mut clusters = registered;
        for cluster in &mut clusters {
            let trimmed = cluster.server.trim_end_matches('/').len();
            cluster.server.truncate(trimmed);
        }
        let known = clusters
            .iter()
            .any(|cluster| cluster.server == IN_CLUSTER_SERVER);
        if in_cluster && !known {
            clusters.push(KnownCluster {
                name: IN_CLUSTER_NAME.to_owned(),
                server: IN_CLUSTER_SERVER.to_owned(),
                project: None,
            });
        }
        let (mut by_server, mut by_name) = (BTreeMap::new(), BTreeMap::<_, Vec<_>>::new());
        for (place, cluster) in clusters.iter().enumerate() {
            by_server.entry(cluster.server.clone()).or_insert(place);
            by_name.entry(cluster.name.clone()).or_default().push(place);
        }
        Self {
            clusters,
            by_server,
            by_name,
        }
    }

    fn with_server(&self, server: &str) -> Option<&KnownCluster> {
        self.clusters.get(*self.by_server.get(server)?)
    }

    fn named(&self, name: &str) -> Vec<&KnownCluster> {
        let places = self.by_name.get(name).into_iter().flatten();
        places
            .filter_map(|&place| self.clusters.get(place))
            .collect()
    }

    /// All clusters.
    pub fn iter(&self) -> impl Iterator<Item = &KnownCluster> {
        self.clusters.iter()
    }
}

/// Why a destination means no cluster.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DestinationError {
    /// Both ways to name a cluster are used.
    #[error("application destination can't have both name and server defined: {0} {1}")]
    Both(String, String),
    /// Neither is.
    #[error("Destination server missing from app spec")]
    Neither,
    /// No cluster of that name.
    #[error("there are no clusters with this name: {0}")]
    UnknownName(String),
    /// Several clusters of that name.
    #[error("there are {} clusters with the same name: [{}]", .0.len(), .0.join(" "))]
    AmbiguousName(Vec<String>),
    /// No cluster with that server.
    #[error("error getting cluster by server \"{0}\": cluster \"{0}\" not found")]
    UnknownServer(String),
}

/// Finds the cluster that a destination means.
pub fn resolve<'c>(
    destination: &ApplicationDestination,
    clusters: &'c KnownClusters,
) -> Result<&'c KnownCluster, DestinationError> {
    let ApplicationDestination {
        server,
        name,
        namespace: _,
    } = destination;
    match (server.as_str(), name.as_str()) {
        ("", "") => Err(DestinationError::Neither),
        ("", name) => match clusters.named(name).as_slice() {
            [] => Err(DestinationError::UnknownName(name.to_owned())),
            [only] => Ok(*only),
            several => Err(DestinationError::AmbiguousName(
                several.iter().map(|c| c.server.clone()).collect(),
            )),
        },
        (server, "") => {
            let server = server.trim_end_matches('/');
            clusters
                .with_server(server)
                .ok_or_else(|| DestinationError::UnknownServer(server.to_owned()))
        }
        (server, name) => Err(DestinationError::Both(name.to_owned(), server.to_owned())),
    }
}
