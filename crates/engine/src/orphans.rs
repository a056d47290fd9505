//! Objects of an application's namespace that belong to no application.
//!
//! A project asks for them to be watched (`orphanedResources`). Nothing here deletes one, and nobody
//! ever may because of what is said here.

use argosy_crds::app_project::{OrphanedResourceKey, OrphanedResourcesMonitorSettings};
use argosy_glob::gobwas;
use serde_json::Value;

use crate::object::ObjectExt;

/// What Kubernetes puts into namespaces by itself: kind, and name.
const KUBERNETES_OWN: [(&str, &str); 2] = [
    ("ServiceAccount", "default"),
    ("ConfigMap", "kube-root-ca.crt"),
];

/// Whether an object that no application tracks counts as orphaned: nothing owns it, Kubernetes did
/// not make it, and the project does not ignore it. Its metadata and kind are all that is looked at.
pub fn is_orphaned(object: &Value, settings: &OrphanedResourcesMonitorSettings) -> bool {
    let core = object.group().is_empty();
    let own = KUBERNETES_OWN.contains(&(object.kind(), object.name()));
    let service = object.kind() == "Service"
        && object.name() == "kubernetes"
        && object.namespace() == "default";
    !(object.has_owner() || core && (own || service))
        && !settings.ignore.iter().any(|rule| ignores(rule, object))
}

/// Globs; an empty kind or name is any, and an empty group is the core group, as in Argo CD.
fn ignores(rule: &OrphanedResourceKey, object: &Value) -> bool {
    let any_or =
        |pattern: &str, text: &str| pattern.is_empty() || gobwas::matches(pattern, text, &[]);
    gobwas::matches(&rule.group, object.group(), &[])
        && any_or(&rule.kind, object.kind())
        && any_or(&rule.name, object.name())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(api_version: &str, kind: &str, name: &str) -> Value {
        json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": name, "namespace": "shop"}})
    }

    #[test]
    fn what_is_owned_made_by_kubernetes_or_ignored_does_not_count() {
        let rule = |group: &str, kind: &str, name: &str| OrphanedResourceKey {
            group: group.to_owned(),
            kind: kind.to_owned(),
            name: name.to_owned(),
        };
        let settings = OrphanedResourcesMonitorSettings {
            warn: None,
            ignore: vec![rule("", "Secret", "*-token"), rule("apps", "", "")],
        };
        let orphaned = |object: &Value| is_orphaned(object, &settings);
        assert!(orphaned(&object("v1", "ConfigMap", "left-over")));
        assert!(orphaned(&object("v1", "Secret", "plain")));
        assert!(!orphaned(&object("v1", "Secret", "a-token")));
        assert!(!orphaned(&object("apps/v1", "Deployment", "web")));
        assert!(orphaned(&object("batch/v1", "Job", "web")));
        assert!(!orphaned(&object("v1", "ServiceAccount", "default")));
        assert!(!orphaned(&object("v1", "ConfigMap", "kube-root-ca.crt")));
        let mut owned = object("v1", "Pod", "web-1");
        owned["metadata"]["ownerReferences"] = json!([{"kind": "ReplicaSet"}]);
        assert!(!orphaned(&owned));
    }
}
