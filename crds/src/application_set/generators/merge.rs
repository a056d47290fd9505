//! The merge generator: the first child's parameters, overridden by later ones.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ApplicationSetGenerator;
use crate::application_set::ApplicationSetTemplate;
use crate::schema;
use crate::wire::null_as_default;

/// The first child's parameters, overridden where the merge keys agree.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["generators", "mergeKeys"]))]
pub struct MergeGenerator {
    /// The children.
    #[serde(deserialize_with = "null_as_default")]
    #[schemars(schema_with = "schema::nested_generators")]
    pub generators: Vec<ApplicationSetGenerator>,
    /// The parameters that must agree.
    #[serde(deserialize_with = "null_as_default")]
    pub merge_keys: Vec<String>,
    /// Overrides parts of the set's template.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::any_object")]
    pub template: Option<Box<ApplicationSetTemplate>>,
}
