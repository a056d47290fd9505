//! ApplicationSets: what they are, and how long their reconciles take.

use std::time::Duration;

use argosy_crds::ApplicationSet;
use prometheus::{HistogramVec, IntCounter};

use super::config::{AllowedLabels, MetricsConfig};
use super::declaration::Families;
use super::gone::{Gone, drop_unknown};
use super::rollout::RolloutStates;
use super::snapshot::{Snapshot, count};
use super::{Momentary, histogram};

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
    info: Snapshot,
    owned: Snapshot,
    conditions: Snapshot,
    labels_shown: AllowedLabels,
    labels: Snapshot,
    rollouts: RolloutStates,
}

impl ApplicationSetStates {
    /// Declares the gauges, empty.
    pub fn new(config: &MetricsConfig) -> Self {
        let one = ["namespace", "name"];
        let labels_shown = AllowedLabels::new(&config.application_set_labels);
        let labels: Vec<_> = one.into_iter().chain(labels_shown.names()).collect();
        Self {
            info: Snapshot::gauge(
                "argocd_appset_info",
                "Information about an ApplicationSet.",
                &["namespace", "name", "resource_update_status"],
            ),
            owned: Snapshot::gauge(
                "argocd_appset_owned_applications",
                "Applications that a set owns.",
                &one,
            ),
            conditions: Snapshot::gauge(
                "argosy_appset_condition",
                "Whether a condition of a set holds; `ApprovalNeeded` waits for `argosy appset approve`.",
                &["namespace", "name", "condition"],
            ),
            labels: Snapshot::gauge(
                "argocd_appset_labels",
                "Labels of a set: a label `label_NAME` for each that --metrics-applicationset-labels names.",
                &labels,
            ),
            labels_shown,
            rollouts: RolloutStates::new(),
        }
    }

    /// Adds a set that owns `owned` applications.
    pub fn add(&mut self, set: &ApplicationSet, owned: usize) {
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
        self.info.set(&[namespace, name, state], 1.0);
        self.owned.set(&[namespace, name], count(owned));
        for told in set.status.iter().flat_map(|status| &status.conditions) {
            self.conditions.set(
                &[namespace, name, &told.type_],
                f64::from(told.status == "True"),
            );
        }
        if !self.labels_shown.is_empty() {
            let own = self.labels_shown.values(set.metadata.labels.as_ref());
            let values: Vec<_> = [namespace, name].into_iter().chain(own).collect();
            self.labels.set(&values, 1.0);
        }
        self.rollouts.add(set);
    }

    /// What is exposed.
    pub fn into_families(self) -> Vec<Momentary> {
        let mut collectors: Vec<Momentary> = vec![
            self.info.into(),
            self.owned.into(),
            self.conditions.into(),
            self.labels.into(),
        ];
        collectors.extend(self.rollouts.into_families());
        collectors
    }
}
