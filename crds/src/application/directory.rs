//! Options of plain manifests and Jsonnet. Only their shape; the crate that renders gives them meaning.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::wire::{is_default, null_as_default};

/// Options of a directory of plain manifests.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct ApplicationSourceDirectory {
    /// Descend into subdirectories.
    #[serde(
        skip_serializing_if = "is_default",
        deserialize_with = "null_as_default"
    )]
    pub recurse: bool,
    /// Only files that match this glob.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub include: String,
    /// No file that matches this glob.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub exclude: String,
    /// Options of Jsonnet files.
    #[serde(
        skip_serializing_if = "is_default",
        deserialize_with = "null_as_default"
    )]
    pub jsonnet: ApplicationSourceJsonnet,
    /// Read files of every extension.
    #[serde(
        skip_serializing_if = "is_default",
        deserialize_with = "null_as_default"
    )]
    pub disable_extension_filter: bool,
}

/// Options of Jsonnet files.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct ApplicationSourceJsonnet {
    /// External variables.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub ext_vars: Vec<JsonnetVar>,
    /// Top-level arguments.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub tlas: Vec<JsonnetVar>,
    /// Library directories, relative to the repository's root.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub libs: Vec<String>,
}

/// A Jsonnet variable.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["name", "value"]))]
pub struct JsonnetVar {
    /// Its name.
    #[serde(deserialize_with = "null_as_default")]
    pub name: String,
    /// Its text.
    #[serde(deserialize_with = "null_as_default")]
    pub value: String,
    /// The text is Jsonnet code.
    #[serde(
        skip_serializing_if = "is_default",
        deserialize_with = "null_as_default"
    )]
    pub code: bool,
}
