//! The clusters generator: one set of parameters for each registered cluster.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::application_set::ApplicationSetTemplate;
use crate::schema;
use crate::wire::{is_default, null_as_default};

/// One set of parameters for each registered cluster.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct ClusterGenerator {
    /// Only clusters whose Secret has these labels.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::label_selector")]
    pub selector: Option<LabelSelector>,
    /// No cluster whose Secret has these labels. Argosy's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::label_selector")]
    pub exclude: Option<LabelSelector>,
    /// Only clusters whose name matches one of these globs. Argosy's own.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub names: Vec<String>,
    /// One set of parameters with all clusters in `clusters`.
    #[serde(
        skip_serializing_if = "is_default",
        deserialize_with = "null_as_default"
    )]
    pub flat_list: bool,
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
