//! Reading Kubernetes objects that are kept as plain JSON.
//!
//! The accessors never fail: what is absent or of another type reads as absent. Nothing here
//! changes an object, and nothing knows what is desired or live.

mod hook;
mod key;
pub mod names;

use serde_json::Value;

pub use hook::{
    DeleteHookType, DeletePolicy, HookType, delete_policies, hook_types, is_delete_hook, is_hook,
    is_ignored, is_skipped,
};
pub use key::{GroupKind, Gvk, ResourceKey};

/// Accessors over an object.
pub trait ObjectExt {
    /// `apiVersion`, or an empty string.
    fn api_version(&self) -> &str;
    /// `kind`, or an empty string.
    fn kind(&self) -> &str;
    /// A string field of `metadata`.
    fn metadata(&self, field: &str) -> Option<&str>;
    /// One annotation.
    fn annotation(&self, key: &str) -> Option<&str>;
    /// All annotations, in the order of their keys.
    fn annotations(&self) -> impl Iterator<Item = (&str, &str)>;
    /// One label.
    fn label(&self, key: &str) -> Option<&str>;
    /// All labels, in the order of their keys.
    fn labels(&self) -> impl Iterator<Item = (&str, &str)>;
    /// `metadata.finalizers`.
    fn finalizers(&self) -> impl Iterator<Item = &str>;
    /// `metadata.generation`.
    fn generation(&self) -> Option<i64>;
    /// Whether `metadata.ownerReferences` has an entry.
    fn has_owner(&self) -> bool;

    /// API group; empty for the core group.
    fn group(&self) -> &str {
        self.api_version()
            .split_once('/')
            .map_or("", |(group, _)| group)
    }

    /// Group and kind.
    fn group_kind(&self) -> GroupKind {
        GroupKind::new(self.group(), self.kind())
    }

    /// Group, version and kind.
    fn gvk(&self) -> Gvk {
        Gvk::from_api_version(self.api_version(), self.kind())
    }

    /// `metadata.name`, or an empty string.
    fn name(&self) -> &str {
        self.metadata("name").unwrap_or_default()
    }

    /// `metadata.namespace`, or an empty string.
    fn namespace(&self) -> &str {
        self.metadata("namespace").unwrap_or_default()
    }

    /// `metadata.generateName`, or an empty string.
    fn generate_name(&self) -> &str {
        self.metadata("generateName").unwrap_or_default()
    }

    /// `metadata.uid`, or an empty string.
    fn uid(&self) -> &str {
        self.metadata("uid").unwrap_or_default()
    }

    /// `metadata.resourceVersion`, or an empty string.
    fn resource_version(&self) -> &str {
        self.metadata("resourceVersion").unwrap_or_default()
    }

    /// Whether the API server has begun to delete the object.
    fn is_terminating(&self) -> bool {
        self.metadata("deletionTimestamp").is_some()
    }

    /// Identity in its cluster, with the namespace as written.
    fn resource_key(&self) -> ResourceKey {
        ResourceKey::new(self.group(), self.kind(), self.namespace(), self.name())
    }

    /// Whether the object is a `Namespace` of the core group.
    fn is_namespace(&self) -> bool {
        self.group().is_empty() && self.kind() == "Namespace"
    }

    /// Whether the object is a `CustomResourceDefinition`.
    fn is_crd(&self) -> bool {
        self.group() == "apiextensions.k8s.io" && self.kind() == "CustomResourceDefinition"
    }

    /// The trimmed, non-empty items of a comma-separated annotation.
    fn annotation_list(&self, key: &str) -> impl Iterator<Item = &str> {
        self.annotation(key)
            .unwrap_or_default()
            .split(',')
            .map(str::trim)
            .filter(|item| !item.is_empty())
    }

    /// Whether the `sync-options` annotation has `option`, such as `Prune=false`, literally.
    fn has_sync_option(&self, option: &str) -> bool {
        self.annotation_list(names::SYNC_OPTIONS)
            .any(|item| item == option)
    }

    /// The value of a sync option of the object, such as `confirm` for `Prune`.
    fn sync_option(&self, name: &str) -> Option<&str> {
        self.annotation_list(names::SYNC_OPTIONS)
            .filter_map(|item| item.split_once('='))
            .find_map(|(key, value)| (key == name).then_some(value))
    }

    /// The sync wave: the annotation, else Helm's hook weight, else 0; what is no integer is
    /// passed over.
    fn sync_wave(&self) -> i64 {
        [names::SYNC_WAVE, names::HELM_HOOK_WEIGHT]
            .into_iter()
            .filter_map(|key| self.annotation(key))
            .find_map(|text| text.parse().ok())
            .unwrap_or(0)
    }
}

impl ObjectExt for Value {
    fn api_version(&self) -> &str {
        self["apiVersion"].as_str().unwrap_or_default()
    }

    fn kind(&self) -> &str {
        self["kind"].as_str().unwrap_or_default()
    }

    fn metadata(&self, field: &str) -> Option<&str> {
        self["metadata"][field].as_str()
    }

    fn annotation(&self, key: &str) -> Option<&str> {
        self["metadata"]["annotations"][key].as_str()
    }

    fn annotations(&self) -> impl Iterator<Item = (&str, &str)> {
        strings(&self["metadata"]["annotations"])
    }

    fn label(&self, key: &str) -> Option<&str> {
        self["metadata"]["labels"][key].as_str()
    }

    fn labels(&self) -> impl Iterator<Item = (&str, &str)> {
        strings(&self["metadata"]["labels"])
    }

    fn finalizers(&self) -> impl Iterator<Item = &str> {
        self["metadata"]["finalizers"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Self::as_str)
    }

    fn generation(&self) -> Option<i64> {
        self["metadata"]["generation"].as_i64()
    }

    fn has_owner(&self) -> bool {
        self["metadata"]["ownerReferences"]
            .as_array()
            .is_some_and(|owners| !owners.is_empty())
    }
}

fn strings(map: &Value) -> impl Iterator<Item = (&str, &str)> {
    map.as_object()
        .into_iter()
        .flatten()
        .filter_map(|(key, value)| Some((key.as_str(), value.as_str()?)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn reads_identity_and_waves() {
        let object = json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "web", "namespace": "shop", "annotations": {
                "argocd.argoproj.io/sync-wave": "x", "helm.sh/hook-weight": "-3",
                "argocd.argoproj.io/sync-options": "Prune=confirm, Validate=false,,"}}
        });
        assert_eq!(
            object.resource_key().to_string(),
            "apps/Deployment/shop/web"
        );
        assert_eq!(object.gvk().to_string(), "apps/v1, Kind=Deployment");
        assert_eq!(object.sync_wave(), -3);
        assert_eq!(object.sync_option("Prune"), Some("confirm"));
        assert!(object.has_sync_option("Validate=false"));
        assert!(!object.is_terminating());
    }

    #[test]
    fn what_is_malformed_reads_as_absent() {
        let object = json!({"metadata": {"name": 3, "annotations": [], "finalizers": "x"}});
        assert_eq!(object.resource_key(), ResourceKey::default());
        assert_eq!(object.annotations().count(), 0);
        assert_eq!(object.finalizers().count(), 0);
        assert_eq!(json!(null).sync_wave(), 0);
    }

    fn annotated(annotations: &[(&str, &str)]) -> Value {
        json!({"metadata": {"annotations": annotations.iter().copied().collect::<std::collections::BTreeMap<_, _>>()}})
    }

    #[test]
    fn hooks_of_argo_win_over_those_of_helm() {
        let both = annotated(&[
            (names::HOOK, "Bogus, Sync"),
            (names::HELM_HOOK, "pre-install"),
        ]);
        assert_eq!(hook_types(&both), [HookType::Sync]);
        let helm = annotated(&[
            (names::HOOK, "Bogus"),
            (names::HELM_HOOK, "pre-install,test"),
        ]);
        assert_eq!(hook_types(&helm), [HookType::PreSync]);
        assert!(is_ignored(&annotated(&[(names::HELM_HOOK, "test")])));
        assert!(!is_hook(&annotated(&[(names::HELM_HOOK, "crd-install")])));
    }

    #[test]
    fn skip_counts_only_alone() {
        assert!(is_skipped(&annotated(&[(names::HOOK, "Skip")])));
        assert!(!is_hook(&annotated(&[(names::HOOK, "Skip")])));
        assert!(!is_skipped(&annotated(&[(names::HOOK, "Skip,Sync")])));
    }

    #[test]
    fn delete_policies_of_both_kinds_add_up() {
        let both = annotated(&[
            (names::HOOK_DELETE_POLICY, "HookFailed"),
            (names::HELM_HOOK_DELETE_POLICY, "hook-succeeded,nonsense"),
        ]);
        assert_eq!(
            delete_policies(&both),
            [DeletePolicy::HookFailed, DeletePolicy::HookSucceeded]
        );
        assert_eq!(
            delete_policies(&annotated(&[])),
            [DeletePolicy::BeforeHookCreation]
        );
    }
}
