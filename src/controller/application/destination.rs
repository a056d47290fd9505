//! Where an application goes: its destination, among the clusters that are registered.

use std::sync::Arc;

use argosy_crds::Application;
use argosy_engine::application::{DestinationError, KnownCluster, resolve};

use crate::cluster::Cluster;
use crate::hub::Hub;

impl Hub {
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
