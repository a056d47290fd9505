//! What `argocd-cmd-params-cm` says of all ApplicationSets, under Argo CD's keys.

use std::collections::BTreeMap;

use argosy_crds::application_set::ApplicationsSyncPolicy;
use argosy_generators::plan::PreservedKeys;
use argosy_generators::requeue;
use argosy_generators::{MAX_PARAMETER_SETS, Settings};
use serde_json::Value;

use super::settings::items;

/// What is said of all ApplicationSets.
#[derive(Clone, Debug, PartialEq)]
pub struct SetSettings {
    /// The namespaces, as globs, where sets may live besides the hub's own;
    /// `applicationsetcontroller.namespaces`.
    pub namespaces: Vec<String>,
    /// The hub's own policy; `applicationsetcontroller.policy`.
    pub policy: Option<ApplicationsSyncPolicy>,
    /// Whether sets may choose another; `applicationsetcontroller.enable.policy.override`.
    pub policy_override: Option<bool>,
    /// Metadata that all sets leave alone; `applicationsetcontroller.global.preserved.annotations`
    /// and `.labels`.
    pub preserved: PreservedKeys,
    /// Seconds after which git generators look again that do not say;
    /// `applicationsetcontroller.requeue.after`.
    pub requeue_after: i64,
    /// How many sets of parameters one set may have; `applicationsetcontroller.max.parameter.sets`,
    /// Argosy's own.
    pub max_parameter_sets: usize,
    /// The most applications that a set's status lists;
    /// `applicationsetcontroller.status.max.resources.count`.
    pub max_resources: usize,
}

/// The most applications that a status lists if nobody says otherwise, as in Argo CD.
const MAX_RESOURCES: usize = 5000;

impl Default for SetSettings {
    fn default() -> Self {
        Self {
            namespaces: Vec::new(),
            policy: None,
            policy_override: None,
            preserved: PreservedKeys::default(),
            requeue_after: requeue::GIT,
            max_parameter_sets: Settings::default().max_parameter_sets,
            max_resources: MAX_RESOURCES,
        }
    }
}

impl SetSettings {
    pub(super) fn read(params: &BTreeMap<String, String>) -> Self {
        let of = |key: &str| params.get(&format!("applicationsetcontroller.{key}"));
        let text = |key: &str| of(key).map(|text| text.trim());
        let policy = |text: &str| serde_json::from_value(Value::from(text)).ok();
        Self {
            namespaces: items(of("namespaces")),
            policy: text("policy").and_then(policy),
            policy_override: text("enable.policy.override").and_then(|text| text.parse().ok()),
            preserved: PreservedKeys {
                annotations: items(of("global.preserved.annotations")),
                labels: items(of("global.preserved.labels")),
            },
            requeue_after: text("requeue.after")
                .and_then(|text| text.parse().ok())
                .unwrap_or(requeue::GIT),
            max_parameter_sets: params
                .get(MAX_PARAMETER_SETS)
                .and_then(|text| text.trim().parse().ok())
                .unwrap_or(Settings::default().max_parameter_sets),
            max_resources: text("status.max.resources.count")
                .and_then(|text| text.parse().ok())
                .unwrap_or(MAX_RESOURCES),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_argo_cd_reads_and_leaves_defaults_for_slips() {
        let params = [
            ("applicationsetcontroller.namespaces", "team-*, web"),
            ("applicationsetcontroller.policy", "create-update"),
            ("applicationsetcontroller.enable.policy.override", "true"),
            ("applicationsetcontroller.global.preserved.labels", "tier"),
            ("applicationsetcontroller.requeue.after", "soon"),
            (MAX_PARAMETER_SETS, "500"),
            ("applicationsetcontroller.status.max.resources.count", "2"),
        ];
        let params = params.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let settings = SetSettings::read(&params.into());
        assert_eq!(settings.namespaces, ["team-*", "web"]);
        assert_eq!(settings.policy, Some(ApplicationsSyncPolicy::CreateUpdate));
        assert_eq!(settings.policy_override, Some(true));
        assert_eq!(settings.preserved.labels, ["tier"]);
        assert_eq!(settings.requeue_after, 180);
        assert_eq!(settings.max_parameter_sets, 500);
        assert_eq!(settings.max_resources, 2);
    }
}
