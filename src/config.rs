//! How a hub is started: what its command line says. What its ConfigMaps say is in
//! [`crate::fleet::Settings`].

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use crate::leader::Candidate;
use crate::metrics::MetricsConfig;
use crate::source::Limits;
use crate::telemetry::Logs;
use crate::traces::OtlpSettings;

/// How a hub is started.
#[derive(Clone, Debug)]
pub struct HubConfig {
    /// The namespace of its Secrets, ConfigMaps, projects and applications.
    pub namespace: String,
    /// Where mirrors of repositories are kept; a cache that may be deleted at any time.
    pub data: PathBuf,
    /// How many bytes the mirrors may have together.
    pub git_quota: u64,
    /// Where it listens for metrics, health checks and webhooks.
    pub listen: SocketAddr,
    /// How many applications of one cluster are worked on at once.
    pub workers_per_cluster: usize,
    /// How many ApplicationSets are worked on at once.
    pub application_set_workers: usize,
    /// How many objects of one application are written at once.
    pub apply_parallelism: usize,
    /// Whether other namespaces are watched; the settings say which of them count.
    pub any_namespace: bool,
    /// How often and how long repositories are talked to.
    pub git: Limits,
    /// How long a provider or plugin may take for one answer, and the hub's API server for a cluster
    /// decision.
    pub answer_timeout: Duration,
    /// The folders in which it looks for `helm` and `kustomize`, in the form of `PATH`.
    pub tool_path: OsString,
    /// The folder whose files declare config management plugins.
    pub plugins: Option<PathBuf>,
    /// How much its metrics tell.
    pub metrics: MetricsConfig,
    /// Its logs, whose filter the settings may change.
    pub logs: Logs,
    /// Where its traces go; what is not said here the settings may say.
    pub otlp: OtlpSettings,
    /// Whether it only looks, and compares its verdicts with those that an Argo CD wrote: it sends
    /// no request that is not a read.
    pub shadow: bool,
    /// Its part among several hubs, of which one works; without it, it is the only one.
    pub candidate: Option<Candidate>,
}

impl HubConfig {
    /// Where a hub listens when it is told nothing: the port of Argo CD's metrics, on this machine
    /// alone.
    pub const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8082);

    /// How many bytes the mirrors of a hub may have that is told nothing: with charts and renders
    /// they fit into the volume of the manifests that `argosy install` applies.
    pub const GIT_QUOTA: u64 = 6 << 30;

    /// A hub with the defaults, its caches in `data`.
    pub fn new(data: impl Into<PathBuf>) -> Self {
        Self {
            namespace: "argocd".to_owned(),
            data: data.into(),
            git_quota: Self::GIT_QUOTA,
            listen: Self::LISTEN,
            workers_per_cluster: 8,
            application_set_workers: 4,
            apply_parallelism: 8,
            any_namespace: false,
            git: Limits::default(),
            answer_timeout: Duration::from_secs(30),
            tool_path: std::env::var_os("PATH").unwrap_or_default(),
            plugins: None,
            metrics: MetricsConfig::default(),
            logs: Logs::default(),
            otlp: OtlpSettings::default(),
            shadow: false,
            candidate: None,
        }
    }
}
