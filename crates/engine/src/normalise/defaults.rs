//! What the API server writes where git is silent, as far as a comparison of lists that are replaced
//! as a whole needs it.

use serde_json::{Value, json};

use crate::schema::{Schema, Type};

/// Adds defaults to `value`, of type `of`.
pub fn apply(value: &mut Value, schema: &Schema, of: &Type) {
    match (of, value) {
        (Type::Struct(at), Value::Object(map)) => {
            let Some(structure) = schema.structure(*at) else {
                return;
            };
            for (key, field) in &structure.fields {
                if let Some(value) = map.get_mut(key) {
                    apply(value, schema, &field.of);
                }
            }
            let short = structure.name.rsplit('.').next().unwrap_or_default();
            for (field, default) in defaults(short, map) {
                map.entry(field).or_insert(default);
            }
        }
        (Type::Map(of), Value::Object(map)) => {
            for value in map.values_mut() {
                apply(value, schema, of);
            }
        }
        (Type::List(list), Value::Array(items)) => {
            for item in items {
                apply(item, schema, &list.item);
            }
        }
        _ => {}
    }
}

fn defaults(of: &str, map: &serde_json::Map<String, Value>) -> Vec<(&'static str, Value)> {
    match of {
        "Subject" => {
            let of_rbac = map
                .get("kind")
                .is_some_and(|kind| kind == "User" || kind == "Group");
            if of_rbac {
                vec![("apiGroup", json!("rbac.authorization.k8s.io"))]
            } else {
                Vec::new()
            }
        }
        "RoleRef" => vec![("apiGroup", json!("rbac.authorization.k8s.io"))],
        "NetworkPolicyPort" | "ContainerPort" | "EndpointPort" => vec![("protocol", json!("TCP"))],
        "ServicePort" => {
            let port = map.get("port").cloned().unwrap_or(Value::Null);
            vec![("protocol", json!("TCP")), ("targetPort", port)]
        }
        "ObjectFieldSelector" => vec![("apiVersion", json!("v1"))],
        "HTTPGetAction" => vec![("path", json!("/")), ("scheme", json!("HTTP"))],
        "ServiceAccountTokenProjection" => vec![("expirationSeconds", json!(3600))],
        "ConfigMapVolumeSource"
        | "SecretVolumeSource"
        | "DownwardAPIVolumeSource"
        | "ProjectedVolumeSource" => vec![("defaultMode", json!(420))],
        "HostPathVolumeSource" => vec![("type", json!(""))],
        "PersistentVolumeClaimSpec" => vec![("volumeMode", json!("Filesystem"))],
        "Probe" => vec![
            ("timeoutSeconds", json!(1)),
            ("periodSeconds", json!(10)),
            ("successThreshold", json!(1)),
            ("failureThreshold", json!(3)),
        ],
        "Container" => vec![
            ("imagePullPolicy", json!(pull_policy(map))),
            ("terminationMessagePath", json!("/dev/termination-log")),
            ("terminationMessagePolicy", json!("File")),
        ],
        _ => Vec::new(),
    }
}

fn pull_policy(container: &serde_json::Map<String, Value>) -> &'static str {
    let image = container
        .get("image")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let name = image.rsplit('/').next().unwrap_or_default();
    let latest =
        !image.contains('@') && name.split_once(':').is_none_or(|(_, tag)| tag == "latest");
    if latest { "Always" } else { "IfNotPresent" }
}
