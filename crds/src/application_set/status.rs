//! What is known about an ApplicationSet.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde::{Deserialize, Serialize};

use crate::application::{HealthStatus, ResourceStatus};
use crate::wire::{is_default, null_as_default};

/// The observed state of an ApplicationSet.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ApplicationSetStatus {
    /// How the last reconcile went.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub conditions: Vec<ApplicationSetCondition>,
    /// Where each Application is in the rollout.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub application_status: Vec<ApplicationSetApplicationStatus>,
    /// The owned Applications, sorted by name.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub resources: Vec<ResourceStatus>,
    /// How many Applications there are, listed or not.
    #[serde(
        skip_serializing_if = "is_default",
        deserialize_with = "null_as_default"
    )]
    pub resources_count: i64,
    /// The Applications that wait for a person's approval before they are deleted or moved; `*` is
    /// all. Argosy's own.
    #[serde(
        rename = "heldApplications",
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub held: Vec<String>,
    /// The verdict derived from the conditions.
    #[serde(
        skip_serializing_if = "is_default",
        deserialize_with = "null_as_default"
    )]
    pub health: HealthStatus,
}

/// How the last reconcile went, in one respect.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ApplicationSetCondition {
    /// Its type; see `codes::appset_condition`.
    #[serde(deserialize_with = "null_as_default")]
    pub type_: String,
    /// `True`, `False` or `Unknown`.
    #[serde(deserialize_with = "null_as_default")]
    pub status: String,
    /// A word for programs.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub reason: String,
    /// A sentence for people.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub message: String,
    /// When the status changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_transition_time: Option<Time>,
}

/// Where an Application is in the rollout.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ApplicationSetApplicationStatus {
    /// Its name.
    #[serde(deserialize_with = "null_as_default")]
    pub application: String,
    /// `Waiting`, `Pending`, `Progressing` or `Healthy`.
    #[serde(deserialize_with = "null_as_default")]
    pub status: String,
    /// The number of its step, from 1; `-1` when no step selects it.
    #[serde(deserialize_with = "null_as_default")]
    pub step: String,
    /// Why.
    #[serde(deserialize_with = "null_as_default")]
    pub message: String,
    /// The revisions it is to reach.
    #[serde(deserialize_with = "null_as_default")]
    pub target_revisions: Vec<String>,
    /// When the status changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_transition_time: Option<Time>,
    /// When the rollout asked for the sync to the target. Argosy's own, as are those that follow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Time>,
    /// A digest of the sources and the destination that it is to reach.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub spec_digest: String,
    /// The revisions that were deployed when it was healthy last: where a rollback leads.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub healthy_revisions: Vec<String>,
    /// It was rolled back from its target, and is not synced to it again.
    #[serde(
        skip_serializing_if = "is_default",
        deserialize_with = "null_as_default"
    )]
    pub rolled_back: bool,
}
