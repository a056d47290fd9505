//! The rollouts of ApplicationSets: how far each is, and who waits for how long.
//!
//! There is one series for each step of a set and state, however many applications there are.

use std::collections::BTreeMap;

use argosy_crds::ApplicationSet;
use argosy_crds::codes::{RolloutStatusCode as State, appset_condition};
use jiff::Timestamp;
use prometheus::IntGaugeVec;

use super::{Momentary, gauge};

/// The rollouts at the moment of a scrape.
pub(super) struct RolloutStates {
    step: IntGaugeVec,
    stopped: IntGaugeVec,
    applications: IntGaugeVec,
    waiting_since: IntGaugeVec,
}

impl RolloutStates {
    /// Declares the gauges, empty.
    pub(super) fn new() -> prometheus::Result<Self> {
        Ok(Self {
            step: gauge(
                "argosy_appset_rollout_step",
                "The first step of a rollout that is not complete; 0 when all are.",
                &["namespace", "name"],
            )?,
            stopped: gauge(
                "argosy_appset_rollout_stopped",
                "Whether a rollout stopped because a step failed.",
                &["namespace", "name"],
            )?,
            applications: gauge(
                "argosy_appset_rollout_applications",
                "Applications of a rollout by step and state; step -1 is of those that no step selects.",
                &["namespace", "name", "step", "state"],
            )?,
            waiting_since: gauge(
                "argosy_appset_rollout_waiting_since_seconds",
                "Since when the Application of a step waits that waits the longest, in Unix time.",
                &["namespace", "name", "step"],
            )?,
        })
    }

    /// Adds the rollout of a set, if it has one.
    pub(super) fn add(&self, set: &ApplicationSet) {
        let Some(status) = &set.status else { return };
        if status.application_status.is_empty() {
            return;
        }
        let namespace = set.metadata.namespace.as_deref().unwrap_or_default();
        let name = set.metadata.name.as_deref().unwrap_or_default();
        let mut current = None;
        let mut since: BTreeMap<&str, Timestamp> = BTreeMap::new();
        for app in &status.application_status {
            let state = State::parse(&app.status).unwrap_or_default();
            let labels = [namespace, name, app.step.as_str(), state.as_str()];
            self.applications.with_label_values(&labels).inc();
            if state != State::Healthy {
                // Step -1 is none of the rollout's.
                current = app
                    .step
                    .parse::<u32>()
                    .ok()
                    .into_iter()
                    .chain(current)
                    .min();
            }
            if let (State::Waiting, Some(at)) = (state, &app.last_transition_time) {
                let oldest = since.entry(&app.step).or_insert(at.0);
                *oldest = at.0.min(*oldest);
            }
        }
        for (step, at) in since {
            let labels = [namespace, name, step];
            self.waiting_since
                .with_label_values(&labels)
                .set(at.as_second());
        }
        let stopped = status.conditions.iter().any(|condition| {
            condition.type_ == appset_condition::ROLLOUT_STOPPED && condition.status == "True"
        });
        let of_set = [namespace, name];
        self.stopped
            .with_label_values(&of_set)
            .set(i64::from(stopped));
        let step = current.map_or(0, i64::from);
        self.step.with_label_values(&of_set).set(step);
    }

    /// The collectors to expose.
    pub(super) fn into_collectors(self) -> Vec<Momentary> {
        vec![
            Box::new(self.step),
            Box::new(self.stopped),
            Box::new(self.applications),
            Box::new(self.waiting_since),
        ]
    }
}
