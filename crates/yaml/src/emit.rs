//! Prints values as YAML. Never fails.

use serde_json::Value;

/// Prints a value as sigs.k8s.io/yaml's Marshal does, ending in a newline.
pub fn to_string(value: &Value) -> String {
    serde_yaml::to_string(value).unwrap_or_default()
}
