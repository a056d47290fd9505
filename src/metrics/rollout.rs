//! The rollouts of ApplicationSets: how far each is, and who waits for how long.
//!
//! There is one series for each step of a set and state, however many applications there are.

use std::collections::BTreeMap;

use argosy_crds::ApplicationSet;
use argosy_crds::codes::{RolloutStatusCode as State, appset_condition};
use jiff::Timestamp;

use super::Momentary;
use super::snapshot::{Snapshot, unix_time};

/// The rollouts at the moment of a scrape.
pub(super) struct RolloutStates {
    step: Snapshot,
    stopped: Snapshot,
    applications: Snapshot,
    waiting_since: Snapshot,
}

impl RolloutStates {
    /// Declares the gauges, empty.
    pub(super) fn new() -> Self {
        Self {
            step: Snapshot::gauge(
                "argosy_appset_rollout_step",
                "The first step of a rollout that is not complete; 0 when all are.",
                &["namespace", "name"],
            ),
            stopped: Snapshot::gauge(
                "argosy_appset_rollout_stopped",
                "Whether a rollout stopped because a step failed.",
                &["namespace", "name"],
            ),
            applications: Snapshot::gauge(
                "argosy_appset_rollout_applications",
                "Applications of a rollout by step and state; step -1 is of those that no step selects.",
                &["namespace", "name", "step", "state"],
            ),
            waiting_since: Snapshot::gauge(
                "argosy_appset_rollout_waiting_since_seconds",
                "Since when the Application of a step waits that waits the longest, in Unix time.",
                &["namespace", "name", "step"],
            ),
        }
    }

    /// Adds the rollout of a set, if it has one.
    pub(super) fn add(&mut self, set: &ApplicationSet) {
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
            self.applications.add(&labels, 1.0);
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
            self.waiting_since.set(&labels, unix_time(at));
        }
        let stopped = status.conditions.iter().any(|condition| {
            condition.type_ == appset_condition::ROLLOUT_STOPPED && condition.status == "True"
        });
        let of_set = [namespace, name];
        self.stopped.set(&of_set, f64::from(stopped));
        let step = current.map_or(0.0, f64::from);
        self.step.set(&of_set, step);
    }

    /// What is exposed.
    pub(super) fn into_families(self) -> Vec<Momentary> {
        vec![
            self.step.into(),
            self.stopped.into(),
            self.applications.into(),
            self.waiting_since.into(),
        ]
    }
}
