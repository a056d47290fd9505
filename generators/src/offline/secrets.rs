//! Cluster Secrets, as Argo CD stores them.

use std::collections::BTreeMap;

use argosy_crds::names::label;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use crate::facts::Cluster;

/// Reads the clusters that Secrets describe; Secrets of other namespaces and types do not count.
///
/// Of the data only name, address and project are looked at, never the credentials.
pub fn clusters(secrets: &[Value], namespace: &str) -> Vec<Cluster> {
    secrets
        .iter()
        .filter_map(|secret| cluster(secret, namespace))
        .collect()
}

fn cluster(secret: &Value, namespace: &str) -> Option<Cluster> {
    let metadata = secret.get("metadata")?;
    let labels = texts(metadata.get("labels"));
    let is_cluster =
        labels.get(label::SECRET_TYPE).map(String::as_str) == Some(label::SECRET_TYPE_CLUSTER);
    let is_here = metadata.get("namespace").and_then(Value::as_str) == Some(namespace);
    if secret.get("kind")?.as_str()? != "Secret" || !is_cluster || !is_here {
        return None;
    }
    let field = |key: &str| datum(secret, key).unwrap_or_default();
    Some(Cluster {
        name: field("name"),
        server: field("server"),
        project: field("project"),
        annotations: texts(metadata.get("annotations")),
        labels,
    })
}

/// `stringData` overwrites `data`, as the API server has it.
fn datum(secret: &Value, key: &str) -> Option<String> {
    if let Some(text) = secret.pointer("/stringData").and_then(|data| data.get(key)) {
        return Some(text_of(text));
    }
    let encoded = secret.get("data")?.get(key)?.as_str()?;
    let bytes = STANDARD.decode(encoded).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

fn texts(map: Option<&Value>) -> BTreeMap<String, String> {
    let entries = map.and_then(Value::as_object).into_iter();
    entries
        .flat_map(Map::iter)
        .map(|(key, value)| (key.clone(), text_of(value)))
        .collect()
}

fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}
