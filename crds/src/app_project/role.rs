//! Roles within a project, and their tokens.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::wire::{is_default, null_as_default};

/// A role within a project.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["name"]))]
pub struct ProjectRole {
    /// Its name.
    #[serde(deserialize_with = "null_as_default")]
    pub name: String,
    /// For people.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub description: String,
    /// RBAC lines.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub policies: Vec<String>,
    /// Groups that have the role.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub groups: Vec<String>,
    /// Tokens that are valid.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub jwt_tokens: Vec<JwtToken>,
}

/// What identifies a token; never the token itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["iat"]))]
pub struct JwtToken {
    /// When it was issued, in seconds since 1970.
    #[serde(deserialize_with = "null_as_default")]
    pub iat: i64,
    /// When it expires; 0 means never.
    #[serde(
        skip_serializing_if = "is_default",
        deserialize_with = "null_as_default"
    )]
    pub exp: i64,
    /// Its id; empty for old tokens.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub id: String,
}

/// The tokens of a role.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct JwtTokens {
    /// The tokens.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub items: Vec<JwtToken>,
}
