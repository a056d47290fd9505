//! The hub cluster inside the process: an API server in memory with Argosy's kinds, reachable with
//! kubectl, for `argosy up` and `argosy demo`.
//!
//! The hub talks to it through kube's client as to any other cluster; nothing here knows that a hub
//! exists, and nothing in the hub knows that its cluster is embedded.

mod data_dir;
mod kubeconfig;
mod seed;
mod served;

use std::net::SocketAddr;
use std::path::PathBuf;

use kube::Client;

pub use data_dir::DataDir;
pub use kubeconfig::kubeconfig;
pub use served::Served;

use crate::diagnostic::Diagnostic;

/// The namespace of the hub's own objects, as Argo CD's manifests have it.
pub const NAMESPACE: &str = "argocd";

/// The name of the hub's cluster, and of its context in the kubeconfig.
pub const NAME: &str = "hub";

/// How an embedded hub cluster is started.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where its API server listens; port 0 takes any that is free.
    pub address: SocketAddr,
    /// Whether its objects outlive the process.
    pub persist: bool,
}

/// A running hub cluster; it ends when this is dropped.
pub struct Embedded {
    /// A client inside the process, which needs neither network nor token.
    pub client: Client,
    /// The way in for everybody else.
    pub served: Served,
}

impl Embedded {
    /// Starts the cluster with its state in `data`, serves it, and puts in what a hub needs.
    pub async fn start(data: &DataDir, options: &Options) -> Result<Self, Diagnostic> {
        let mut config = argosy_sim::SimConfig::new(NAME);
        if options.persist {
            config.persist = Some(data.path("hub.redb"));
            // The seed decides the key that signs tokens of service accounts: they stay valid.
            config.seed = data.seed()?;
        } else {
            config.seed = rand::random();
        }
        let served = Served::start(config, options.address).await?;
        let client = served.client(NAMESPACE);
        seed::seed(&client).await?;
        Ok(Self { client, served })
    }

    /// Writes the administrator's kubeconfig, with a context for each of `others` too, and returns
    /// its path. Only the user can read it.
    pub fn write_kubeconfig(
        &self,
        data: &DataDir,
        others: &[&Served],
    ) -> Result<PathBuf, Diagnostic> {
        let mut clusters = vec![&self.served];
        clusters.extend_from_slice(others);
        data.write_private("kubeconfig", &kubeconfig(&clusters)?)
    }
}

#[cfg(test)]
mod tests;
