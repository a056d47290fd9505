//! What is known about an Application.
//!
//! Readers tolerate codes of other versions; writers only use those of `codes`.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde::{Deserialize, Serialize};

use super::history::{HydratorStatus, RevisionHistory, SyncOperationResult};
use super::operation::Operation;
use super::source::ApplicationSource;
use super::spec::{ApplicationDestination, ResourceIgnoreDifferences};
use crate::codes::{HealthStatusCode, OperationPhase, SyncStatusCode};
use crate::wire::{is_default, lenient, lenient_or_default, null_as_default};

/// The observed state of an Application.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ApplicationStatus {
    /// The managed resources, sorted by group, kind, namespace and name.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub resources: Vec<ResourceStatus>,
    /// Whether live state and git agree.
    #[serde(
        skip_serializing_if = "is_default",
        deserialize_with = "null_as_default"
    )]
    pub sync: SyncStatus,
    /// Whether it works.
    #[serde(
        skip_serializing_if = "is_default",
        deserialize_with = "null_as_default"
    )]
    pub health: AppHealthStatus,
    /// Past deployments, the oldest first.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub history: Vec<RevisionHistory>,
    /// What stands out, sorted.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub conditions: Vec<ApplicationCondition>,
    /// The last comparison against resolved revisions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reconciled_at: Option<Time>,
    /// The running or last operation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation_state: Option<OperationState>,
    /// Kept for readers of old objects; never written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_at: Option<Time>,
    /// `Helm`, `Kustomize`, `Directory` or `Plugin`.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub source_type: String,
    /// The same for several sources.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub source_types: Vec<String>,
    /// Links and images.
    #[serde(
        skip_serializing_if = "is_default",
        deserialize_with = "null_as_default"
    )]
    pub summary: ApplicationSummary,
    /// Where resource health is found: empty means in `resources`.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub resource_health_source: String,
    /// The namespace of the controller.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub controller_namespace: String,
    /// What the hydrator did.
    #[serde(
        skip_serializing_if = "is_default",
        deserialize_with = "null_as_default"
    )]
    pub source_hydrator: HydratorStatus,
    /// The trace of what was last told, in hexadecimal, where traces are recorded; Argosy's own.
    #[serde(
        rename = "traceID",
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub trace_id: String,
}

/// A managed resource.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ResourceStatus {
    /// Its API group.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub group: String,
    /// Its API version.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub version: String,
    /// Its kind.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub kind: String,
    /// Its namespace.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub namespace: String,
    /// Its name.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub name: String,
    /// Whether it agrees with git.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient")]
    pub status: Option<SyncStatusCode>,
    /// Whether it works.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health: Option<HealthStatus>,
    /// It is a hook.
    #[serde(
        skip_serializing_if = "is_default",
        deserialize_with = "null_as_default"
    )]
    pub hook: bool,
    /// Git no longer has it.
    #[serde(
        skip_serializing_if = "is_default",
        deserialize_with = "null_as_default"
    )]
    pub requires_pruning: bool,
    /// Its wave.
    #[serde(
        skip_serializing_if = "is_default",
        deserialize_with = "null_as_default"
    )]
    pub sync_wave: i64,
    /// Someone must confirm before it is deleted.
    #[serde(
        skip_serializing_if = "is_default",
        deserialize_with = "null_as_default"
    )]
    pub requires_deletion_confirmation: bool,
}

/// Whether live state and git agree.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct SyncStatus {
    /// The verdict.
    #[serde(deserialize_with = "lenient_or_default")]
    pub status: SyncStatusCode,
    /// What was compared.
    #[serde(
        skip_serializing_if = "is_default",
        deserialize_with = "null_as_default"
    )]
    pub compared_to: ComparedTo,
    /// The resolved revision.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub revision: String,
    /// The resolved revisions of several sources.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub revisions: Vec<String>,
}

/// What a comparison was about.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ComparedTo {
    /// The source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<ApplicationSource>,
    /// The sources.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub sources: Vec<ApplicationSource>,
    /// The destination.
    #[serde(deserialize_with = "null_as_default")]
    pub destination: ApplicationDestination,
    /// What was left out.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub ignore_differences: Vec<ResourceIgnoreDifferences>,
}

/// The health of a resource.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct HealthStatus {
    /// The verdict; absent means that it is not judged.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient")]
    pub status: Option<HealthStatusCode>,
    /// Why.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub message: String,
    /// When the verdict changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_transition_time: Option<Time>,
}

/// The health of an application.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct AppHealthStatus {
    /// The verdict; absent means not judged yet.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient")]
    pub status: Option<HealthStatusCode>,
    /// Why.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub message: String,
    /// When the verdict changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_transition_time: Option<Time>,
}

/// Something that stands out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ApplicationCondition {
    /// Its type; see `codes::condition`.
    #[serde(deserialize_with = "null_as_default")]
    pub type_: String,
    /// What is the matter and what helps.
    #[serde(deserialize_with = "null_as_default")]
    pub message: String,
    /// When it was first seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_transition_time: Option<Time>,
}

/// The running or last operation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct OperationState {
    /// What was asked.
    #[serde(deserialize_with = "null_as_default")]
    pub operation: Operation,
    /// How far it is.
    #[serde(deserialize_with = "lenient_or_default")]
    pub phase: OperationPhase,
    /// Why.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub message: String,
    /// What happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sync_result: Option<SyncOperationResult>,
    /// When it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Time>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Time>,
    /// How often it was retried.
    #[serde(
        skip_serializing_if = "is_default",
        deserialize_with = "null_as_default"
    )]
    pub retry_count: i64,
}

/// Links and images of the live objects.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ApplicationSummary {
    /// Links, sorted.
    #[serde(
        rename = "externalURLs",
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub external_urls: Vec<String>,
    /// Container images, sorted.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub images: Vec<String>,
    /// It manages other Applications.
    #[serde(
        skip_serializing_if = "is_default",
        deserialize_with = "null_as_default"
    )]
    pub is_app_of_apps: bool,
}
