//! The list generator: parameters written down.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::application_set::ApplicationSetTemplate;
use crate::schema;
use crate::wire::null_as_default;

/// Parameters written down.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct ListGenerator {
    /// One set of parameters each.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    #[schemars(schema_with = "schema::any_list")]
    pub elements: Vec<Value>,
    /// The same as YAML text, which can be templated.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub elements_yaml: String,
    /// Overrides parts of the set's template.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::any_object")]
    pub template: Option<Box<ApplicationSetTemplate>>,
}
