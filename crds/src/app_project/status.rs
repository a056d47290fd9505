//! What is known about a project.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::role::JwtTokens;
use crate::wire::null_as_default;

/// The observed state of a project.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct AppProjectStatus {
    /// The tokens of each role.
    #[serde(
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub jwt_tokens_by_role: BTreeMap<String, JwtTokens>,
}
