//! How commits must be signed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::wire::null_as_default;

/// A key that commits must be signed with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["keyID"]))]
pub struct SignatureKey {
    /// Its id.
    #[serde(rename = "keyID", deserialize_with = "null_as_default")]
    pub key_id: String,
}

/// How sources are verified.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct SourceIntegrity {
    /// Git repositories.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub git: Option<SourceIntegrityGit>,
}

/// How git repositories are verified.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct SourceIntegrityGit {
    /// The first policy that matches counts.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub policies: Vec<SourceIntegrityGitPolicy>,
}

/// How some git repositories are verified.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct SourceIntegrityGitPolicy {
    /// Which repositories.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub repos: Vec<SourceIntegrityGitPolicyRepo>,
    /// How signatures are checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gpg: Option<SourceIntegrityGitPolicyGpg>,
}

/// A pattern of repositories.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["url"]))]
pub struct SourceIntegrityGitPolicyRepo {
    /// A glob.
    #[serde(deserialize_with = "null_as_default")]
    pub url: String,
}

/// How GPG signatures are checked.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct SourceIntegrityGitPolicyGpg {
    /// `none`, `head` or `strict`.
    #[serde(deserialize_with = "null_as_default")]
    pub mode: String,
    /// Ids of the keys that are trusted.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub keys: Vec<String>,
}
