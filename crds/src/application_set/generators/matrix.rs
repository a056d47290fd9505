//! The matrix generator: every combination of its children.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ApplicationSetGenerator;
use crate::application_set::ApplicationSetTemplate;
use crate::schema;
use crate::wire::null_as_default;

/// Every combination of the children's parameters; later children see earlier parameters.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["generators"]))]
pub struct MatrixGenerator {
    /// The children.
    #[serde(deserialize_with = "null_as_default")]
    #[schemars(schema_with = "schema::nested_generators")]
    pub generators: Vec<ApplicationSetGenerator>,
    /// Overrides parts of the set's template.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::any_object")]
    pub template: Option<Box<ApplicationSetTemplate>>,
}
