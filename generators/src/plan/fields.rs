//! Which fields of an Application a write would change.

use std::collections::BTreeSet;

use argosy_crds::Application;
use serde_json::{Value, json};

use crate::normalise::normalise;

/// A field that differs.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldChange {
    /// Where it is, such as `spec.source.helm.parameters[0].value`; a key that is no plain word is
    /// quoted: `metadata.labels["app.kubernetes.io/name"]`.
    pub path: String,
    /// Its value before; `None` if it was not there.
    pub before: Option<Value>,
    /// Its value after; `None` if it goes.
    pub after: Option<Value>,
}

/// The fields in which two states of an Application differ, as far as a set writes them: labels,
/// annotations, finalizers, owners and spec. Lists of unequal length differ as a whole.
pub fn field_changes(before: &Application, after: &Application) -> Vec<FieldChange> {
    let mut changes = Vec::new();
    compare(
        "",
        Some(&written(before)),
        Some(&written(after)),
        &mut changes,
    );
    changes
}

/// What a set writes of an Application, in its normal form.
fn written(app: &Application) -> Value {
    let mut spec = app.spec.clone();
    normalise(&mut spec);
    let metadata = &app.metadata;
    let mut written = json!({
        "metadata": {
            "labels": metadata.labels, "annotations": metadata.annotations,
            "finalizers": metadata.finalizers, "ownerReferences": metadata.owner_references,
        },
        "spec": spec,
    });
    if let Some(metadata) = written["metadata"].as_object_mut() {
        metadata.retain(|_, value| !is_empty(value));
    }
    written
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(entries) => entries.is_empty(),
        _ => false,
    }
}

fn compare(
    path: &str,
    before: Option<&Value>,
    after: Option<&Value>,
    changes: &mut Vec<FieldChange>,
) {
    match (before, after) {
        (Some(before), Some(after)) if before == after => {}
        (Some(Value::Object(before)), Some(Value::Object(after))) => {
            let keys: BTreeSet<_> = before.keys().chain(after.keys()).collect();
            for key in keys {
                compare(&join(path, key), before.get(key), after.get(key), changes);
            }
        }
        (Some(Value::Array(before)), Some(Value::Array(after))) if before.len() == after.len() => {
            for (index, (before, after)) in before.iter().zip(after).enumerate() {
                let path = format!("{path}[{index}]");
                compare(&path, Some(before), Some(after), changes);
            }
        }
        (before, after) => changes.push(FieldChange {
            path: path.to_owned(),
            before: before.cloned(),
            after: after.cloned(),
        }),
    }
}

fn join(path: &str, key: &str) -> String {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !key.chars().all(is_word) {
        format!("{path}[{key:?}]")
    } else if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app(labels: &Value, source: &Value) -> Application {
        let destination = json!({"name": "dev", "namespace": "web"});
        let spec = json!({"project": "default", "source": source, "destination": destination});
        serde_json::from_value(json!({"metadata": {"name": "a", "labels": labels}, "spec": spec}))
            .expect("an Application")
    }

    fn paths(before: &Application, after: &Application) -> Vec<String> {
        let changes = field_changes(before, after);
        changes.into_iter().map(|change| change.path).collect()
    }

    #[test]
    fn each_field_is_named_with_its_path() {
        let helm = |value: &str| json!({"repoURL": "r", "helm": {"parameters": [{"name": "image", "value": value}]}});
        let before = app(&json!({"app.kubernetes.io/name": "a"}), &helm("v1"));
        let after = app(&json!({"tier": "front"}), &helm("v2"));
        assert_eq!(
            paths(&before, &after),
            [
                "metadata.labels[\"app.kubernetes.io/name\"]",
                "metadata.labels.tier",
                "spec.source.helm.parameters[0].value"
            ]
        );
    }

    #[test]
    fn what_is_written_differently_and_means_the_same_is_no_change() {
        let source = json!({"repoURL": "r", "path": "p"});
        assert_eq!(
            field_changes(&app(&json!({}), &source), &app(&Value::Null, &source)),
            []
        );
    }

    #[test]
    fn lists_of_unequal_length_differ_as_a_whole() {
        let files =
            |files: &[&str]| json!({"repoURL": "r", "path": "p", "helm": {"valueFiles": files}});
        let changes = field_changes(
            &app(&json!({}), &files(&["a"])),
            &app(&json!({}), &files(&["b", "a"])),
        );
        assert_eq!(changes.len(), 1);
        assert_eq!(changes[0].path, "spec.source.helm.valueFiles");
        assert_eq!(changes[0].after, Some(json!(["b", "a"])));
    }
}
