//! Prometheus metrics: one declared struct a subsystem, with name, help and labels in one place.
//!
//! Names and labels are Argo CD's wherever it has the metric, so that dashboards and alerts written
//! for it keep working. What is a state (an application, a cluster) is read from the index when
//! somebody scrapes; what is an event is counted as it happens. A label never holds a message, a
//! path inside a repository or anything else that has no bound.

mod application;
mod application_set;
mod cluster;
mod git;
mod queue;
mod render;
mod rollout;
mod scm;

use std::sync::Arc;

use prometheus::core::Collector;
use prometheus::{Registry, TextEncoder};

pub use application::{ApplicationMetrics, ApplicationStates, FinishedSync, KubernetesRequest};
pub use application_set::{ApplicationSetMetrics, ApplicationSetStates};
pub use cluster::{ClusterObservation, ClusterStates};
pub use git::GitStates;
pub use queue::QueueStates;
pub use render::RenderStates;
pub use scm::ScmMetrics;

/// Everything that is counted as it happens.
pub struct Metrics {
    registry: Registry,
    /// Applications and their syncs.
    pub applications: ApplicationMetrics,
    /// ApplicationSets.
    pub application_sets: ApplicationSetMetrics,
    /// Requests to SCM providers and plugins.
    pub scm: Arc<ScmMetrics>,
}

impl Metrics {
    /// Declares all metrics.
    pub fn new() -> prometheus::Result<Self> {
        let registry = Registry::new();
        let applications = ApplicationMetrics::declare(&registry)?;
        let application_sets = ApplicationSetMetrics::declare(&registry)?;
        let scm = Arc::new(ScmMetrics::declare(&registry)?);
        registry.register(Box::new(
            prometheus::process_collector::ProcessCollector::for_self(),
        ))?;
        let info = prometheus::IntGaugeVec::new(
            prometheus::Opts::new("argocd_info", "Argosy's version."),
            &["version"],
        )?;
        info.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        registry.register(Box::new(info))?;
        Ok(Self {
            registry,
            applications,
            application_sets,
            scm,
        })
    }

    /// The exposition: what was counted, and `states` as they are at this moment.
    pub fn expose(
        &self,
        states: impl IntoIterator<Item = Box<dyn Collector>>,
    ) -> prometheus::Result<String> {
        let momentary = Registry::new();
        for state in states {
            momentary.register(state)?;
        }
        let mut families = self.registry.gather();
        families.extend(momentary.gather());
        families.sort_by(|a, b| a.name().cmp(b.name()));
        TextEncoder::new().encode_to_string(&families)
    }
}

/// Declares a metric and registers it.
fn register<C: Collector + Clone + 'static>(
    registry: &Registry,
    metric: C,
) -> prometheus::Result<C> {
    registry.register(Box::new(metric.clone()))?;
    Ok(metric)
}
