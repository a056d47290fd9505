//! The key `resource.compareoptions`.

use serde::Deserialize;
use serde_json::Value;

use crate::object::ObjectExt;

/// Which objects' status is left out of comparisons.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StatusFields {
    /// That of every object.
    #[default]
    All,
    /// That of CustomResourceDefinitions alone.
    Crd,
    /// None.
    None,
}

impl<'de> Deserialize<'de> for StatusFields {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // `off` and `false` are one boolean to YAML; any other word means what leaving it out means.
        let value = Value::deserialize(deserializer)?;
        Ok(match value {
            Value::Bool(false) => Self::None,
            Value::String(word) if matches!(word.as_str(), "none" | "off" | "false") => Self::None,
            Value::String(word) if word == "crd" => Self::Crd,
            _ => Self::All,
        })
    }
}

/// How comparisons treat what is common to kinds.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CompareOptions {
    /// Whether the rules of aggregated roles are the aggregation's business.
    pub ignore_aggregated_roles: bool,
    /// Whose status is left out.
    pub ignore_resource_status_field: StatusFields,
    /// Whether ignored differences wake no refresh either.
    pub ignore_differences_on_resource_updates: bool,
}

impl Default for CompareOptions {
    fn default() -> Self {
        Self {
            ignore_aggregated_roles: false,
            ignore_resource_status_field: StatusFields::All,
            ignore_differences_on_resource_updates: true,
        }
    }
}

impl CompareOptions {
    /// Whether the object's status is left out.
    pub fn ignores_status(&self, object: &Value) -> bool {
        match self.ignore_resource_status_field {
            StatusFields::All => true,
            StatusFields::Crd => object.is_crd(),
            StatusFields::None => false,
        }
    }
}
