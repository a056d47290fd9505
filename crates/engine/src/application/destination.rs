//! From a destination as written to the cluster that is meant.

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
pub struct KnownClusters(Vec<KnownCluster>);

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
        Self(clusters)
    }

    /// All clusters.
    pub fn iter(&self) -> impl Iterator<Item = &KnownCluster> {
        self.0.iter()
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
        ("", name) => {
            let named: Vec<_> = clusters.iter().filter(|c| c.name == name).collect();
            match named.as_slice() {
                [] => Err(DestinationError::UnknownName(name.to_owned())),
                [only] => Ok(*only),
                several => Err(DestinationError::AmbiguousName(
                    several.iter().map(|c| c.server.clone()).collect(),
                )),
            }
        }
        (server, "") => {
            let server = server.trim_end_matches('/');
            clusters
                .iter()
                .find(|cluster| cluster.server == server)
                .ok_or_else(|| DestinationError::UnknownServer(server.to_owned()))
        }
        (server, name) => Err(DestinationError::Both(name.to_owned(), server.to_owned())),
    }
}
