//! The cluster decision generator: clusters that another controller chose.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::application_set::ApplicationSetTemplate;
use crate::schema;
use crate::wire::{is_default, null_as_default};

/// One set of parameters for each cluster that another controller chose.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["configMapRef"]))]
pub struct DuckTypeGenerator {
    /// The ConfigMap that describes the resource.
    #[serde(deserialize_with = "null_as_default")]
    pub config_map_ref: String,
    /// The resource's name; excludes `labelSelector`.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub name: String,
    /// The resources' labels; excludes `name`.
    #[serde(
        skip_serializing_if = "is_default",
        deserialize_with = "null_as_default"
    )]
    #[schemars(schema_with = "schema::label_selector")]
    pub label_selector: LabelSelector,
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
