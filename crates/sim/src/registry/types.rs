//! The merge behaviour of the built-in types, as one table of our own: which lists merge, by what,
//! and which maps are one value. Types not named here have nothing special.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use serde_json::Value;

use super::node::{ListType, Node};

/// One line a type: `Type: field=Other list=[Item key key~default] set={} atomic=!`.
/// `[Item key]` is a list of `Item` with those keys; `[Item]` an atomic list; `{}` a set;
/// `!` an atomic map; `<Type>` a map with values of that type; `/key` in a list names the key of
/// strategic merge patch where it differs from the first; `-` stands for a type without specials.
const TABLE: &str = "
ObjectMeta: ownerReferences=[! uid] finalizers={}
Any: metadata=ObjectMeta
Pod: metadata=ObjectMeta spec=PodSpec status=PodStatus
PodTemplate: metadata=ObjectMeta template=PodTemplateSpec
PodTemplateSpec: metadata=ObjectMeta spec=PodSpec
PodSpec: containers=[Container name] initContainers=[Container name] ephemeralContainers=[Container name] volumes=[Volume name] imagePullSecrets=[! name] hostAliases=[- ip] topologySpreadConstraints=[TopologySpreadConstraint topologyKey whenUnsatisfiable] nodeSelector=! affinity=Affinity securityContext=PodSecurityContext schedulingGates=[- name] resourceClaims=[- name] resources=Resources
PodSecurityContext: supplementalGroups=[-]
PodStatus: conditions=[- type] podIPs=[- ip] hostIPs=[-]
Container: ports=[- containerPort protocol~TCP /containerPort] env=[EnvVar name] volumeMounts=[- mountPath] volumeDevices=[- devicePath] resources=Resources
Resources: claims=[- name]
EnvVar: valueFrom=EnvVarSource
EnvVarSource: configMapKeyRef=! secretKeyRef=! fieldRef=! resourceFieldRef=! fileKeyRef=!
Volume: configMap=- secret=- cephfs=SecretRef rbd=SecretRef flexVolume=SecretRef scaleIO=SecretRef storageos=SecretRef iscsi=SecretRef ephemeral=Ephemeral projected=- downwardAPI=DownwardAPI
DownwardAPI: -
SecretRef: secretRef=!
Ephemeral: volumeClaimTemplate=ClaimTemplate
ClaimTemplate: spec=ClaimSpec
TopologySpreadConstraint: labelSelector=!
Affinity: nodeAffinity=NodeAffinity podAffinity=PodAffinity podAntiAffinity=PodAffinity
NodeAffinity: requiredDuringSchedulingIgnoredDuringExecution=!
PodAffinity: -
ConditionStatus: conditions=[- type]
Deployment: metadata=ObjectMeta spec=WorkloadSpec status=ConditionStatus
ReplicaSet: metadata=ObjectMeta spec=WorkloadSpec status=ConditionStatus
StatefulSet: metadata=ObjectMeta spec=WorkloadSpec status=ConditionStatus
DaemonSet: metadata=ObjectMeta spec=WorkloadSpec status=ConditionStatus
ReplicationController: metadata=ObjectMeta spec=ControllerSpec status=ConditionStatus
WorkloadSpec: selector=! template=PodTemplateSpec
ControllerSpec: selector=! template=PodTemplateSpec
Job: metadata=ObjectMeta spec=WorkloadSpec status=JobStatus
JobStatus: conditions=[- type]
CronJob: metadata=ObjectMeta spec=CronJobSpec
CronJobSpec: jobTemplate=JobTemplate
JobTemplate: metadata=ObjectMeta spec=WorkloadSpec
Service: metadata=ObjectMeta spec=ServiceSpec status=ConditionStatus
ServiceSpec: ports=[- port protocol~TCP /port] selector=!
ServiceAccount: metadata=ObjectMeta secrets=[! name] imagePullSecrets=[! name]
Namespace: metadata=ObjectMeta status=ConditionStatus
Node: metadata=ObjectMeta spec=NodeSpec status=NodeStatus
NodeSpec: podCIDRs={} taints=[-]
NodeStatus: conditions=[- type] addresses=[- type]
PersistentVolumeClaim: metadata=ObjectMeta spec=ClaimSpec status=ConditionStatus
ClaimSpec: selector=! dataSource=! accessModes=[-]
PersistentVolume: metadata=ObjectMeta spec=VolumeSpec
VolumeSpec: claimRef=! accessModes=[-]
Event: metadata=ObjectMeta
ResourceQuota: metadata=ObjectMeta spec=QuotaSpec
QuotaSpec: scopeSelector=!
Ingress: metadata=ObjectMeta spec=IngressSpec
IngressSpec: tls=[-] rules=[-] defaultBackend=IngressBackend
IngressBackend: resource=!
IngressClass: metadata=ObjectMeta
NetworkPolicy: metadata=ObjectMeta spec=PolicySpec
PolicySpec: podSelector=!
PodDisruptionBudget: metadata=ObjectMeta spec=BudgetSpec status=ConditionStatus
BudgetSpec: selector=!
HorizontalPodAutoscaler: metadata=ObjectMeta spec=ScalerSpec status=ConditionStatus
ScalerSpec: scaleTargetRef=- metrics=[-]
Role: metadata=ObjectMeta
ClusterRole: metadata=ObjectMeta aggregationRule=-
RoleBinding: metadata=ObjectMeta roleRef=!
ClusterRoleBinding: metadata=ObjectMeta roleRef=!
StorageClass: metadata=ObjectMeta
MutatingWebhookConfiguration: metadata=ObjectMeta webhooks=[Webhook name]
ValidatingWebhookConfiguration: metadata=ObjectMeta webhooks=[Webhook name]
Webhook: namespaceSelector=! objectSelector=! matchConditions=[- name]
ValidatingAdmissionPolicy: metadata=ObjectMeta spec=AdmissionSpec status=ConditionStatus
AdmissionSpec: paramKind=! matchConstraints=! matchConditions=[- name] variables=[- name]
ValidatingAdmissionPolicyBinding: metadata=ObjectMeta spec=AdmissionBindingSpec
AdmissionBindingSpec: paramRef=! matchResources=! validationActions={}
CustomResourceDefinition: metadata=ObjectMeta status=DefinitionStatus
DefinitionStatus: conditions=[- type] storedVersions=[-]
APIService: metadata=ObjectMeta status=ConditionStatus
EndpointSlice: metadata=ObjectMeta endpoints=[-] ports=[-]
CertificateSigningRequest: metadata=ObjectMeta status=ConditionStatus
FlowSchema: metadata=ObjectMeta status=ConditionStatus
PriorityLevelConfiguration: metadata=ObjectMeta status=ConditionStatus
";

static TYPES: LazyLock<BTreeMap<&'static str, Arc<Node>>> = LazyLock::new(|| {
    let lines: BTreeMap<_, _> = TABLE
        .lines()
        .filter_map(|line| line.split_once(": "))
        .collect();
    let mut built = BTreeMap::new();
    for name in lines.keys() {
        build(name, &lines, &mut built);
    }
    built
});

/// The merge behaviour of a built-in kind.
pub(crate) fn schema_of(kind: &str) -> Arc<Node> {
    TYPES
        .get(kind)
        .or_else(|| TYPES.get("Any"))
        .cloned()
        .unwrap_or_default()
}

type Built = BTreeMap<&'static str, Arc<Node>>;

fn build(
    name: &'static str,
    lines: &BTreeMap<&'static str, &'static str>,
    built: &mut Built,
) -> Arc<Node> {
    if let Some(done) = built.get(name) {
        return Arc::clone(done);
    }
    let mut node = Node::default();
    for (field, shape) in fields(lines.get(name).copied().unwrap_or_default()) {
        node.fields
            .insert(field.to_owned(), Arc::new(shaped(shape, lines, built)));
    }
    let node = Arc::new(node);
    built.insert(name, Arc::clone(&node));
    node
}

/// Splits `a=B c=[D e f]` at blanks outside brackets.
fn fields(line: &'static str) -> Vec<(&'static str, &'static str)> {
    let mut depth = 0;
    line.split(move |c: char| {
        depth += i32::from(c == '[') - i32::from(c == ']');
        c == ' ' && depth == 0
    })
    .filter_map(|part| part.split_once('='))
    .collect()
}

fn shaped(
    shape: &'static str,
    lines: &BTreeMap<&'static str, &'static str>,
    built: &mut Built,
) -> Node {
    match shape {
        "!" => Node {
            atomic: true,
            ..Node::default()
        },
        "{}" => Node {
            list: ListType::Set,
            ..Node::default()
        },
        "-" => Node::default(),
        _ => match shape
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            None => (*build(shape, lines, built)).clone(),
            Some(list) => {
                let mut words = list.split(' ');
                let items = shaped(words.next().unwrap_or("-"), lines, built);
                let (patch, keys): (Vec<_>, Vec<_>) = words.partition(|w| w.starts_with('/'));
                let keys: Vec<_> = keys.into_iter().map(key).collect();
                let patch_key = patch
                    .first()
                    .map(|word| word[1..].to_owned())
                    .or_else(|| keys.first().map(|(name, _)| name.clone()));
                let list = if keys.is_empty() {
                    ListType::Atomic
                } else {
                    ListType::Map(keys)
                };
                Node {
                    items: Some(Arc::new(items)),
                    list,
                    patch_key,
                    ..Node::default()
                }
            }
        },
    }
}

fn key(word: &str) -> (String, Option<Value>) {
    match word.split_once('~') {
        Some((name, default)) => (name.to_owned(), Some(Value::from(default))),
        None => (word.to_owned(), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_port_is_known_by_number_and_protocol() {
        let deployment = schema_of("Deployment");
        let containers = deployment.field("spec").field("template").field("spec");
        let ports = containers.field("containers").item().field("ports");
        let port = serde_json::json!({"containerPort": 80});
        let key = ports.item_key(&port);
        assert_eq!(
            key.as_deref(),
            Some(r#"k:{"containerPort":80,"protocol":"TCP"}"#)
        );
        assert_eq!(ports.patch_key.as_deref(), Some("containerPort"));
    }
}
