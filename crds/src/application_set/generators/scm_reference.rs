//! References that the SCM and pull request generators share.
//!
//! Names of Secrets and ConfigMaps; never their content.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::wire::null_as_default;

/// A key of a Secret.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["secretName", "key"]))]
pub struct SecretRef {
    /// The Secret.
    #[serde(deserialize_with = "null_as_default")]
    pub secret_name: String,
    /// The key.
    #[serde(deserialize_with = "null_as_default")]
    pub key: String,
}

/// A key of a ConfigMap.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["configMapName", "key"]))]
pub struct ConfigMapKeyRef {
    /// The ConfigMap.
    #[serde(deserialize_with = "null_as_default")]
    pub config_map_name: String,
    /// The key.
    #[serde(deserialize_with = "null_as_default")]
    pub key: String,
}

/// User and password.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["username", "passwordRef"]))]
pub struct BasicAuthBitbucketServer {
    /// The user.
    #[serde(deserialize_with = "null_as_default")]
    pub username: String,
    /// The password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_ref: Option<SecretRef>,
}

/// A token.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["tokenRef"]))]
pub struct BearerToken {
    /// The token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_ref: Option<SecretRef>,
}
