//! A hub that can be ended at any moment as `kill -9` ends one.

use std::ffi::OsStr;
use std::future::pending;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use argosy::config::HubConfig;
use argosy::hub::Hub;
use argosy::metrics::MetricsConfig;
use argosy::source::Limits;
use argosy_sim::SimCluster;
use kube::Client;
use tokio::runtime::{Builder, Runtime};
use tokio_util::sync::CancellationToken;
use tower::{Service as _, service_fn};

/// How long the threads of a killed hub may take to end.
const DYING: Duration = Duration::from_mins(1);

/// What a running hub lives in.
pub(crate) struct Life {
    runtime: Runtime,
    cut: CancellationToken,
}

impl Life {
    /// Starts a hub on what this API server holds.
    pub(crate) fn start(hub_sim: &SimCluster, config: HubConfig) -> (Arc<Hub>, Self) {
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let cut = CancellationToken::new();
        let hub = {
            let _guard = runtime.enter();
            Hub::start(config, client_until(&cut, hub_sim)).unwrap()
        };
        (hub, Self { runtime, cut })
    }

    pub(crate) fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// Lets the hub end by itself, for whoever looks no more.
    pub(crate) fn abandon(self) {
        self.runtime.shutdown_background();
    }

    /// Ends the hub at whatever point it has reached.
    pub(crate) fn end(self) {
        self.cut.cancel();
        // What is killed writes no more: a thread of it that is late would be a second hub.
        tokio::task::block_in_place(|| self.runtime.shutdown_timeout(DYING));
    }
}

/// A client that asks nothing after the cut. The tasks of a runtime end one after the other, and
/// one that goes last would record what became of the others; of a killed process nothing is left
/// to record it.
fn client_until(cut: &CancellationToken, sim: &SimCluster) -> Client {
    let (cut, sim) = (cut.clone(), sim.service());
    let service = service_fn(move |request| {
        let (cut, mut sim) = (cut.clone(), sim.clone());
        async move {
            if cut.is_cancelled() {
                pending::<()>().await;
            }
            sim.call(request).await
        }
    });
    Client::new(service, "default")
}

/// The folder beside a hub's data that declares plugins, where there is one.
pub(crate) const PLUGINS: &str = "plugins";

/// How a hub of the stories is started.
pub(crate) fn config(folder: &Path, tools: &OsStr) -> HubConfig {
    HubConfig {
        tool_path: tools.to_owned(),
        plugins: Some(folder.join(PLUGINS)).filter(|plugins| plugins.is_dir()),
        listen: "127.0.0.1:0".parse().unwrap(),
        any_namespace: true,
        // Only a push or a poll makes it ask again, however slow the machine.
        git: Limits {
            interval: Duration::from_hours(2),
            list_timeout: Duration::from_secs(5),
            ..Limits::default()
        },
        answer_timeout: Duration::from_secs(5),
        metrics: MetricsConfig {
            application_labels: vec!["team".to_owned()],
            application_conditions: vec!["Waiting".to_owned()],
            application_set_labels: vec!["team".to_owned()],
            cluster_labels: vec!["env".to_owned()],
            ..MetricsConfig::default()
        },
        ..HubConfig::new(folder.join("data"))
    }
}
