//! What a project permits.
//!
//! An absent `namespaceResourceWhitelist` permits every kind and an empty one none: the two are kept apart.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::integrity::{SignatureKey, SourceIntegrity};
use super::role::ProjectRole;
use super::window::SyncWindow;
use crate::application::ApplicationDestination;
use crate::wire::{is_default, null_as_default};

/// What a project permits.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct AppProjectSpec {
    /// For people, at most 255 characters.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub description: String,
    /// Repositories, as globs; `!` denies. Empty permits none.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub source_repos: Vec<String>,
    /// Clusters and namespaces, as globs; `!` denies.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub destinations: Vec<ApplicationDestination>,
    /// Namespaces in which Applications may live.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub source_namespaces: Vec<String>,
    /// Cluster-scoped kinds that are permitted; empty permits none.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub cluster_resource_whitelist: Vec<ClusterResourceRestrictionItem>,
    /// Cluster-scoped kinds that are denied; wins.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub cluster_resource_blacklist: Vec<ClusterResourceRestrictionItem>,
    /// Namespaced kinds that are permitted; absent permits all, empty none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace_resource_whitelist: Option<Vec<GroupKind>>,
    /// Namespaced kinds that are denied; wins.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub namespace_resource_blacklist: Vec<GroupKind>,
    /// Watches for resources that nobody manages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub orphaned_resources: Option<OrphanedResourcesMonitorSettings>,
    /// Roles within the project.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub roles: Vec<ProjectRole>,
    /// When syncs are allowed or denied.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub sync_windows: Vec<SyncWindow>,
    /// Keys that commits must be signed with, the old form.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub signature_keys: Vec<SignatureKey>,
    /// How commits must be signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_integrity: Option<SourceIntegrity>,
    /// Only clusters that belong to the project.
    #[serde(
        skip_serializing_if = "is_default",
        deserialize_with = "null_as_default"
    )]
    pub permit_only_project_scoped_clusters: bool,
    /// Who to impersonate, the first match.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub destination_service_accounts: Vec<ApplicationDestinationServiceAccount>,
}

/// A cluster-scoped kind, as patterns.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["group", "kind"]))]
pub struct ClusterResourceRestrictionItem {
    /// The API group.
    #[serde(deserialize_with = "null_as_default")]
    pub group: String,
    /// The kind.
    #[serde(deserialize_with = "null_as_default")]
    pub kind: String,
    /// The object's name; empty means any.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub name: String,
}

/// A kind, as patterns.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["group", "kind"]))]
pub struct GroupKind {
    /// The API group.
    #[serde(deserialize_with = "null_as_default")]
    pub group: String,
    /// The kind.
    #[serde(deserialize_with = "null_as_default")]
    pub kind: String,
}

/// What to say about resources that nobody manages.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct OrphanedResourcesMonitorSettings {
    /// Put a condition on the Applications; absent means no.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warn: Option<bool>,
    /// Resources that do not count.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub ignore: Vec<OrphanedResourceKey>,
}

/// Resources, as globs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct OrphanedResourceKey {
    /// The API group; empty is the core group.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub group: String,
    /// The kind; empty means any.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub kind: String,
    /// The name; empty means any.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub name: String,
}

/// Who to impersonate for a destination.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["server", "defaultServiceAccount"]))]
pub struct ApplicationDestinationServiceAccount {
    /// The cluster's address, a glob.
    #[serde(deserialize_with = "null_as_default")]
    pub server: String,
    /// The namespace, a glob.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub namespace: String,
    /// `name` or `namespace:name`.
    #[serde(deserialize_with = "null_as_default")]
    pub default_service_account: String,
}
