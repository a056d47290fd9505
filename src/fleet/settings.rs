//! What `argocd-cm` and `argocd-cmd-params-cm` say, as far as the hub heeds it.
//!
//! Unknown keys are left alone, and a value that cannot be read leaves its default standing: a
//! slip in a ConfigMap must not stop a fleet.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use argosy_engine::addresses::{self, Addresses};
use argosy_engine::exclusions::Exclusions;
use argosy_engine::object::GroupKind;
use argosy_engine::operation::Cascade;
use argosy_engine::overrides::Overrides;
use argosy_engine::project::Impersonation;
use argosy_engine::sync::PruneLimit;
use argosy_engine::tracking::{Method, Tracking};
use argosy_generators::guard::Limits;
use argosy_glob::list;

use super::index::Index;
use super::set_settings::SetSettings;
use super::telemetry_settings::TelemetrySettings;
use crate::scm::ScmSettings;

/// The hub's settings; the defaults are Argo CD's.
#[derive(Clone, Debug, PartialEq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a setting of its own"
)]
pub struct Settings {
    /// All of `argocd-cm`, for the parts that read their own keys.
    pub argocd_cm: BTreeMap<String, String>,
    /// How objects are marked as an application's.
    pub tracking: Tracking,
    /// What is said of single kinds: health, ignored differences, actions.
    pub overrides: Arc<Overrides>,
    /// The kinds that are kept out of sight.
    pub exclusions: Exclusions,
    /// How often repositories are asked for new revisions; `timeout.reconciliation`.
    pub reconciliation: Duration,
    /// Whether the cluster of the hub is registered without a Secret; `cluster.inClusterEnabled`.
    pub in_cluster_enabled: bool,
    /// The namespaces, as globs, where applications may live besides the hub's own.
    pub application_namespaces: Vec<String>,
    /// The pause between two waves; `controller.sync.wave.delay.seconds`.
    ///
    /// Argo CD pauses two seconds, because it may judge a wave by what it saw before its apply. Here
    /// health is judged from what the apply returned or later, so that nothing is gained by waiting.
    pub wave_delay: Duration,
    /// How long a sync may take; none when zero; `controller.sync.timeout.seconds`.
    pub sync_timeout: Option<Duration>,
    /// How much of a set may go at once without a person's approval; `argosy.guard.percent` and
    /// `argosy.guard.count`.
    pub guard: Limits,
    /// How much a sync may prune without a person's approval; `argosy.prune.max` in `argocd-cm`.
    pub max_prune: Option<PruneLimit>,
    /// What the deletion of an application may take with it of others;
    /// `argosy.deletion.maxApplications` and `argosy.deletion.undo` in `argocd-cm`.
    pub cascade: Cascade,
    /// Which addresses gates may have; `argosy.gates.allowed-addresses` in `argocd-cm`.
    pub gate_addresses: Addresses,
    /// Which addresses sources and providers may have; `argosy.sources.allowed-addresses` and
    /// `argosy.sources.refused-addresses` in `argocd-cm`.
    pub source_addresses: Addresses,
    /// As whom the hub changes clusters; `application.sync.impersonation.enabled` and `.enforced`.
    pub impersonation: Impersonation,
    /// The annotations of Secrets whose values are never shown;
    /// `resource.sensitive.mask.annotations`.
    pub sensitive_annotations: Vec<String>,
    /// How many bytes a webhook may have; `webhook.maxPayloadSizeMB`.
    pub max_webhook_payload: usize,
    /// How long a watch of a cluster may say nothing, where its API server sends bookmarks, before
    /// it is begun anew; never if zero; `argosy.watch.silence` in `argocd-cm`.
    pub watch_silence: Duration,
    /// Whether a server-side dry run decides of every object, and not only of those that might
    /// differ; `controller.diff.server.side`.
    pub server_side_diff: bool,
    /// Whether sets with the strategy `RollingSync` are rolled out in steps, which Argo CD does only
    /// where it was switched on; `applicationsetcontroller.enable.progressive.syncs`.
    pub progressive_syncs: bool,
    /// Whether the files of submodules belong to a source; `reposerver.enable.git.submodule`.
    pub submodules: bool,
    /// What the copies of repositories for plugins leave out; `reposerver.plugin.tar.exclusions`,
    /// separated by `;`.
    pub plugin_exclusions: Vec<String>,
    /// Whether git files are matched by doublestar instead of by git's own patterns.
    pub new_git_file_globbing: bool,
    /// What is said of all ApplicationSets.
    pub sets: SetSettings,
    /// Which SCM providers may be asked, and how.
    pub scm: ScmSettings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            argocd_cm: BTreeMap::new(),
            tracking: Tracking::default(),
            overrides: Arc::default(),
            exclusions: Exclusions::default(),
            reconciliation: Duration::from_mins(2),
            in_cluster_enabled: true,
            application_namespaces: Vec::new(),
            wave_delay: Duration::ZERO,
            sync_timeout: None,
            guard: Limits::default(),
            max_prune: None,
            cascade: Cascade::default(),
            gate_addresses: Addresses::of_gates(""),
            source_addresses: Addresses::default(),
            impersonation: Impersonation::Off,
            sensitive_annotations: Vec::new(),
            max_webhook_payload: 50 << 20,
            watch_silence: Duration::from_secs(100),
            server_side_diff: false,
            progressive_syncs: true,
            submodules: true,
            plugin_exclusions: Vec::new(),
            new_git_file_globbing: false,
            sets: SetSettings::default(),
            scm: ScmSettings::default(),
        }
    }
}

impl Settings {
    /// Whether a kind of a cluster is kept out of sight.
    pub fn excludes(&self, kind: &GroupKind, server: &str) -> bool {
        self.exclusions.excludes(kind, server)
    }

    /// Whether applications of a namespace are looked at; those of the hub's own always are.
    pub fn watches_applications_in(&self, namespace: &str, hub_namespace: &str) -> bool {
        namespace == hub_namespace
            || list::matches(
                &self.application_namespaces,
                namespace,
                list::Syntax::Regexp,
            )
    }

    /// Whether ApplicationSets of a namespace are looked at; those of the hub's own always are.
    pub fn watches_sets_in(&self, namespace: &str, hub_namespace: &str) -> bool {
        namespace == hub_namespace
            || list::matches(&self.sets.namespaces, namespace, list::Syntax::Regexp)
    }

    /// Reads the settings from the ConfigMaps that are known, with those of the hub's telemetry.
    pub(super) fn read(index: &Index) -> (Self, TelemetrySettings) {
        let data = |name: &str| {
            let found = index.config_maps.iter().find(|(key, _)| key.name == name);
            found
                .and_then(|(_, map)| map.data.clone())
                .unwrap_or_default()
        };
        let params = data("argocd-cmd-params-cm");
        let settings = Self::from_data(data("argocd-cm"), &params);
        (settings, TelemetrySettings::read(&params))
    }

    /// Reads the settings from the data of `argocd-cm` and `argocd-cmd-params-cm`.
    pub(crate) fn from_data(
        argocd_cm: BTreeMap<String, String>,
        params: &BTreeMap<String, String>,
    ) -> Self {
        tell_unreadable(&argocd_cm);
        let default = Self::default();
        let seconds = |key: &str| {
            params
                .get(key)?
                .trim()
                .parse()
                .ok()
                .map(Duration::from_secs)
        };
        Self {
            tracking: tracking(&argocd_cm),
            overrides: Arc::new(overrides(&argocd_cm)),
            exclusions: exclusions(&argocd_cm),
            reconciliation: argocd_cm
                .get("timeout.reconciliation")
                .and_then(|text| duration(text))
                .unwrap_or(default.reconciliation),
            in_cluster_enabled: argocd_cm
                .get("cluster.inClusterEnabled")
                .is_none_or(|text| text != "false"),
            application_namespaces: items(params.get("application.namespaces")),
            wave_delay: seconds("controller.sync.wave.delay.seconds").unwrap_or(default.wave_delay),
            sync_timeout: seconds("controller.sync.timeout.seconds")
                .filter(|timeout| !timeout.is_zero()),
            guard: guard(&argocd_cm),
            max_prune: argocd_cm
                .get("argosy.prune.max")
                .and_then(|text| PruneLimit::parse(text)),
            cascade: cascade(&argocd_cm),
            gate_addresses: Addresses::of_gates(networks(&argocd_cm, Addresses::GATES_ALLOWED)),
            source_addresses: source_addresses(&argocd_cm),
            impersonation: impersonation(&argocd_cm),
            sensitive_annotations: items(argocd_cm.get("resource.sensitive.mask.annotations")),
            max_webhook_payload: argocd_cm
                .get("webhook.maxPayloadSizeMB")
                .and_then(|text| text.trim().parse().ok())
                .and_then(|mebibytes: usize| mebibytes.checked_mul(1 << 20))
                .unwrap_or(default.max_webhook_payload),
            watch_silence: argocd_cm
                .get("argosy.watch.silence")
                .and_then(|text| duration(text))
                .unwrap_or(default.watch_silence),
            server_side_diff: params
                .get("controller.diff.server.side")
                .is_some_and(|text| text == "true"),
            progressive_syncs: params
                .get("applicationsetcontroller.enable.progressive.syncs")
                .is_none_or(|text| text != "false"),
            submodules: params
                .get("reposerver.enable.git.submodule")
                .is_none_or(|text| text != "false"),
            plugin_exclusions: params
                .get("reposerver.plugin.tar.exclusions")
                .map(|text| text.split(';').map(str::trim).filter(|one| !one.is_empty()))
                .map_or_else(Vec::new, |all| all.map(str::to_owned).collect()),
            new_git_file_globbing: params
                .get("applicationsetcontroller.enable.new.git.file.globbing")
                .is_some_and(|text| text == "true"),
            sets: SetSettings::read(params),
            scm: ScmSettings::read(params),
            argocd_cm,
        }
    }
}

/// Which addresses sources may have, by the data of `argocd-cm`.
pub(crate) fn source_addresses(argocd_cm: &BTreeMap<String, String>) -> Addresses {
    Addresses::of_sources(
        networks(argocd_cm, Addresses::SOURCES_ALLOWED),
        networks(argocd_cm, Addresses::SOURCES_REFUSED),
    )
}

fn networks<'a>(argocd_cm: &'a BTreeMap<String, String>, key: &str) -> &'a str {
    argocd_cm.get(key).map_or("", String::as_str)
}

/// Tells of slips in lists of networks: nobody would notice that one is not refused.
fn tell_unreadable(argocd_cm: &BTreeMap<String, String>) {
    for key in Addresses::SETTINGS {
        for item in addresses::unreadable(networks(argocd_cm, key)) {
            tracing::warn!(
                key,
                item,
                "argocd-cm: neither an address nor a network; it is left out"
            );
        }
    }
}

fn guard(argocd_cm: &BTreeMap<String, String>) -> Limits {
    let default = Limits::default();
    let number = |key: &str| argocd_cm.get(key)?.trim().parse().ok();
    Limits {
        percent: number("argosy.guard.percent").unwrap_or(default.percent),
        count: number("argosy.guard.count").unwrap_or(default.count),
    }
}

fn cascade(argocd_cm: &BTreeMap<String, String>) -> Cascade {
    let default = Cascade::default();
    let text = |key: &str| argocd_cm.get(key).map(|text| text.trim());
    let max = text("argosy.deletion.maxApplications").and_then(|text| text.parse().ok());
    let undo = text("argosy.deletion.undo").and_then(duration);
    Cascade {
        max_applications: max.unwrap_or(default.max_applications),
        undo: undo.unwrap_or(default.undo),
    }
}

/// A slip must not give anybody the hub's own rights: only what says so is off.
fn impersonation(argocd_cm: &BTreeMap<String, String>) -> Impersonation {
    let is = |key: &str, word: &str| {
        let text = argocd_cm.get(key).map(|text| text.trim());
        text.is_some_and(|text| text.eq_ignore_ascii_case(word))
    };
    let key = "application.sync.impersonation.enabled";
    if !argocd_cm.contains_key(key) || is(key, "false") || is(key, "") {
        Impersonation::Off
    } else if is("application.sync.impersonation.enforced", "false") {
        Impersonation::WhereNamed
    } else {
        Impersonation::Always
    }
}

fn tracking(argocd_cm: &BTreeMap<String, String>) -> Tracking {
    let default = Tracking::default();
    let text = |key: &str| argocd_cm.get(key).filter(|text| !text.is_empty());
    Tracking {
        method: text("application.resourceTrackingMethod")
            .map_or(default.method, |method| Method::parse(method)),
        label_key: text("application.instanceLabelKey")
            .cloned()
            .unwrap_or(default.label_key),
        installation_id: text("installationID")
            .cloned()
            .unwrap_or(default.installation_id),
    }
}

fn overrides(argocd_cm: &BTreeMap<String, String>) -> Overrides {
    Overrides::from_config_map(argocd_cm).unwrap_or_else(|error| {
        tracing::warn!(%error, "argocd-cm: the customizations of kinds are left out");
        Overrides::default()
    })
}

fn exclusions(argocd_cm: &BTreeMap<String, String>) -> Exclusions {
    Exclusions::from_config_map(argocd_cm).unwrap_or_else(|error| {
        tracing::warn!(%error, "argocd-cm: resource exclusions and inclusions are left out");
        Exclusions::default()
    })
}

pub(super) fn items(text: Option<&String>) -> Vec<String> {
    let items = text
        .map(String::as_str)
        .unwrap_or_default()
        .split(',')
        .map(str::trim);
    items
        .filter(|item| !item.is_empty())
        .map(str::to_owned)
        .collect()
}

/// A duration as Go writes it, such as `3m0s`; a bare number is seconds.
fn duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    argosy_engine::duration::parse(text).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(entries: &[(&str, &str)]) -> BTreeMap<String, String> {
        entries
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn reads_what_argo_cd_reads() {
        let settings = Settings::from_data(
            map(&[
                ("timeout.reconciliation", "3m0s"),
                ("cluster.inClusterEnabled", "false"),
                ("resource.sensitive.mask.annotations", "token, key"),
                ("webhook.maxPayloadSizeMB", "2"),
                ("argosy.watch.silence", "3m"),
            ]),
            &map(&[("application.namespaces", "team-*, web")]),
        );
        assert_eq!(settings.sensitive_annotations, ["token", "key"]);
        assert_eq!(settings.watch_silence, Duration::from_mins(3));
        assert_eq!(settings.reconciliation, Duration::from_mins(3));
        assert_eq!(settings.max_webhook_payload, 2 * 1024 * 1024);
        assert!(!settings.in_cluster_enabled);
        assert_eq!(settings.application_namespaces, ["team-*", "web"]);
    }

    #[test]
    fn a_slip_gives_nobody_the_hub_s_own_rights() {
        let read = |entries: &[(&str, &str)]| {
            let prefixed = |(key, value): &(&str, &str)| {
                let key = format!("application.sync.impersonation.{key}");
                (key, (*value).to_owned())
            };
            impersonation(&entries.iter().map(prefixed).collect())
        };
        assert_eq!(read(&[]), Impersonation::Off);
        assert_eq!(read(&[("enabled", "false")]), Impersonation::Off);
        assert_eq!(read(&[("enabled", "true")]), Impersonation::Always);
        assert_eq!(read(&[("enabled", "yes")]), Impersonation::Always);
        let optional = [("enabled", "true"), ("enforced", "false")];
        assert_eq!(read(&optional), Impersonation::WhereNamed);
    }

    #[test]
    fn a_slip_leaves_the_default() {
        let settings = Settings::from_data(
            map(&[("timeout.reconciliation", "soon")]),
            &map(&[("controller.sync.wave.delay.seconds", "-1")]),
        );
        assert_eq!(settings.reconciliation, Duration::from_mins(2));
        assert_eq!(settings.wave_delay, Duration::ZERO);
    }

    #[test]
    fn durations_are_go_s() {
        assert_eq!(duration("90"), Some(Duration::from_secs(90)));
        assert_eq!(duration("1h30m"), Some(Duration::from_mins(90)));
        assert_eq!(duration("-5s"), None);
    }
}
