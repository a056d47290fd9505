//! Sync options of an application and of single resources.

use serde_json::Value;

use super::prune::PruneLimit;
use crate::object::ObjectExt;

/// What happens to the dependents of an object that is deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Propagation {
    /// The object stays until its dependents are gone.
    #[default]
    Foreground,
    /// The object goes at once, its dependents later.
    Background,
    /// The dependents stay.
    Orphan,
}

impl Propagation {
    /// The value of `propagationPolicy` in the Kubernetes API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Foreground => "Foreground",
            Self::Background => "Background",
            Self::Orphan => "Orphan",
        }
    }
}

/// Whether a deletion goes ahead.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Consent {
    /// It does.
    #[default]
    Given,
    /// It does once a person approves.
    Confirm,
    /// It never does.
    Refused,
}

impl Consent {
    fn parse(value: &str) -> Option<Self> {
        match value {
            "true" => Some(Self::Given),
            "false" => Some(Self::Refused),
            "confirm" => Some(Self::Confirm),
            _ => None,
        }
    }
}

/// The options of one sync: those of the operation, which replace those of the application.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each flag is one independent sync option of Argo CD's API"
)]
pub struct SyncOptions {
    /// `Validate`: whether unknown and ill-typed fields are refused.
    pub validate: bool,
    /// `SkipDryRunOnMissingResource=true`.
    pub skip_dry_run_on_missing_resource: bool,
    /// `Prune` of the application.
    pub prune: Consent,
    /// `Delete` of the application.
    pub delete: Consent,
    /// `PruneLast=true`.
    pub prune_last: bool,
    /// `PrunePropagationPolicy`.
    pub propagation: Propagation,
    /// `ApplyOutOfSyncOnly=true`.
    pub apply_out_of_sync_only: bool,
    /// `Replace=true`.
    pub replace: bool,
    /// `Force=true`, or the `force` of the sync strategy.
    pub force: bool,
    /// `CreateNamespace=true`.
    pub create_namespace: bool,
    /// `FailOnSharedResource=true`.
    pub fail_on_shared_resource: bool,
    /// `RespectIgnoreDifferences=true`.
    pub respect_ignore_differences: bool,
    /// `ServerSideDryRun=true`, Argosy's own: the cluster tries each wave before it is written.
    pub server_side_dry_run: bool,
    /// `IgnoreDependencies=true`, Argosy's own: the sync does not wait for other applications.
    pub ignore_dependencies: bool,
    /// `MaxPrune`, Argosy's own: how much may be pruned without a person's approval.
    pub max_prune: Option<PruneLimit>,
    /// `ClientSideApplyMigration`: whether fields of kubectl's client-side apply are taken over.
    pub client_side_apply_migration: bool,
}

impl Default for SyncOptions {
    fn default() -> Self {
        Self {
            validate: true,
            skip_dry_run_on_missing_resource: false,
            prune: Consent::Given,
            delete: Consent::Given,
            prune_last: false,
            propagation: Propagation::Foreground,
            apply_out_of_sync_only: false,
            replace: false,
            force: false,
            create_namespace: false,
            fail_on_shared_resource: false,
            respect_ignore_differences: false,
            server_side_dry_run: false,
            ignore_dependencies: false,
            max_prune: None,
            client_side_apply_migration: true,
        }
    }
}

impl SyncOptions {
    /// Reads `syncOptions`. Matching is literal and case-sensitive; what is unknown has no effect.
    pub fn parse<'a>(options: impl IntoIterator<Item = &'a str>) -> Self {
        let mut parsed = Self::default();
        for option in options {
            match option {
                "Validate=false" => parsed.validate = false,
                "SkipDryRunOnMissingResource=true" => {
                    parsed.skip_dry_run_on_missing_resource = true;
                }
                "Prune=false" => parsed.prune = Consent::Refused,
                "Prune=confirm" => parsed.prune = Consent::Confirm,
                "Delete=false" => parsed.delete = Consent::Refused,
                "Delete=confirm" => parsed.delete = Consent::Confirm,
                "PruneLast=true" => parsed.prune_last = true,
                "PrunePropagationPolicy=background" => {
                    parsed.propagation = Propagation::Background;
                }
                "PrunePropagationPolicy=foreground" => {
                    parsed.propagation = Propagation::Foreground;
                }
                "PrunePropagationPolicy=orphan" => parsed.propagation = Propagation::Orphan,
                "ApplyOutOfSyncOnly=true" => parsed.apply_out_of_sync_only = true,
                "Replace=true" => parsed.replace = true,
                "Force=true" => parsed.force = true,
                "CreateNamespace=true" => parsed.create_namespace = true,
                "FailOnSharedResource=true" => parsed.fail_on_shared_resource = true,
                "ServerSideDryRun=true" => parsed.server_side_dry_run = true,
                "IgnoreDependencies=true" => parsed.ignore_dependencies = true,
                "RespectIgnoreDifferences=true" => parsed.respect_ignore_differences = true,
                "ClientSideApplyMigration=false" => parsed.client_side_apply_migration = false,
                other => {
                    if let Some(limit) = other.strip_prefix("MaxPrune=") {
                        parsed.max_prune = PruneLimit::parse(limit);
                    }
                }
            }
        }
        parsed
    }

    /// How one resource is written.
    pub fn apply_mode(&self, desired: &Value, live: Option<&Value>) -> ApplyMode {
        let asked = |option: &str| {
            desired.has_sync_option(option) || live.is_some_and(|live| live.has_sync_option(option))
        };
        ApplyMode {
            validate: self.validate && !desired.has_sync_option("Validate=false"),
            replace: self.replace || asked("Replace=true"),
            force: self.force || asked("Force=true"),
            dry_run: self.server_side_dry_run || desired.has_sync_option("ServerSideDryRun=true"),
            migrate: self.client_side_apply_migration,
        }
    }

    /// Whether a live resource may be pruned; what the resource says overrides the application.
    pub fn prune_consent(&self, live: &Value) -> Consent {
        live.sync_option("Prune")
            .and_then(Consent::parse)
            .unwrap_or(self.prune)
    }

    /// Whether a live resource may be deleted with its application; what the resource says
    /// overrides the application.
    pub fn delete_consent(&self, live: &Value) -> Consent {
        live.sync_option("Delete")
            .and_then(Consent::parse)
            .unwrap_or(self.delete)
    }
}

/// How one resource is written to the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each flag is one independent sync option of Argo CD's API"
)]
pub struct ApplyMode {
    /// Refuse unknown fields.
    pub validate: bool,
    /// Replace instead of apply; CRDs and namespaces are updated in place all the same.
    pub replace: bool,
    /// Delete and create again on a conflict that nothing else solves.
    pub force: bool,
    /// Have the cluster try it before the wave is written, webhooks or not.
    pub dry_run: bool,
    /// Take over the fields of client-side apply first.
    pub migrate: bool,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_resource_overrides_the_application() {
        let options = SyncOptions::parse(["Prune=false", "Delete=confirm", "replace=true"]);
        assert!(!options.replace, "options are case-sensitive");
        let with = |text: &str| json!({"metadata": {"annotations": {"argocd.argoproj.io/sync-options": text}}});
        assert_eq!(options.prune_consent(&with("")), Consent::Refused);
        assert_eq!(
            options.prune_consent(&with("Prune=confirm")),
            Consent::Confirm
        );
        assert_eq!(options.prune_consent(&with("Prune=true")), Consent::Given);
        assert_eq!(
            options.delete_consent(&with("Delete=false")),
            Consent::Refused
        );
        assert_eq!(options.delete_consent(&with("x")), Consent::Confirm);
    }
}
