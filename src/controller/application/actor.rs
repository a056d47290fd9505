//! As whom the hub changes a cluster for an application.
//!
//! Everything that is written to a cluster, tried there or deleted goes through the client that is
//! found here; what is only watched there is read with the hub's own rights.

use argosy_crds::{AppProject, Application};
use argosy_engine::application::KnownCluster;
use kube::Client;

use crate::cluster::Cluster;
use crate::fleet::Settings;

/// The client with the rights that an application has on its cluster; the error is that nobody says
/// whose these are.
pub(super) fn actor(
    settings: &Settings,
    application: &Application,
    project: &AppProject,
    (cluster, known): (&Cluster, &KnownCluster),
) -> Result<Client, String> {
    let user = settings.impersonation.user(project, application, known);
    match user.map_err(|error| error.to_string())? {
        None => Ok(cluster.client.clone()),
        Some(user) => cluster.client_of(&user),
    }
}
