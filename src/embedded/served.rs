//! A simulated cluster on a local port, behind TLS and a random token.

use std::net::SocketAddr;

use argosy_facts::Secret;
use argosy_sim::{RunningServer, ServeError, ServeOptions, SimCluster, SimConfig, SimServer};
use kube::Client;

use crate::diagnostic::{Diagnostic, Kind};

/// A cluster and the server in front of it; it ends when this is dropped.
pub struct Served {
    cluster: SimCluster,
    server: RunningServer,
    token: Secret,
}

impl Served {
    /// Starts a cluster and serves it; port 0 takes any that is free.
    pub async fn start(config: SimConfig, address: SocketAddr) -> Result<Self, Diagnostic> {
        let cluster = SimCluster::new(config).map_err(|error| {
            Diagnostic::config("StateUnusable", "cannot start the embedded cluster")
                .because(&error)
                .fix("end the other process, or name another directory with --data")
        })?;
        let token = random_token();
        let options = ServeOptions {
            token: token.clone(),
        };
        let server = SimServer::serve(cluster.clone(), address, options)
            .await
            .map_err(|error| cannot_serve(address, &error))?;
        Ok(Self {
            cluster,
            server,
            token,
        })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.cluster.name()
    }

    /// The URL of its API server.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// The certificate of the authority that its server's certificate is from, in PEM.
    pub fn ca_pem(&self) -> &str {
        &self.server.ca_pem
    }

    /// The administrator's token.
    pub fn token(&self) -> &Secret {
        &self.token
    }

    /// A client inside the process.
    pub fn client(&self, namespace: &str) -> Client {
        Client::new(self.cluster.service(), namespace)
    }

    /// Refuses connections, as a cluster that is gone, or takes them again.
    pub fn set_stopped(&self, stopped: bool) {
        let faults = self.cluster.faults();
        if stopped {
            faults.stop();
        } else {
            faults.start();
        }
    }

    pub(super) fn kubeconfig(&self) -> String {
        self.server.kubeconfig()
    }
}

/// 256 bits that nobody can guess.
fn random_token() -> Secret {
    use std::fmt::Write as _;
    let mut token = String::with_capacity(64);
    for byte in rand::random::<[u8; 32]>() {
        let _ = write!(token, "{byte:02x}");
    }
    Secret::new(token)
}

fn cannot_serve(address: SocketAddr, error: &ServeError) -> Diagnostic {
    match error {
        ServeError::Listen { source, .. } => {
            let what = format!("cannot listen on {address}");
            Diagnostic::user("PortUnusable", what)
                .because(source)
                .fix("choose another port with --port, or leave it out for any that is free")
        }
        ServeError::Certificate(_) | ServeError::Tls(_) => Diagnostic::new(
            Kind::Internal,
            "ServingFailed",
            "cannot serve the embedded cluster",
        )
        .because(error),
    }
}
