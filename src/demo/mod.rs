//! The demonstration: an embedded hub, three simulated workload clusters, and a git repository that
//! says what they run.
//!
//! Everything that the hub sees is real: cluster Secrets, HTTPS with a token, a git repository and
//! an Application. Only what runs on the workload clusters is simulated.

mod notify;
mod prometheus;
mod repository;
mod switch;
mod view;
mod workloads;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use argosy_crds::Application;
use kube::Api;
use kube::api::{Patch, PatchParams};
use tokio::sync::watch;

pub use notify::notify;
pub use prometheus::{Prometheus, Rules};
pub use repository::Repository;
pub use switch::{MAP as SWITCH, RUNNING, STOPPED};
pub use view::{Row, View};

use crate::config::HubConfig;
use crate::diagnostic::Diagnostic;
use crate::embedded::{DataDir, Embedded, NAMESPACE, Served};
use crate::hub::Hub;
use crate::telemetry::Logs;

/// The Application that brings in all others.
pub const ROOT: &str = "fleet";

/// How a demonstration is started.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the hub's API server listens; port 0 takes any that is free.
    pub address: SocketAddr,
    /// Where the hub listens for metrics and webhooks; port 0 takes any that is free.
    pub listen: SocketAddr,
    /// The logs of this process.
    pub logs: Logs,
}

/// A running demonstration.
pub struct Demo {
    /// The repository that says what runs.
    pub repository: Repository,
    /// The kubeconfig with a context for the hub and for each workload cluster.
    pub kubeconfig: PathBuf,
    /// Where the hub serves metrics, health and webhooks.
    pub address: SocketAddr,
    hub: Arc<Hub>,
    workloads: Arc<Vec<Served>>,
    _embedded: Embedded,
    _data: DataDir,
}

impl Demo {
    /// Starts everything, telling `tell` about each part that stands.
    pub async fn start(
        data: DataDir,
        options: &Options,
        tell: impl Fn(String),
    ) -> Result<Self, Diagnostic> {
        repository::require_git().await?;
        let embedded_options = crate::embedded::Options {
            address: options.address,
            // A demonstration starts afresh; what lasts is the repository.
            persist: false,
        };
        let embedded = Embedded::start(&data, &embedded_options).await?;
        let workloads = workloads::start().await?;
        let all: Vec<_> = workloads.iter().collect();
        let kubeconfig = embedded.write_kubeconfig(&data, &all)?;
        tell(format!("hub cluster at {}", embedded.served.url()));
        let repository = Repository::open(&data.path("fleet")).await?;
        tell(repository.description());

        for (cluster, profile) in workloads.iter().zip(&workloads::PROFILES) {
            workloads::register(&embedded.client, cluster, profile).await?;
        }
        let names: Vec<_> = workloads.iter().map(Served::name).collect();
        tell(format!("workload clusters {}", names.join(", ")));
        switch::set_up(&embedded.client, &names).await?;

        let mut config = HubConfig::new(data.path("cache"));
        config.listen = options.listen;
        config.logs = options.logs.clone();
        let hub = Hub::start(config, embedded.client.clone())?;
        let address = crate::server::serve(&hub).await?;
        repository.install_hook(address)?;
        apply_root(&hub, &repository).await?;
        tell(format!("hub at http://{address}"));

        let workloads = Arc::new(workloads);
        hub.spawn(switch::obey(hub.client.clone(), Arc::clone(&workloads)));
        Ok(Self {
            repository,
            kubeconfig,
            address,
            hub,
            workloads,
            _embedded: embedded,
            _data: data,
        })
    }

    /// What the applications look like, now and from now on.
    pub fn view(&self) -> watch::Receiver<View> {
        let names = self
            .workloads
            .iter()
            .map(|cluster| (cluster.url(), cluster.name().to_owned()));
        view::follow(&self.hub, names.collect())
    }

    /// Ends the hub, then the clusters. The kubeconfig leads nowhere from then on, so it goes too.
    pub async fn shut_down(self) {
        self.hub.shut_down().await;
        // It may be gone already; then there is nothing to tidy up.
        let _ = std::fs::remove_file(&self.kubeconfig);
    }
}

async fn apply_root(hub: &Hub, repository: &Repository) -> Result<(), Diagnostic> {
    let root = repository.root()?;
    let api: Api<Application> = Api::namespaced(hub.client.clone(), NAMESPACE);
    api.patch(
        ROOT,
        &PatchParams::apply("kubectl").force(),
        &Patch::Apply(&root),
    )
    .await
    .map(drop)
    .map_err(|error| {
        Diagnostic::user("RootInvalid", "cannot apply the root application")
            .at(repository.path().join("root.yaml").display().to_string())
            .because(&error)
            .fix("correct the file, or remove the repository to start afresh")
    })
}
