//! Applications at the moment of a scrape.

use argosy_crds::Application;
use argosy_crds::codes::{SyncStatusCode, condition};
use argosy_engine::operation::pause_of;
use jiff::Timestamp;

use super::Momentary;
use super::application::Labels;
use super::config::{AllowedLabels, Detail, MetricsConfig, cut};
use super::snapshot::{Snapshot, count};
use crate::source::shown_url;

/// How many of the applications that one waits for are named.
const NAMED: usize = 10;

/// The gauges of applications.
pub struct ApplicationStates {
    detail: Detail,
    conditions_shown: Vec<String>,
    labels_shown: AllowedLabels,
    info: Snapshot,
    operation_phase: Snapshot,
    conditions: Snapshot,
    labels: Snapshot,
    orphans: Snapshot,
    out_of_sync_since: Snapshot,
    waiting_since: Snapshot,
    blocked_by: Snapshot,
    approval_pending: Snapshot,
    paused: Snapshot,
}

/// One application, as far as metrics show it.
pub struct ApplicationObservation<'a> {
    /// The object.
    pub application: &'a Application,
    /// Where its destination leads.
    pub server: &'a str,
    /// Since when it differs from git, if it does.
    pub out_of_sync_since: Option<Timestamp>,
    /// What lives in its namespace and belongs to nobody, where that is looked for.
    pub orphans: Option<usize>,
    /// Whether a prune or hook of its sync waits for a person.
    pub awaits_confirmation: bool,
    /// The applications that it waits for, as `namespace/name` or as a selector.
    pub waits_for: &'a [String],
    /// The time of the scrape.
    pub now: Timestamp,
}

impl ApplicationStates {
    /// Declares the gauges, empty.
    pub fn new(config: &MetricsConfig) -> Self {
        let one = ["namespace", "name", "project"];
        let with = |more: &[&'static str]| [&one[..], more].concat();
        let labels_shown = AllowedLabels::new(&config.application_labels);
        let labels: Vec<_> = one.into_iter().chain(labels_shown.names()).collect();
        Self {
            detail: config.applications,
            conditions_shown: config.application_conditions.clone(),
            info: Snapshot::gauge(
                "argocd_app_info",
                "Information about an application.",
                &with(&[
                    "autosync_enabled",
                    "repo",
                    "dest_server",
                    "dest_namespace",
                    "sync_status",
                    "health_status",
                    "operation",
                ]),
            ),
            operation_phase: Snapshot::gauge(
                "argocd_app_operation_phase",
                "The phase of an application's last operation.",
                &with(&["phase"]),
            ),
            conditions: Snapshot::gauge(
                "argocd_app_condition",
                "Conditions of an application, of the types that --metrics-application-conditions names.",
                &with(&["condition"]),
            ),
            labels: Snapshot::gauge(
                "argocd_app_labels",
                "Labels of an application: a label `label_NAME` for each that --metrics-application-labels names.",
                &labels,
            ),
            orphans: Snapshot::gauge(
                "argocd_app_orphaned_resources_count",
                "Resources in an application's namespace that belong to no application, where the project looks for them.",
                &one,
            ),
            out_of_sync_since: Snapshot::gauge(
                "argosy_app_out_of_sync_since_timestamp_seconds",
                "Since when an application has differed from git without a break, in Unix time.",
                &one,
            ),
            waiting_since: Snapshot::gauge(
                "argosy_app_waiting_since_timestamp_seconds",
                "Since when an application has waited for other applications, in Unix time.",
                &one,
            ),
            blocked_by: Snapshot::gauge(
                "argosy_app_blocked_by",
                "The applications that a waiting application waits for, ten at most.",
                &with(&["dependency"]),
            ),
            approval_pending: Snapshot::gauge(
                "argosy_app_approval_pending",
                "Applications that wait for a person: `prune_limit` for `argosy app approve`, `confirmation` for a prune or hook that wants one.",
                &with(&["reason"]),
            ),
            paused: Snapshot::gauge(
                "argosy_app_paused",
                "Applications that somebody has paused.",
                &one,
            ),
            labels_shown,
        }
    }

    /// Adds an application.
    pub fn add(&mut self, seen: &ApplicationObservation<'_>) {
        self.add_info(seen);
        let Labels {
            namespace,
            name,
            project,
        } = Labels::of(seen.application, self.detail);
        let one = [namespace, name, project];
        let status = seen.application.status.as_ref();
        if let Some(state) = status.and_then(|status| status.operation_state.as_ref()) {
            let phase = state.phase.to_string();
            self.operation_phase
                .add(&[namespace, name, project, &phase], 1.0);
        }
        if !self.labels_shown.is_empty() && self.detail == Detail::Each {
            let own = self
                .labels_shown
                .values(seen.application.metadata.labels.as_ref());
            let values: Vec<_> = one.into_iter().chain(own).collect();
            self.labels.set(&values, 1.0);
        }
        if let Some(orphans) = seen.orphans {
            self.orphans.add(&one, count(orphans));
        }
        let is_out_of_sync =
            status.is_some_and(|status| status.sync.status == SyncStatusCode::OutOfSync);
        if let Some(since) = seen.out_of_sync_since.filter(|_| is_out_of_sync) {
            self.out_of_sync_since.set_earliest(&one, since);
        }
        if pause_of(seen.application, seen.now).is_some() {
            self.paused.add(&one, 1.0);
        }
        if seen.awaits_confirmation {
            self.approval_pending
                .add(&[namespace, name, project, "confirmation"], 1.0);
        }
        self.add_conditions(seen, one);
    }

    fn add_conditions(&mut self, seen: &ApplicationObservation<'_>, one: [&str; 3]) {
        let [namespace, name, project] = one;
        let status = seen.application.status.as_ref();
        for told in status.iter().flat_map(|status| &status.conditions) {
            if self.conditions_shown.contains(&told.type_) {
                self.conditions
                    .add(&[namespace, name, project, &told.type_], 1.0);
            }
            match told.type_.as_str() {
                condition::APPROVAL_NEEDED => self
                    .approval_pending
                    .add(&[namespace, name, project, "prune_limit"], 1.0),
                condition::WAITING => {
                    if let Some(at) = &told.last_transition_time {
                        self.waiting_since.set_earliest(&one, at.0);
                    }
                    for dependency in seen.waits_for.iter().take(NAMED) {
                        self.blocked_by.add(
                            &[namespace, name, project, self.detail.of_one(dependency)],
                            1.0,
                        );
                    }
                }
                _ => {}
            }
        }
    }

    fn add_info(&mut self, seen: &ApplicationObservation<'_>) {
        let application = seen.application;
        let Labels {
            namespace,
            name,
            project,
        } = Labels::of(application, self.detail);
        let spec = &application.spec;
        let automated = spec
            .sync_policy
            .as_ref()
            .and_then(|policy| policy.automated.as_ref());
        let autosync = automated.is_some_and(|automated| automated.enabled != Some(false));
        let status = application.status.as_ref();
        let sync = status.map(|status| status.sync.status.to_string());
        let health = status
            .and_then(|status| status.health.status)
            .map(|code| code.to_string());
        let operation = match (&application.operation, application.is_deleting()) {
            (_, true) => "delete",
            (Some(_), _) => "sync",
            (None, _) => "",
        };
        let sources = spec.sources();
        let repo = sources
            .first()
            .map(|source| shown_url(&source.repo_url))
            .unwrap_or_default();
        self.info.add(
            &[
                namespace,
                name,
                project,
                if autosync { "true" } else { "false" },
                self.detail.of_one(&repo),
                cut(seen.server),
                self.detail.of_one(&spec.destination.namespace),
                sync.as_deref().unwrap_or("Unknown"),
                health.as_deref().unwrap_or("Unknown"),
                operation,
            ],
            1.0,
        );
    }

    /// What is exposed.
    pub fn into_families(self) -> Vec<Momentary> {
        vec![
            self.info.into(),
            self.operation_phase.into(),
            self.conditions.into(),
            self.labels.into(),
            self.orphans.into(),
            self.out_of_sync_since.into(),
            self.waiting_since.into(),
            self.blocked_by.into(),
            self.approval_pending.into(),
            self.paused.into(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::exposition::exposition;

    fn application(name: &str) -> Application {
        serde_json::from_value(serde_json::json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
            "metadata": {"namespace": "argocd", "name": name, "labels": {"team": "a \"b\"\nc"}},
            "spec": {"project": "default", "destination": {"namespace": name}},
            "status": {"sync": {"status": "OutOfSync"}},
        }))
        .unwrap()
    }

    fn text(states: ApplicationStates) -> String {
        exposition(Vec::new(), states.into_families()).expect("text")
    }

    fn states(config: &MetricsConfig) -> ApplicationStates {
        let mut states = ApplicationStates::new(config);
        for (name, since) in [("web", 7), ("db", 5)] {
            states.add(&ApplicationObservation {
                application: &application(name),
                server: "https://cluster",
                out_of_sync_since: Timestamp::from_second(since).ok(),
                orphans: Some(2),
                awaits_confirmation: false,
                waits_for: &[],
                now: Timestamp::UNIX_EPOCH,
            });
        }
        states
    }

    #[test]
    fn sums_count_applications_and_keep_the_earliest_time() {
        let sums = states(&MetricsConfig {
            applications: Detail::Sums,
            ..MetricsConfig::default()
        });
        assert_eq!(sums.info.values(), [2.0]);
        assert_eq!(sums.orphans.values(), [4.0]);
        assert_eq!(sums.out_of_sync_since.values(), [5.0]);
        let each = states(&MetricsConfig::default());
        assert_eq!(each.info.values(), [1.0, 1.0]);
        assert_eq!(each.out_of_sync_since.values(), [5.0, 7.0]);
    }

    #[test]
    fn only_labels_that_are_allowed_are_shown_and_they_are_escaped() {
        let none = states(&MetricsConfig::default());
        assert_eq!(none.labels.values(), [0.0; 0]);
        let shown = states(&MetricsConfig {
            application_labels: vec!["team".into()],
            ..MetricsConfig::default()
        });
        let text = text(shown);
        assert!(text.contains(r#"label_team="a \"b\"\nc""#), "{text}");
    }

    #[test]
    fn whatever_stands_in_an_application_is_cut_and_stays_on_its_line() {
        let hostile = "\"} 1\n\\".repeat(1700);
        let long = || serde_json::Value::from(hostile.as_str());
        let application: Application = serde_json::from_value(serde_json::json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
            "metadata": {"namespace": long(), "name": long(), "labels": {"team": long()}},
            "spec": {
                "project": long(),
                "source": {"repoURL": long(), "path": long()},
                "destination": {"server": long(), "namespace": long()},
            },
            "status": {"conditions": [
                {"type": "Waiting", "message": long(), "lastTransitionTime": "2026-01-01T00:00:00Z"},
            ]},
        }))
        .unwrap();
        let mut states = ApplicationStates::new(&MetricsConfig {
            application_labels: vec!["team".into()],
            application_conditions: vec!["Waiting".into()],
            ..MetricsConfig::default()
        });
        states.add(&ApplicationObservation {
            application: &application,
            server: &hostile,
            out_of_sync_since: Some(Timestamp::UNIX_EPOCH),
            orphans: Some(1),
            awaits_confirmation: true,
            waits_for: std::slice::from_ref(&hostile),
            now: Timestamp::UNIX_EPOCH,
        });
        let text = text(states);
        let series: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
        assert!(series.len() >= 6, "{text}");
        for line in series {
            assert!(line.starts_with("arg"), "{line}");
            assert!(line.len() < 6_000, "{} bytes: {line}", line.len());
        }
    }
}
