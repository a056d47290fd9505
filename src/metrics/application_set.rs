//! ApplicationSets: what they are, and how long their reconciles take.

use std::time::Duration;

use argosy_crds::ApplicationSet;
use prometheus::{HistogramVec, IntCounter, IntGaugeVec};

use super::config::{AllowedLabels, MetricsConfig};
use super::declaration::Families;
use super::gone::{Gone, drop_unknown};
use super::rollout::RolloutStates;
use super::{Momentary, count, gauge, histogram};

/// What happens to ApplicationSets.
pub struct ApplicationSetMetrics {
    reconcile: HistogramVec,
    /// Expansions of a set: the part that costs.
    pub expansions: IntCounter,
    gone: Gone,
}

impl ApplicationSetMetrics {
    pub(super) fn declare(families: &mut Families) -> prometheus::Result<Self> {
        Ok(Self {
            reconcile: families.declare(histogram(
                "argocd_appset_reconcile",
                "ApplicationSet reconcile time in seconds.",
                &["namespace", "name"],
                &[0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0],
            ))?,
            expansions: families.declare(IntCounter::new(
                "argosy_appset_expansions_total",
                "How often the generators and templates of a set were run.",
            ))?,
            gone: Gone::default(),
        })
    }

    /// Records how long a reconcile took.
    pub fn reconciled(&self, namespace: &str, name: &str, took: Duration) {
        self.reconcile
            .with_label_values(&[namespace, name])
            .observe(took.as_secs_f64());
    }

    /// Says that a set is gone, so that its series go, too.
    pub(crate) fn gone(&self) {
        self.gone.note();
    }

    /// Drops the series of sets that are gone.
    pub(crate) fn drop_gone(&self, is_known: impl Fn(&str, &str) -> bool) {
        if self.gone.take() {
            drop_unknown(&self.reconcile, &is_known);
        }
    }
}

/// The sets at the moment of a scrape.
pub struct ApplicationSetStates {
    info: IntGaugeVec,
    owned: IntGaugeVec,
    conditions: IntGaugeVec,
    labels_shown: AllowedLabels,
    labels: IntGaugeVec,
    rollouts: RolloutStates,
}

impl ApplicationSetStates {
    /// Declares the gauges, empty.
    pub fn new(config: &MetricsConfig) -> prometheus::Result<Self> {
        let one = ["namespace", "name"];
        let labels_shown = AllowedLabels::new(&config.application_set_labels);
        let labels: Vec<_> = one.into_iter().chain(labels_shown.names()).collect();
        Ok(Self {
            info: gauge(
                "argocd_appset_info",
                "Information about an ApplicationSet.",
                &["namespace", "name", "resource_update_status"],
            )?,
            owned: gauge(
                "argocd_appset_owned_applications",
                "Applications that a set owns.",
                &one,
            )?,
            conditions: gauge(
                "argosy_appset_condition",
                "Whether a condition of a set holds; `ApprovalNeeded` waits for `argosy appset approve`.",
                &["namespace", "name", "condition"],
            )?,
            labels: gauge(
                "argocd_appset_labels",
                "Labels of a set: a label `label_NAME` for each that --metrics-applicationset-labels names.",
                &labels,
            )?,
            labels_shown,
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
        self.owned
            .with_label_values(&[namespace, name])
            .set(count(owned));
        for told in set.status.iter().flat_map(|status| &status.conditions) {
            self.conditions
                .with_label_values(&[namespace, name, &told.type_])
                .set(i64::from(told.status == "True"));
        }
        if !self.labels_shown.is_empty() {
            let own = self.labels_shown.values(set.metadata.labels.as_ref());
            let values: Vec<_> = [namespace, name].into_iter().chain(own).collect();
            self.labels.with_label_values(&values).set(1);
        }
        self.rollouts.add(set);
    }

    /// The collectors to expose.
    pub fn into_collectors(self) -> Vec<Momentary> {
        let mut collectors: Vec<Momentary> = vec![
            Box::new(self.info),
            Box::new(self.owned),
            Box::new(self.conditions),
            Box::new(self.labels),
        ];
        collectors.extend(self.rollouts.into_collectors());
        collectors
    }
}
