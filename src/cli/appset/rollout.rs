//! The rollout of a set, as its status tells of it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use argosy_crds::ApplicationSet;
use argosy_crds::application_set::{ApplicationSetApplicationStatus, ApplicationSetCondition};
use argosy_crds::codes::{RolloutStatusCode as State, appset_condition};
use argosy_generators::rollout::is_rolling;
use serde::Serialize;

use super::show;
use crate::cli::app::short;
use crate::cli::table::{plain_table, trimmed};
use crate::diagnostic::Diagnostic;

/// How far a rollout is.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RolloutView {
    namespace: String,
    name: String,
    /// The conditions of rollouts.
    conditions: Vec<ApplicationSetCondition>,
    /// The steps in order; the applications that no step selects come last.
    steps: Vec<StepView>,
    /// Every application, by step and name.
    applications: Vec<ApplicationSetApplicationStatus>,
}

/// How many applications of a step are in which state.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct StepView {
    step: String,
    waiting: usize,
    pending: usize,
    progressing: usize,
    healthy: usize,
}

impl RolloutView {
    pub(super) fn of(set: &ApplicationSet) -> Result<Self, Diagnostic> {
        if !is_rolling(set) {
            let what = format!(
                "the ApplicationSet `{}` is not rolled out in steps",
                show::name(set)
            );
            return Err(Diagnostic::user("NoRollout", what).fix(
                "give it spec.strategy.type RollingSync and steps; see docs/progressive-rollout.md",
            ));
        }
        let status = set.status.clone().unwrap_or_default();
        let of_rollouts = [
            appset_condition::ROLLOUT_PROGRESSING,
            appset_condition::ROLLOUT_STOPPED,
            appset_condition::INVALID_ROLLOUT_CONFIG,
            appset_condition::APPROVAL_NEEDED,
        ];
        let conditions = status
            .conditions
            .into_iter()
            .filter(|one| of_rollouts.contains(&one.type_.as_str()));
        let mut applications = status.application_status;
        applications.sort_by_cached_key(|app| (order(&app.step), app.application.clone()));
        let mut steps: BTreeMap<u32, StepView> = BTreeMap::new();
        for app in &applications {
            let step = steps.entry(order(&app.step)).or_default();
            step.step.clone_from(&app.step);
            let count = match State::parse(&app.status).unwrap_or_default() {
                State::Waiting => &mut step.waiting,
                State::Pending => &mut step.pending,
                State::Progressing => &mut step.progressing,
                State::Healthy => &mut step.healthy,
            };
            *count += 1;
        }
        Ok(Self {
            namespace: set.metadata.namespace.clone().unwrap_or_default(),
            name: show::name(set),
            conditions: conditions.collect(),
            steps: steps.into_values().collect(),
            applications,
        })
    }

    /// The same for a person.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        let _ = writeln!(text, "{:<20}{}/{}", "Name:", self.namespace, self.name);
        for condition in &self.conditions {
            let stands_out = condition.status == "True"
                || condition.type_ == appset_condition::ROLLOUT_PROGRESSING;
            if stands_out {
                let label = format!("{}:", condition.type_);
                let since = since(condition.last_transition_time.as_ref());
                let _ = writeln!(text, "{label:<20}{} (since {since})", condition.message);
            }
        }
        let mut steps = plain_table();
        steps.set_header(["STEP", "WAITING", "PENDING", "PROGRESSING", "HEALTHY"]);
        for step in &self.steps {
            let counts = [step.waiting, step.pending, step.progressing, step.healthy];
            steps.add_row(
                [step.step.clone()]
                    .into_iter()
                    .chain(counts.map(|count| count.to_string())),
            );
        }
        let mut applications = plain_table();
        applications.set_header([
            "STEP",
            "APPLICATION",
            "STATUS",
            "TARGET",
            "SINCE",
            "MESSAGE",
        ]);
        for app in &self.applications {
            let target: Vec<_> = app.target_revisions.iter().map(|one| short(one)).collect();
            applications.add_row([
                app.step.clone(),
                app.application.clone(),
                app.status.clone(),
                target.join(","),
                since(app.last_transition_time.as_ref()),
                app.message.clone(),
            ]);
        }
        let _ = write!(text, "\n{}\n\n{}", trimmed(&steps), trimmed(&applications));
        text
    }
}

fn since(time: Option<&k8s_openapi::apimachinery::pkg::apis::meta::v1::Time>) -> String {
    time.map_or_else(|| "<unknown>".to_owned(), |time| format!("{:.0}", time.0))
}

/// Where a step comes; `-1`, which is no step, comes last.
fn order(step: &str) -> u32 {
    step.parse().unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn set(strategy: &str) -> ApplicationSet {
        let app = |name: &str, step: &str, status: &str, message: &str| {
            json!({"application": name, "step": step, "status": status, "message": message,
                "targetRevisions": ["0123456789012345678901234567890123456789"],
                "lastTransitionTime": "2026-03-04T05:06:07Z"})
        };
        let set = json!({
            "metadata": {"name": "fleet", "namespace": "argocd"},
            "spec": {"strategy": {"type": strategy}},
            "status": {
                "conditions": [{"type": "RolloutProgressing", "status": "True",
                    "message": "ApplicationSet is performing rollout of step 1",
                    "lastTransitionTime": "2026-03-04T05:06:07Z"}],
                "applicationStatus": [
                    app("loose", "-1", "Waiting", "by hand"), app("prod", "2", "Waiting", "for step 1"),
                    app("dev", "1", "Progressing", "on its way")],
            },
        });
        serde_json::from_value(set).expect("a set")
    }

    #[test]
    fn tells_who_waits_for_what_since_when_in_the_order_of_the_steps() {
        let view = RolloutView::of(&set("RollingSync")).expect("a rollout");
        let expected = "\
Name:               argocd/fleet
RolloutProgressing: ApplicationSet is performing rollout of step 1 (since 2026-03-04T05:06:07Z)

STEP  WAITING  PENDING  PROGRESSING  HEALTHY
1     0        0        1            0
2     1        0        0            0
-1    1        0        0            0

STEP  APPLICATION  STATUS       TARGET   SINCE                 MESSAGE
1     dev          Progressing  0123456  2026-03-04T05:06:07Z  on its way
2     prod         Waiting      0123456  2026-03-04T05:06:07Z  for step 1
-1    loose        Waiting      0123456  2026-03-04T05:06:07Z  by hand";
        assert_eq!(view.text(), expected);
    }

    #[test]
    fn a_set_without_steps_has_no_rollout() {
        assert!(RolloutView::of(&set("AllAtOnce")).is_err());
    }
}
