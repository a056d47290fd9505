//! What happened to an Application: results of syncs, deployments and hydrations.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde::{Deserialize, Serialize};

use super::operation::OperationInitiator;
use super::source::{ApplicationSource, SourceHydrator};
use super::sync_policy::ManagedNamespaceMetadata;
use crate::codes::{OperationPhase, ResultCode, SyncPhase};
use crate::wire::{is_default, lenient, null_as_default};

/// What a sync did.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct SyncOperationResult {
    /// Each resource's result.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub resources: Vec<ResourceResult>,
    /// The revision that was synced.
    #[serde(deserialize_with = "null_as_default")]
    pub revision: String,
    /// The revisions of several sources.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub revisions: Vec<String>,
    /// The source that was synced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<ApplicationSource>,
    /// The sources that were synced.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub sources: Vec<ApplicationSource>,
    /// The namespace metadata that was set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub managed_namespace_metadata: Option<ManagedNamespaceMetadata>,
    /// What the gates of the project said; Argosy's own.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub gates: Vec<GateResult>,
}

/// What a gate of the project said about a sync; Argosy's own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GateResult {
    /// The gate's name.
    pub name: String,
    /// When it was asked.
    pub when: GateStage,
    /// Whether it opened, `Succeeded`, or refused the sync, `Failed`.
    pub phase: OperationPhase,
    /// Why it refused.
    #[serde(
        default,
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub message: String,
    /// When it was asked first.
    pub started_at: Time,
    /// When it gave its word.
    pub finished_at: Time,
}

/// When a gate is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum GateStage {
    /// Before a sync begins.
    Before,
    /// When everything is applied and well, before the sync counts as succeeded.
    After,
}

/// What a sync did to a resource.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ResourceResult {
    /// Its API group.
    #[serde(deserialize_with = "null_as_default")]
    pub group: String,
    /// Its API version.
    #[serde(deserialize_with = "null_as_default")]
    pub version: String,
    /// Its kind.
    #[serde(deserialize_with = "null_as_default")]
    pub kind: String,
    /// Its namespace.
    #[serde(deserialize_with = "null_as_default")]
    pub namespace: String,
    /// Its name.
    #[serde(deserialize_with = "null_as_default")]
    pub name: String,
    /// What became of it.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient")]
    pub status: Option<ResultCode>,
    /// Why.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub message: String,
    /// The hook's type, as its annotation says.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub hook_type: String,
    /// How far the hook or the resource is.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient")]
    pub hook_phase: Option<OperationPhase>,
    /// The phase it belongs to.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient")]
    pub sync_phase: Option<SyncPhase>,
    /// Its container images.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub images: Vec<String>,
}

/// A past deployment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct RevisionHistory {
    /// Its number, counting up.
    #[serde(deserialize_with = "null_as_default")]
    pub id: i64,
    /// The revision.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub revision: String,
    /// The revisions of several sources.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub revisions: Vec<String>,
    /// The source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<ApplicationSource>,
    /// The sources.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub sources: Vec<ApplicationSource>,
    /// When it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deploy_started_at: Option<Time>,
    /// When it was done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deployed_at: Option<Time>,
    /// Who asked.
    #[serde(
        skip_serializing_if = "is_default",
        deserialize_with = "null_as_default"
    )]
    pub initiated_by: OperationInitiator,
    /// What the gates of the project said; Argosy's own.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub gates: Vec<GateResult>,
}

/// What the hydrator did.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct HydratorStatus {
    /// The last success.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_successful_operation: Option<SuccessfulHydrateOperation>,
    /// The running or last attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current_operation: Option<HydrateOperation>,
    /// The dry commit that was looked at last.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub last_compared_dry_revision: String,
}

/// A hydration that worked.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct SuccessfulHydrateOperation {
    /// The dry commit.
    #[serde(
        rename = "drySHA",
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub dry_sha: String,
    /// The commit made from it.
    #[serde(
        rename = "hydratedSHA",
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub hydrated_sha: String,
    /// The configuration used.
    #[serde(
        skip_serializing_if = "is_default",
        deserialize_with = "null_as_default"
    )]
    pub source_hydrator: SourceHydrator,
}

/// An attempt to hydrate.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct HydrateOperation {
    /// When it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Time>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Time>,
    /// `Hydrating`, `Failed` or `Hydrated`.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub phase: String,
    /// Why.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub message: String,
    /// The dry commit.
    #[serde(
        rename = "drySHA",
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub dry_sha: String,
    /// The commit made from it.
    #[serde(
        rename = "hydratedSHA",
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub hydrated_sha: String,
    /// The configuration used.
    #[serde(
        skip_serializing_if = "is_default",
        deserialize_with = "null_as_default"
    )]
    pub source_hydrator: SourceHydrator,
}
