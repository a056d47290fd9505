//! What of a hub may leave it: settings that hold no credentials, and objects without what people
//! put into them that nobody else is to see.
//!
//! Two lines keep credentials in. What is not known to be harmless is left out by its key; and every
//! value of a Secret that still turns up anywhere is struck out.

use argosy_engine::object::ObjectExt as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use regex::Regex;
use serde_json::{Map, Value};

/// What stands in place of what is left out.
pub(super) const LEFT_OUT: &str = "***";

/// The beginnings of the keys of settings whose values hold no credentials.
const SETTINGS: [&str; 22] = [
    "accounts.",
    "admin.enabled",
    "application.",
    "applicationsetcontroller.",
    "argosy.",
    "cluster.",
    "controller.",
    "exec.",
    "globalProjects",
    "helm.enable",
    "helm.valuesFileSchemes",
    "installationID",
    "jsonnet.",
    "kustomize.",
    "log.",
    "otlp.insecure",
    "otlp.sample.ratio",
    "reposerver.",
    "resource.",
    "server.",
    "statusbadge.",
    "timeout.",
];

/// The fields of objects, at any depth, that hold what people wrote for charts, tools and plugins, or
/// what identifies somebody.
const FIELDS: [&str; 17] = [
    "array",
    "commonAnnotations",
    "elements",
    "elementsYaml",
    "headers",
    "input",
    "jwtTokens",
    "jwtTokensByRole",
    "manifests",
    "map",
    "patch",
    "string",
    "templatePatch",
    "value",
    "values",
    "valuesObject",
    "managedFields",
];

/// The annotations whose values may be shown.
const ANNOTATIONS: [&str; 2] = ["argocd.argoproj.io/", "argosy.dev/"];

/// The keys of Secrets, and of the JSON in them, that hold no credentials.
const PLAIN: [&str; 24] = [
    "apiVersion",
    "awsClusterName",
    "clusterName",
    "clusterResources",
    "command",
    "enableLfs",
    "enableOCI",
    "forceHttpBasicAuth",
    "insecure",
    "insecureIgnoreHostKey",
    "insecureOCIForceHttp",
    "installHint",
    "name",
    "namespaces",
    "noProxy",
    "project",
    "provideClusterInfo",
    "roleARN",
    "server",
    "serverName",
    "shard",
    "type",
    "url",
    "useAzureWorkloadIdentity",
];

/// The shortest value that is struck out everywhere; a shorter one stands in too many words.
const SHORTEST: usize = 6;

/// The settings of a ConfigMap, those that may hold credentials without their values.
pub(super) fn settings(map: &Value) -> Value {
    let data = map["data"].as_object().into_iter().flatten();
    let shown = data.map(|(key, value)| {
        let is_harmless = SETTINGS.iter().any(|start| key.starts_with(start));
        let value = if is_harmless {
            value.clone()
        } else {
            LEFT_OUT.into()
        };
        (key.clone(), value)
    });
    Value::Object(shown.collect())
}

/// A Secret, as far as anybody may know of it: its name, its labels and its keys.
pub(super) fn secret(secret: &Value) -> Value {
    let data = secret["data"].as_object();
    let keys: Vec<_> = data.map(Map::keys).into_iter().flatten().collect();
    serde_json::json!({
        "name": secret.name(), "labels": secret["metadata"]["labels"],
        "type": secret["type"], "keys": keys,
    })
}

/// An object without what its people wrote that is for nobody else.
pub(super) fn object(mut object: Value) -> Value {
    leave_out(&mut object);
    object
}

fn leave_out(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                match value {
                    Value::Object(annotations) if key == "annotations" => {
                        leave_out_annotations(annotations);
                    }
                    _ if FIELDS.contains(&key.as_str()) => *value = LEFT_OUT.into(),
                    _ => leave_out(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(leave_out),
        _ => {}
    }
}

fn leave_out_annotations(annotations: &mut Map<String, Value>) {
    for (key, value) in annotations {
        if !ANNOTATIONS.iter().any(|start| key.starts_with(start)) {
            *value = LEFT_OUT.into();
        }
    }
}

/// Strikes out what is known to be a credential.
pub(super) struct Scrubber {
    known: Vec<String>,
    in_urls: Regex,
}

impl Scrubber {
    /// One that knows the values of these Secrets.
    pub(super) fn of(secrets: &[Value]) -> Result<Self, regex::Error> {
        let mut known = Vec::new();
        for secret in secrets {
            for (key, value) in secret["data"].as_object().into_iter().flatten() {
                let coded = value.as_str().unwrap_or_default();
                let bytes = BASE64.decode(coded).unwrap_or_default();
                let text = String::from_utf8_lossy(&bytes);
                if PLAIN.contains(&key.as_str()) {
                    continue;
                }
                known.push(coded.to_owned());
                known.push(text.trim().to_owned());
                // Whatever prints a text of several lines may indent them.
                known.extend(text.lines().map(|line| line.trim().to_owned()));
                if let Ok(json) = serde_json::from_str(&text) {
                    leaves(&json, &mut known);
                }
            }
        }
        known.retain(|text| text.len() >= SHORTEST);
        // What holds another goes first, or its rest would stay.
        known.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        known.dedup();
        Ok(Self {
            known,
            in_urls: Regex::new(r"(?i)\b([a-z][a-z0-9+.-]*://)[^/\s@]+@")?,
        })
    }

    /// The text without them.
    pub(super) fn scrub(&self, text: &str) -> String {
        let replaced = format!("${{1}}{LEFT_OUT}@");
        let mut text = self
            .in_urls
            .replace_all(text, replaced.as_str())
            .into_owned();
        for known in &self.known {
            if text.contains(known) {
                text = text.replace(known, LEFT_OUT);
            }
        }
        text
    }
}

/// The texts in a JSON document that may be credentials.
fn leaves(json: &Value, found: &mut Vec<String>) {
    match json {
        Value::Object(fields) => {
            for (_, value) in fields
                .iter()
                .filter(|(key, _)| !PLAIN.contains(&key.as_str()))
            {
                leaves(value, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| leaves(item, found)),
        Value::String(text) => found.push(text.trim().to_owned()),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn settings_that_may_hold_credentials_have_no_values() {
        let map = json!({"data": {
            "timeout.reconciliation": "60s",
            "oidc.config": "clientSecret: hunter22",
            "otlp.headers": "authorization=hunter22",
            "repositories": "- password: hunter22",
        }});
        let shown = settings(&map);
        assert_eq!(shown["timeout.reconciliation"], "60s");
        assert_eq!(shown["oidc.config"], LEFT_OUT);
        assert!(!shown.to_string().contains("hunter22"));
    }

    #[test]
    fn what_people_wrote_for_charts_and_plugins_is_left_out_at_any_depth() {
        let source = json!({
            "repoURL": "https://charts.example.com",
            "helm": {
                "values": "password: hunter22", "valuesObject": {"password": "hunter22"},
                "parameters": [{"name": "password", "value": "hunter22"}],
            },
            "plugin": {"env": [{"name": "TOKEN", "value": "hunter22"}],
                       "parameters": [{"name": "a", "string": "hunter22"}]},
            "kustomize": {"patches": [{"patch": "hunter22"}]},
        });
        let app = json!({
            "metadata": {"name": "web", "annotations": {
                "kubectl.kubernetes.io/last-applied-configuration": "hunter22",
                "argosy.dev/depends-on": "db",
            }},
            "spec": {
                "source": source,
                "template": {"metadata": {"annotations": {"hook.example.com": "hunter22"}}},
            },
            "status": {
                "sync": {"status": "Synced", "comparedTo": {"source": source}},
                "history": [{"source": source}],
                "operationState": {"operation": {"sync": {"manifests": ["hunter22"]}}},
            },
        });
        let shown = object(app);
        assert!(!shown.to_string().contains("hunter22"), "{shown}");
        assert_eq!(shown["status"]["sync"]["status"], "Synced");
        assert_eq!(
            shown["metadata"]["annotations"]["argosy.dev/depends-on"],
            "db"
        );
    }

    #[test]
    fn values_of_secrets_are_struck_out_wherever_they_turn_up() {
        let pem = "-----BEGIN KEY-----\nline-of-a-key\n-----END KEY-----\n";
        let config = json!({"bearerToken": "a-token", "tlsClientConfig": {"serverName": "prod.example.com"}});
        let secrets = [json!({"data": {
            "name": BASE64.encode("production"),
            "config": BASE64.encode(config.to_string()),
            "sshPrivateKey": BASE64.encode(pem),
            "password": BASE64.encode("hunter22-and-more"),
        }})];
        let scrubber = Scrubber::of(&secrets).unwrap();
        let coded = BASE64.encode("hunter22-and-more");
        let text = format!(
            "production prod.example.com a-token hunter22-and-more {coded}\n    line-of-a-key\n\
             https://ada:other@git.example.com/x git@github.com:a/b"
        );
        assert_eq!(
            scrubber.scrub(&text),
            "production prod.example.com *** *** ***\n    ***\n\
             https://***@git.example.com/x git@github.com:a/b"
        );
    }
}
