//! Clusters: what is counted of each as long as it is registered, and what they are at the moment of
//! a scrape.

use std::collections::BTreeMap;
use std::time::Duration;

use argosy_engine::object::GroupKind;
use jiff::Timestamp;
use prometheus::core::Collector;
use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, Opts};

use super::Momentary;
use super::config::{AllowedLabels, MetricsConfig, cut};
use super::snapshot::{Snapshot, count, unix_time};

/// Few buckets: there is such a histogram for each cluster and verb.
const SECONDS: [f64; 8] = [0.005, 0.025, 0.1, 0.25, 1.0, 5.0, 10.0, 30.0];

/// Requests to one API server.
#[derive(Clone)]
pub struct Requests {
    total: IntCounterVec,
    seconds: HistogramVec,
}

impl Requests {
    pub(super) fn new(total: Opts, seconds: HistogramOpts) -> prometheus::Result<Self> {
        Ok(Self {
            total: IntCounterVec::new(total, &["method", "verb", "code"])?,
            seconds: HistogramVec::new(seconds.buckets(SECONDS.to_vec()), &["verb"])?,
        })
    }

    /// Counts a request, answered after `took` with `code`, which is 0 where no answer came. A watch
    /// is answered when it begins.
    pub(crate) fn count(&self, method: &str, verb: &str, code: u16, took: Duration) {
        self.total
            .with_label_values(&[method, verb, &code.to_string()])
            .inc();
        self.seconds
            .with_label_values(&[verb])
            .observe(took.as_secs_f64());
    }

    pub(super) fn into_parts(self) -> (IntCounterVec, HistogramVec) {
        (self.total, self.seconds)
    }
}

/// What is counted of one cluster. It goes with the cluster, and its series with it.
pub struct ClusterMetrics {
    /// Requests to its API server.
    pub requests: Requests,
    events: IntCounterVec,
    watch_restarts: IntCounterVec,
}

impl ClusterMetrics {
    /// Nothing counted yet of the cluster behind `server`.
    pub fn new(server: &str) -> prometheus::Result<Self> {
        let host = server.split_once("://").map_or(server, |(_, host)| host);
        let host = host.split('/').next().unwrap_or_default();
        let of_requests = |opts: Opts| opts.const_label("server", server).const_label("host", host);
        let of_kinds = |name: &str, help: &str, labels: &[&str]| {
            let opts = Opts::new(name, help).const_label("server", server);
            IntCounterVec::new(opts, labels)
        };
        Ok(Self {
            requests: Requests::new(
                of_requests(Opts::new(
                    "argocd_kubectl_requests_total",
                    "Requests to a cluster's API server; code 0 is no answer.",
                )),
                HistogramOpts {
                    common_opts: of_requests(Opts::new(
                        "argocd_kubectl_request_duration_seconds",
                        "Time until a cluster's API server answered.",
                    )),
                    buckets: Vec::new(),
                },
            )?,
            events: of_kinds(
                "argocd_cluster_events_total",
                "Changes that the watches of a cluster told of.",
                &["group", "kind"],
            )?,
            watch_restarts: of_kinds(
                "argosy_cluster_watch_restarts_total",
                "Watches of a cluster that were begun anew, because they were `broken` or `silent`.",
                &["group", "kind", "reason"],
            )?,
        })
    }

    /// Counts a change that a watch told of.
    pub(crate) fn event(&self, kind: &GroupKind) {
        self.events
            .with_label_values(&[&kind.group, &kind.kind])
            .inc();
    }

    /// Counts a watch that is begun anew for a reason, which is `broken` or `silent`.
    pub(crate) fn watch_broke(&self, kind: &GroupKind, reason: &str) {
        self.watch_restarts
            .with_label_values(&[kind.group.as_str(), &kind.kind, reason])
            .inc();
    }

    /// What is exposed.
    pub fn collectors(&self) -> [Box<dyn Collector>; 4] {
        let (total, seconds) = self.requests.clone().into_parts();
        [
            Box::new(total),
            Box::new(seconds),
            Box::new(self.events.clone()),
            Box::new(self.watch_restarts.clone()),
        ]
    }
}

/// The gauges of the registered clusters.
pub struct ClusterStates {
    info: Snapshot,
    connection: Snapshot,
    objects: Snapshot,
    resources: Snapshot,
    cache_age: Snapshot,
    watches: Snapshot,
    labels_shown: AllowedLabels,
    labels: Snapshot,
    queue: Snapshot,
    credentials_expire: Snapshot,
}

/// One cluster, as far as metrics show it.
pub struct ClusterObservation<'a> {
    /// API server.
    pub server: &'a str,
    /// Display name.
    pub name: &'a str,
    /// The labels of its Secret.
    pub labels: &'a BTreeMap<String, String>,
    /// Version of the API server, empty before the first contact.
    pub version: &'a str,
    /// Whether it answers.
    pub connected: bool,
    /// How long ago it last answered, if ever.
    pub silence: Option<Duration>,
    /// Live objects that are known.
    pub objects: usize,
    /// Kinds that are watched.
    pub resources: usize,
    /// How many watches are in each state.
    pub watches: BTreeMap<&'static str, usize>,
    /// Applications that wait for a worker.
    pub waiting: usize,
    /// When its token ends, where it says so.
    pub credentials_expire: Option<Timestamp>,
}

impl ClusterStates {
    /// Declares the gauges, empty.
    pub fn new(config: &MetricsConfig) -> Self {
        let labels_shown = AllowedLabels::new(&config.cluster_labels);
        let labels: Vec<_> = ["server", "name"]
            .into_iter()
            .chain(labels_shown.names())
            .collect();
        Self {
            info: Snapshot::gauge(
                "argocd_cluster_info",
                "Information about a cluster.",
                &["server", "k8s_version", "name"],
            ),
            connection: Snapshot::gauge(
                "argocd_cluster_connection_status",
                "Whether a cluster can be reached: 1 if so, 0 if not. Nothing but the probe is sent to one that cannot.",
                &["server", "k8s_version"],
            ),
            objects: Snapshot::gauge(
                "argocd_cluster_api_resource_objects",
                "Objects of a cluster that are known to the hub.",
                &["server"],
            ),
            resources: Snapshot::gauge(
                "argocd_cluster_api_resources",
                "Kinds of a cluster that are watched.",
                &["server"],
            ),
            cache_age: Snapshot::gauge(
                "argocd_cluster_cache_age_seconds",
                "How old what is known of a cluster may be: seconds since it last answered.",
                &["server"],
            ),
            watches: Snapshot::gauge(
                "argosy_cluster_watches",
                "Watches of a cluster by state: `synced`, `listing` or `broken`.",
                &["server", "state"],
            ),
            labels: Snapshot::gauge(
                "argocd_cluster_labels",
                "Labels of a cluster's Secret: a label `label_NAME` for each that --metrics-cluster-labels names.",
                &labels,
            ),
            labels_shown,
            queue: Snapshot::gauge(
                "argosy_cluster_queue_depth",
                "Applications of a cluster that wait for a worker.",
                &["server"],
            ),
            credentials_expire: Snapshot::gauge(
                "argosy_cluster_credentials_expiry_timestamp_seconds",
                "When a cluster's bearer token ends, in Unix time, where it is a JSON web token that says so.",
                &["server"],
            ),
        }
    }

    /// Adds a cluster.
    pub fn add(&mut self, cluster: &ClusterObservation<'_>) {
        let (server, name) = (cut(cluster.server), cut(cluster.name));
        self.info.set(&[server, cluster.version, name], 1.0);
        self.connection
            .set(&[server, cluster.version], f64::from(cluster.connected));
        self.objects.set(&[server], count(cluster.objects));
        self.resources.set(&[server], count(cluster.resources));
        self.queue.set(&[server], count(cluster.waiting));
        if let Some(silence) = cluster.silence {
            self.cache_age.set(&[server], silence.as_secs_f64().floor());
        }
        if let Some(at) = cluster.credentials_expire {
            self.credentials_expire.set(&[server], unix_time(at));
        }
        for (state, watches) in &cluster.watches {
            self.watches.set(&[server, state], count(*watches));
        }
        if !self.labels_shown.is_empty() {
            let own = self.labels_shown.values(Some(cluster.labels));
            let values: Vec<_> = [server, name].into_iter().chain(own).collect();
            self.labels.set(&values, 1.0);
        }
    }

    /// What is exposed.
    pub fn into_families(self) -> Vec<Momentary> {
        vec![
            self.info.into(),
            self.connection.into(),
            self.objects.into(),
            self.resources.into(),
            self.cache_age.into(),
            self.watches.into(),
            self.labels.into(),
            self.queue.into(),
            self.credentials_expire.into(),
        ]
    }
}
