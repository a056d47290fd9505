//! The git generator: parameters from directories or files of a repository.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::application_set::ApplicationSetTemplate;
use crate::schema;
use crate::wire::{is_default, null_as_default};

/// One set of parameters for each directory or file of a repository.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["repoURL", "revision"]))]
pub struct GitGenerator {
    /// The repository.
    #[serde(rename = "repoURL", deserialize_with = "null_as_default")]
    pub repo_url: String,
    /// The branch, tag or commit.
    #[serde(deserialize_with = "null_as_default")]
    pub revision: String,
    /// Which directories; wins over `files`.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub directories: Vec<GitDirectoryGeneratorItem>,
    /// Which files.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub files: Vec<GitFileGeneratorItem>,
    /// Put before the path parameters' names.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub path_param_prefix: String,
    /// How often to look again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requeue_after_seconds: Option<i64>,
    /// Further parameters, as `values.<key>`.
    #[serde(
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub values: BTreeMap<String, String>,
    /// Overrides parts of the set's template.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::any_object")]
    pub template: Option<Box<ApplicationSetTemplate>>,
}

/// A pattern of directories.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["path"]))]
pub struct GitDirectoryGeneratorItem {
    /// The pattern.
    #[serde(deserialize_with = "null_as_default")]
    pub path: String,
    /// Leave out instead of taking in.
    #[serde(
        skip_serializing_if = "is_default",
        deserialize_with = "null_as_default"
    )]
    pub exclude: bool,
}

/// A pattern of files.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["path"]))]
pub struct GitFileGeneratorItem {
    /// The pattern.
    #[serde(deserialize_with = "null_as_default")]
    pub path: String,
    /// Leave out instead of taking in.
    #[serde(
        skip_serializing_if = "is_default",
        deserialize_with = "null_as_default"
    )]
    pub exclude: bool,
}
