//! One kubeconfig for several clusters, a context each.

use argosy_yaml as yaml;
use serde_json::{Value, json};

use super::{NAME, NAMESPACE, Served};
use crate::diagnostic::{Diagnostic, Kind};

/// The administrator's kubeconfig for `clusters`; the first one's context is the current one. It
/// contains tokens.
pub fn kubeconfig(clusters: &[&Served]) -> Result<String, Diagnostic> {
    let mut merged = json!({
        "apiVersion": "v1", "kind": "Config",
        "clusters": [], "users": [], "contexts": [],
        "current-context": clusters.first().map_or("", |first| first.name()),
    });
    for cluster in clusters {
        let mut one = yaml::from_str(&cluster.kubeconfig()).map_err(|error| {
            Diagnostic::new(
                Kind::Internal,
                "KubeconfigMalformed",
                "cannot merge the kubeconfigs",
            )
            .because(&error)
        })?;
        if cluster.name() == NAME {
            // What kubectl is asked for there are the hub's own objects.
            one["contexts"][0]["context"]["namespace"] = json!(NAMESPACE);
        }
        for list in ["clusters", "users", "contexts"] {
            if let (Value::Array(all), Value::Array(more)) = (&mut merged[list], one[list].take()) {
                all.extend(more);
            }
        }
    }
    Ok(yaml::to_string(&merged))
}
