//! In which order kinds are created, and what the target cluster's API serves.

use crate::object::Gvk;

/// Kinds that others are likely to need, first to last; every other kind comes after them.
const ORDER: [&str; 35] = [
    "Namespace",
    "NetworkPolicy",
    "ResourceQuota",
    "LimitRange",
    "PodSecurityPolicy",
    "PodDisruptionBudget",
    "ServiceAccount",
    "Secret",
    "SecretList",
    "ConfigMap",
    "StorageClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "CustomResourceDefinition",
    "ClusterRole",
    "ClusterRoleList",
    "ClusterRoleBinding",
    "ClusterRoleBindingList",
    "Role",
    "RoleList",
    "RoleBinding",
    "RoleBindingList",
    "Service",
    "DaemonSet",
    "Pod",
    "ReplicationController",
    "ReplicaSet",
    "Deployment",
    "HorizontalPodAutoscaler",
    "StatefulSet",
    "Job",
    "CronJob",
    "IngressClass",
    "Ingress",
    "APIService",
];

/// Rank of a kind, whatever its group, as Argo CD ranks it.
pub(super) fn rank(kind: &str) -> usize {
    ORDER
        .iter()
        .position(|known| *known == kind)
        .unwrap_or(ORDER.len())
}

/// What a cluster's API says of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KindScope {
    /// Its objects live in namespaces.
    Namespaced,
    /// Its objects live outside namespaces.
    Cluster,
    /// The API does not serve it; the text says so as a user should read it.
    Unknown(String),
}

/// Discovery of the target cluster.
pub trait Kinds {
    /// How the cluster serves a kind.
    fn scope(&self, kind: &Gvk) -> KindScope;
}

impl<F: Fn(&Gvk) -> KindScope> Kinds for F {
    fn scope(&self, kind: &Gvk) -> KindScope {
        self(kind)
    }
}

/// The kinds known without a cluster: Kubernetes' own cluster-scoped kinds and a few that are
/// everywhere; all else counts as namespaced.
#[derive(Clone, Debug, Default)]
pub struct WellKnownKinds {
    /// Kinds that are to count as not served.
    pub missing: Vec<String>,
}

impl Kinds for WellKnownKinds {
    fn scope(&self, kind: &Gvk) -> KindScope {
        if self.missing.contains(&kind.kind) {
            return KindScope::Unknown(format!(
                "the server could not find the requested resource ({kind})"
            ));
        }
        if is_cluster_scoped(&kind.group, &kind.kind) {
            KindScope::Cluster
        } else {
            KindScope::Namespaced
        }
    }
}

fn is_cluster_scoped(group: &str, kind: &str) -> bool {
    matches!(
        (group, kind),
        (
            "",
            "Namespace" | "Node" | "PersistentVolume" | "ComponentStatus"
        ) | (
            "rbac.authorization.k8s.io",
            "ClusterRole" | "ClusterRoleBinding"
        ) | ("apiextensions.k8s.io", "CustomResourceDefinition")
            | ("apiregistration.k8s.io", "APIService")
            | (
                "admissionregistration.k8s.io",
                "ValidatingWebhookConfiguration"
                    | "MutatingWebhookConfiguration"
                    | "ValidatingAdmissionPolicy"
                    | "ValidatingAdmissionPolicyBinding"
                    | "MutatingAdmissionPolicy"
                    | "MutatingAdmissionPolicyBinding"
            )
            | (
                "storage.k8s.io",
                "StorageClass"
                    | "CSIDriver"
                    | "CSINode"
                    | "VolumeAttachment"
                    | "VolumeAttributesClass"
            )
            | ("scheduling.k8s.io", "PriorityClass")
            | ("node.k8s.io", "RuntimeClass")
            | ("policy", "PodSecurityPolicy")
            | (
                "networking.k8s.io",
                "IngressClass" | "IPAddress" | "ServiceCIDR"
            )
            | (
                "certificates.k8s.io",
                "CertificateSigningRequest" | "ClusterTrustBundle"
            )
            | (
                "flowcontrol.apiserver.k8s.io",
                "FlowSchema" | "PriorityLevelConfiguration"
            )
            | ("resource.k8s.io", "DeviceClass" | "ResourceSlice")
            | ("cert-manager.io", "ClusterIssuer")
            | ("kyverno.io", "ClusterPolicy")
    )
}
