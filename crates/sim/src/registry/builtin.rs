//! The table of built-in resources that kube-apiserver 1.34 serves by default.

use std::sync::Arc;

use super::types::type_of;
use super::{Kind, Node, Scale};

/// `group/version|Kind|plural|short names|flags|categories`; flags: `n`amespaced, `s`tatus,
/// s`c`ale, `g`eneration, `r`eview (created and answered, never kept).
const TABLE: &str = "
/v1|ConfigMap|configmaps|cm|n|
/v1|Endpoints|endpoints|ep|n|
/v1|Event|events|ev|n|
/v1|LimitRange|limitranges|limits|n|
/v1|Namespace|namespaces|ns|s|
/v1|Node|nodes|no|s|
/v1|PersistentVolume|persistentvolumes|pv|s|
/v1|PersistentVolumeClaim|persistentvolumeclaims|pvc|ns|
/v1|Pod|pods|po|nsg|all
/v1|PodTemplate|podtemplates||n|
/v1|ReplicationController|replicationcontrollers|rc|nscg|all
/v1|ResourceQuota|resourcequotas|quota|ns|
/v1|Secret|secrets||n|
/v1|Service|services|svc|ns|all
/v1|ServiceAccount|serviceaccounts|sa|n|
admissionregistration.k8s.io/v1|MutatingWebhookConfiguration|mutatingwebhookconfigurations||g|api-extensions
admissionregistration.k8s.io/v1|ValidatingAdmissionPolicy|validatingadmissionpolicies||sg|api-extensions
admissionregistration.k8s.io/v1|ValidatingAdmissionPolicyBinding|validatingadmissionpolicybindings||g|api-extensions
admissionregistration.k8s.io/v1|ValidatingWebhookConfiguration|validatingwebhookconfigurations||g|api-extensions
apiextensions.k8s.io/v1|CustomResourceDefinition|customresourcedefinitions|crd,crds|sg|api-extensions
apiregistration.k8s.io/v1|APIService|apiservices||s|api-extensions
apps/v1|ControllerRevision|controllerrevisions||n|
apps/v1|DaemonSet|daemonsets|ds|nsg|all
apps/v1|Deployment|deployments|deploy|nscg|all
apps/v1|ReplicaSet|replicasets|rs|nscg|all
apps/v1|StatefulSet|statefulsets|sts|nscg|all
authentication.k8s.io/v1|SelfSubjectReview|selfsubjectreviews||r|
authentication.k8s.io/v1|TokenReview|tokenreviews||r|
authorization.k8s.io/v1|LocalSubjectAccessReview|localsubjectaccessreviews||nr|
authorization.k8s.io/v1|SelfSubjectAccessReview|selfsubjectaccessreviews||r|
authorization.k8s.io/v1|SelfSubjectRulesReview|selfsubjectrulesreviews||r|
authorization.k8s.io/v1|SubjectAccessReview|subjectaccessreviews||r|
autoscaling/v1|HorizontalPodAutoscaler|horizontalpodautoscalers|hpa|ns|all
autoscaling/v2|HorizontalPodAutoscaler|horizontalpodautoscalers|hpa|ns|all
batch/v1|CronJob|cronjobs|cj|nsg|all
batch/v1|Job|jobs||nsg|all
certificates.k8s.io/v1|CertificateSigningRequest|certificatesigningrequests|csr|s|
coordination.k8s.io/v1|Lease|leases||n|
discovery.k8s.io/v1|EndpointSlice|endpointslices||ng|
events.k8s.io/v1|Event|events|ev|n|
flowcontrol.apiserver.k8s.io/v1|FlowSchema|flowschemas||sg|
flowcontrol.apiserver.k8s.io/v1|PriorityLevelConfiguration|prioritylevelconfigurations||sg|
networking.k8s.io/v1|IPAddress|ipaddresses|ip||
networking.k8s.io/v1|Ingress|ingresses|ing|nsg|
networking.k8s.io/v1|IngressClass|ingressclasses||g|
networking.k8s.io/v1|NetworkPolicy|networkpolicies|netpol|ng|
networking.k8s.io/v1|ServiceCIDR|servicecidrs||s|
node.k8s.io/v1|RuntimeClass|runtimeclasses|||
policy/v1|PodDisruptionBudget|poddisruptionbudgets|pdb|nsg|
rbac.authorization.k8s.io/v1|ClusterRole|clusterroles|||
rbac.authorization.k8s.io/v1|ClusterRoleBinding|clusterrolebindings|||
rbac.authorization.k8s.io/v1|Role|roles||n|
rbac.authorization.k8s.io/v1|RoleBinding|rolebindings||n|
resource.k8s.io/v1|DeviceClass|deviceclasses||g|
resource.k8s.io/v1|ResourceClaim|resourceclaims||ns|
resource.k8s.io/v1|ResourceClaimTemplate|resourceclaimtemplates||n|
resource.k8s.io/v1|ResourceSlice|resourceslices||g|
scheduling.k8s.io/v1|PriorityClass|priorityclasses|pc|g|
storage.k8s.io/v1|CSIDriver|csidrivers||g|
storage.k8s.io/v1|CSINode|csinodes|||
storage.k8s.io/v1|CSIStorageCapacity|csistoragecapacities||n|
storage.k8s.io/v1|StorageClass|storageclasses|sc||
storage.k8s.io/v1|VolumeAttachment|volumeattachments||s|
storage.k8s.io/v1|VolumeAttributesClass|volumeattributesclasses|vac||
";

pub(super) fn kinds() -> Vec<Kind> {
    TABLE.lines().filter_map(kind).collect()
}

fn kind(line: &str) -> Option<Kind> {
    let mut parts = line.split('|');
    let (group, version) = parts.next()?.split_once('/')?;
    let (kind, plural) = (parts.next()?, parts.next()?);
    let list = |text: &str| -> Vec<String> {
        text.split(',')
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect()
    };
    let short = list(parts.next()?);
    let flags = parts.next()?;
    Some(Kind {
        group: group.to_owned(),
        version: version.to_owned(),
        kind: kind.to_owned(),
        plural: plural.to_owned(),
        singular: kind.to_lowercase(),
        short,
        categories: list(parts.next()?),
        namespaced: flags.contains('n'),
        stored: !flags.contains('r'),
        status: flags.contains('s'),
        scale: flags.contains('c').then(scale),
        generation: flags.contains('g'),
        schema: kept_as(group, version, kind),
        custom: None,
    })
}

/// The type in which objects are kept, where a kind is served in two.
fn kept_as(group: &str, version: &str, kind: &str) -> Arc<Node> {
    match (group, kind) {
        ("events.k8s.io", "Event") => type_of("", "v1", kind),
        ("autoscaling", "HorizontalPodAutoscaler") => type_of(group, "v2", kind),
        _ => type_of(group, version, kind),
    }
}

fn scale() -> Scale {
    let path = |words: [&str; 2]| words.map(str::to_owned).to_vec();
    Scale {
        spec: path(["spec", "replicas"]),
        status: path(["status", "replicas"]),
        selector: None,
    }
}
