//! Prometheus metrics: one declared struct a subsystem, with name, help and labels in one place.
//!
//! Names and labels are Argo CD's wherever it has the metric, so that dashboards and alerts written
//! for it keep working. What is a state (an application, a cluster) is read from the index when
//! somebody scrapes; what is an event is counted as it happens. A label never holds a message, a
//! path inside a repository or anything else that has no bound. Every family is documented on a page
//! that is made from the declarations.

mod application;
mod application_set;
mod application_states;
mod cluster;
mod config;
mod declaration;
mod exposition;
mod git;
mod gone;
mod hub;
mod queue;
mod reference;
mod render;
mod rollout;
mod scm;
mod shadow;
mod snapshot;
mod sync_window;
mod webhook;

use std::sync::Arc;

use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, IntGaugeVec, Opts, Registry};

pub use application::{ApplicationMetrics, FinishedSync, KubernetesRequest};
pub use application_set::{ApplicationSetMetrics, ApplicationSetStates};
pub use application_states::{ApplicationObservation, ApplicationStates};
pub use cluster::{ClusterMetrics, ClusterObservation, ClusterStates, Requests};
pub use config::{Detail, MetricsConfig};
pub use declaration::Declaration;
use declaration::Families;
pub use exposition::Momentary;
pub use git::{GitStates, RegistryStates, request_seconds};
pub use hub::HubMetrics;
pub(crate) use hub::{EventResult, SpanResult};
pub use queue::{QueueLoad, QueueMetrics, QueueStates};
pub use reference::page;
pub use render::{RenderMetrics, RenderStates};
pub use scm::ScmMetrics;
pub use shadow::ShadowStates;
pub use sync_window::SyncWindowStates;
pub use webhook::WebhookMetrics;

use crate::controller::application::{RenderCounts, Report};

/// Everything that is counted as it happens.
pub struct Metrics {
    registry: Registry,
    declared: Vec<Declaration>,
    /// Applications and their syncs.
    pub applications: ApplicationMetrics,
    /// ApplicationSets.
    pub application_sets: ApplicationSetMetrics,
    /// Requests to SCM providers and plugins.
    pub scm: Arc<ScmMetrics>,
    /// Renders.
    pub renders: Arc<RenderMetrics>,
    /// The queue of applications.
    pub application_queue: Arc<QueueMetrics>,
    /// The queue of ApplicationSets.
    pub application_set_queue: Arc<QueueMetrics>,
    /// Webhooks.
    pub webhooks: WebhookMetrics,
    /// The hub itself.
    pub hub: HubMetrics,
}

impl Metrics {
    /// Declares all metrics.
    pub fn new(config: &MetricsConfig) -> prometheus::Result<Self> {
        let mut families = Families::new();
        let detail = config.applications;
        let applications = ApplicationMetrics::declare(families.section("Applications"), detail)?;
        let application_sets =
            ApplicationSetMetrics::declare(families.section("ApplicationSets and rollouts"))?;
        let renders = RenderMetrics::declare(families.section("Rendering"))?;
        let [application_queue, application_set_queue] = QueueMetrics::declare(
            families.section("Queues and workers"),
            ["application", "applicationset"],
        )?;
        let scm = ScmMetrics::declare(families.section("SCM providers and plugins"))?;
        let webhooks = WebhookMetrics::declare(families.section("Webhooks"))?;
        let hub = HubMetrics::declare(families.section("The hub itself"))?;
        Ok(Self {
            registry: families.registry,
            declared: families.declared,
            applications,
            application_sets,
            scm: Arc::new(scm),
            renders: Arc::new(renders),
            application_queue: Arc::new(application_queue),
            application_set_queue: Arc::new(application_set_queue),
            webhooks,
            hub,
        })
    }

    /// The exposition: what was counted, and `states` as they are at this moment.
    pub fn expose(
        &self,
        states: impl IntoIterator<Item = Momentary>,
    ) -> prometheus::Result<String> {
        exposition::exposition(self.registry.gather(), states)
    }
}

/// Every family that a hub may expose, by section and name.
pub fn declarations() -> prometheus::Result<Vec<Declaration>> {
    // Which labels flags add is not known here.
    let config = MetricsConfig::default();
    let mut declared = Metrics::new(&config)?.declared;
    let momentary = [
        (
            "Applications",
            ApplicationStates::new(&config).into_families(),
        ),
        ("Applications", SyncWindowStates::default().into_families()),
        (
            "ApplicationSets and rollouts",
            ApplicationSetStates::new(&config).into_families(),
        ),
        ("Clusters", ClusterStates::new(&config).into_families()),
        (
            "Clusters",
            ClusterMetrics::new("")?
                .collectors()
                .map(Momentary::from)
                .into(),
        ),
        ("Git, charts and artifacts", GitStates::default().every()?),
        (
            "Git, charts and artifacts",
            RegistryStates::default().every()?,
        ),
        (
            "Rendering",
            RenderStates::new(RenderCounts::default()).into_families(),
        ),
        ("Queues and workers", QueueStates::default().into_families()),
        (
            "Shadow mode",
            ShadowStates::new(&Report::default()).into_families(),
        ),
    ];
    for (section, families) in momentary {
        for family in families {
            match family {
                Momentary::Snapshot(family) => declared.push(Declaration::of(section, &family)),
                Momentary::Counted(counted) => {
                    declared.extend(Declaration::all_of(section, counted.as_ref()));
                }
            }
        }
    }
    declared.sort_by(|a, b| (a.section, &a.name).cmp(&(b.section, &b.name)));
    declared.dedup();
    Ok(declared)
}

fn counter(name: &str, help: &str, labels: &[&str]) -> prometheus::Result<IntCounterVec> {
    IntCounterVec::new(Opts::new(name, help), labels)
}

fn gauge(name: &str, help: &str, labels: &[&str]) -> prometheus::Result<IntGaugeVec> {
    IntGaugeVec::new(Opts::new(name, help), labels)
}

fn histogram(
    name: &str,
    help: &str,
    labels: &[&str],
    buckets: &[f64],
) -> prometheus::Result<HistogramVec> {
    HistogramVec::new(
        HistogramOpts::new(name, help).buckets(buckets.to_vec()),
        labels,
    )
}
