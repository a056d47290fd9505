//! ApplicationSets: what they are, and how long their reconciles take.

use std::time::Duration;

use argosy_crds::ApplicationSet;
use prometheus::core::Collector;
use prometheus::{HistogramOpts, HistogramVec, IntCounter, IntGaugeVec, Opts, Registry};

use super::register;
use super::rollout::RolloutStates;

/// What happens to ApplicationSets.
pub struct ApplicationSetMetrics {
    reconcile: HistogramVec,
    /// Expansions of a set: the part that costs.
    pub expansions: IntCounter,
}

impl ApplicationSetMetrics {
    pub(super) fn declare(registry: &Registry) -> prometheus::Result<Self> {
        let reconcile = HistogramVec::new(
            HistogramOpts::new(
                "argocd_appset_reconcile",
                "ApplicationSet reconcile time in seconds.",
            )
            .buckets(vec![0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0]),
            &["namespace", "name"],
        )?;
        let expansions = IntCounter::new(
            "argosy_appset_expansions_total",
            "How often the generators and templates of a set were run.",
        )?;
        Ok(Self {
            reconcile: register(registry, reconcile)?,
            expansions: register(registry, expansions)?,
        })
    }

    /// Records how long a reconcile took.
    pub fn reconciled(&self, namespace: &str, name: &str, took: Duration) {
        self.reconcile
            .with_label_values(&[namespace, name])
            .observe(took.as_secs_f64());
    }
}

/// The sets at the moment of a scrape.
pub struct ApplicationSetStates {
    info: IntGaugeVec,
    owned: IntGaugeVec,
    rollouts: RolloutStates,
}

impl ApplicationSetStates {
    /// Declares the gauges, empty.
    pub fn new() -> prometheus::Result<Self> {
        let info = IntGaugeVec::new(
            Opts::new("argocd_appset_info", "Information about an ApplicationSet."),
            &["namespace", "name", "resource_update_status"],
        )?;
        let owned = IntGaugeVec::new(
            Opts::new(
                "argocd_appset_owned_applications",
                "Applications that a set owns.",
            ),
            &["namespace", "name"],
        )?;
        Ok(Self {
            info,
            owned,
            rollouts: RolloutStates::new()?,
        })
    }

    /// Adds a set that owns `owned` applications.
    pub fn add(&self, set: &ApplicationSet, owned: usize) {
        let namespace = set.metadata.namespace.as_deref().unwrap_or_default();
        let name = set.metadata.name.as_deref().unwrap_or_default();
        let conditions = set.status.iter().flat_map(|status| &status.conditions);
        let up_to_date = conditions
            .filter(|condition| condition.type_ == "ResourcesUpToDate")
            .any(|condition| condition.status == "True");
        let state = if up_to_date {
            "ApplicationSetUpToDate"
        } else {
            "ErrorOccurred"
        };
        self.info
            .with_label_values(&[namespace, name, state])
            .set(1);
        let owned = i64::try_from(owned).unwrap_or(i64::MAX);
        self.owned.with_label_values(&[namespace, name]).set(owned);
        self.rollouts.add(set);
    }

    /// The collectors to expose.
    pub fn into_collectors(self) -> Vec<Box<dyn Collector>> {
        let mut collectors: Vec<Box<dyn Collector>> =
            vec![Box::new(self.info), Box::new(self.owned)];
        collectors.extend(self.rollouts.into_collectors());
        collectors
    }
}
