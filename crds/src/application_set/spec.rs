//! What an ApplicationSet asks for.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::generators::ApplicationSetGenerator;
use super::strategy::ApplicationSetStrategy;
use super::template::ApplicationSetTemplate;
use crate::wire::{is_default, null_as_default};

/// The desired state of an ApplicationSet.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["generators", "template"]))]
pub struct ApplicationSetSpec {
    /// Render with Go templates instead of `{{name}}` replacement.
    #[serde(
        skip_serializing_if = "is_default",
        deserialize_with = "null_as_default"
    )]
    pub go_template: bool,
    /// Options of Go's templates, such as `missingkey=error`.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub go_template_options: Vec<String>,
    /// Where the parameters come from.
    #[serde(deserialize_with = "null_as_default")]
    pub generators: Vec<ApplicationSetGenerator>,
    /// What is rendered for each set of parameters.
    #[serde(deserialize_with = "null_as_default")]
    pub template: ApplicationSetTemplate,
    /// A template of a patch for each rendered Application.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template_patch: Option<String>,
    /// What may be done to the Applications.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sync_policy: Option<ApplicationSetSyncPolicy>,
    /// Live metadata that is left alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preserved_fields: Option<ApplicationPreservedFields>,
    /// Fields of Applications that are left alone.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub ignore_application_differences: Vec<ApplicationSetIgnoreDifferences>,
    /// The order of rollouts and deletions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strategy: Option<ApplicationSetStrategy>,
    /// Kept for old manifests; selectors of nested generators always count.
    #[serde(
        skip_serializing_if = "is_default",
        deserialize_with = "null_as_default"
    )]
    pub apply_nested_selectors: bool,
}

/// What may be done to the Applications.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct ApplicationSetSyncPolicy {
    /// Which of create, update and delete are allowed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub applications_sync: Option<ApplicationsSyncPolicy>,
    /// Leave the resources when an Application goes.
    #[serde(
        skip_serializing_if = "is_default",
        deserialize_with = "null_as_default"
    )]
    pub preserve_resources_on_deletion: bool,
}

/// Metadata keys whose live values stay.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct ApplicationPreservedFields {
    /// Keys of annotations.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub annotations: Vec<String>,
    /// Keys of labels.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub labels: Vec<String>,
}

/// Fields of Applications that are left alone.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct ApplicationSetIgnoreDifferences {
    /// Only the Application of this name.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub name: String,
    /// RFC 6901 pointers.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub json_pointers: Vec<String>,
    /// jq paths.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub jq_path_expressions: Vec<String>,
}

/// Which of create, update and delete a set may do to its Applications.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum ApplicationsSyncPolicy {
    /// Create, update and delete.
    #[default]
    Sync,
    /// Create alone.
    CreateOnly,
    /// Create and update.
    CreateUpdate,
    /// Create and delete.
    CreateDelete,
}

impl ApplicationsSyncPolicy {
    /// Whether existing Applications may be changed.
    pub fn allows_update(self) -> bool {
        matches!(self, Self::Sync | Self::CreateUpdate)
    }

    /// Whether Applications that are no longer generated may be deleted.
    pub fn allows_delete(self) -> bool {
        matches!(self, Self::Sync | Self::CreateDelete)
    }
}
