//! Clusters at the moment of a scrape.

use prometheus::core::Collector;
use prometheus::{IntGaugeVec, Opts};

/// The gauges of the registered clusters.
pub struct ClusterStates {
    info: IntGaugeVec,
    connection: IntGaugeVec,
    objects: IntGaugeVec,
    resources: IntGaugeVec,
}

/// One cluster, as far as metrics show it.
pub struct ClusterObservation<'a> {
    /// API server.
    pub server: &'a str,
    /// Display name.
    pub name: &'a str,
    /// Version of the API server, empty before the first contact.
    pub version: &'a str,
    /// Whether it answers.
    pub connected: bool,
    /// Live objects that are known.
    pub objects: usize,
    /// Kinds that are watched.
    pub resources: usize,
}

impl ClusterStates {
    /// Declares the gauges, empty.
    pub fn new() -> prometheus::Result<Self> {
        let gauge = |name: &str, help: &str, labels: &[&str]| {
            IntGaugeVec::new(Opts::new(name, help), labels)
        };
        Ok(Self {
            info: gauge(
                "argocd_cluster_info",
                "Information about a cluster.",
                &["server", "k8s_version", "name"],
            )?,
            connection: gauge(
                "argocd_cluster_connection_status",
                "Whether a cluster can be reached: 1 if so, 0 if not.",
                &["server", "k8s_version"],
            )?,
            objects: gauge(
                "argocd_cluster_api_resource_objects",
                "Objects of a cluster that are known to the hub.",
                &["server"],
            )?,
            resources: gauge(
                "argocd_cluster_api_resources",
                "Kinds of a cluster that are watched.",
                &["server"],
            )?,
        })
    }

    /// Adds a cluster.
    pub fn add(&self, cluster: &ClusterObservation<'_>) {
        let ClusterObservation {
            server,
            name,
            version,
            connected,
            objects,
            resources,
        } = cluster;
        let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        self.info.with_label_values(&[server, version, name]).set(1);
        self.connection
            .with_label_values(&[server, version])
            .set(i64::from(*connected));
        self.objects
            .with_label_values(&[server])
            .set(count(*objects));
        self.resources
            .with_label_values(&[server])
            .set(count(*resources));
    }

    /// The collectors to expose.
    pub fn into_collectors(self) -> Vec<Box<dyn Collector>> {
        vec![
            Box::new(self.info),
            Box::new(self.connection),
            Box::new(self.objects),
            Box::new(self.resources),
        ]
    }
}
