//! Where an application goes: its destination, among the clusters that are registered.

use std::sync::Arc;

use argosy_crds::Application;
use argosy_engine::application::{DestinationError, KnownCluster, KnownClusters, resolve};

use crate::cluster::Cluster;
use crate::hub::Hub;

impl Hub {
    /// The registered clusters, as destinations need to know them.
    pub(crate) fn known_clusters(&self) -> KnownClusters {
        let clusters = self.clusters.all();
        let known = clusters.iter().map(|cluster| known(cluster)).collect();
        // The hub's own cluster is among them where it may be used.
        KnownClusters::new(known, false)
    }

    /// The API server that an application's destination means, if it means one.
    pub(crate) fn server_of(&self, application: &Application) -> Option<String> {
        let clusters = self.known_clusters();
        let cluster = resolve(&application.spec.destination, &clusters).ok()?;
        Some(cluster.server.clone())
    }

    /// The cluster that an application's destination means.
    pub(super) fn destination(
        &self,
        application: &Application,
    ) -> Result<(Arc<Cluster>, KnownCluster), DestinationError> {
        let clusters = self.known_clusters();
        let found = resolve(&application.spec.destination, &clusters)?;
        match self.clusters.get(&found.server) {
            Some(cluster) => Ok((cluster, found.clone())),
            None => Err(DestinationError::UnknownServer(found.server.clone())),
        }
    }
}

fn known(cluster: &Cluster) -> KnownCluster {
    KnownCluster {
        name: cluster.config.name.clone(),
        server: cluster.config.server.clone(),
        project: cluster.config.project.clone(),
    }
}
