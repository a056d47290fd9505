//! The defaults of built-in kinds that a client reads back, and those of custom schemas.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use super::object::{at, child, map_of, metadata, name_of};
use super::validate;
use crate::registry::Kind;

/// Fills in what was left out.
pub(super) fn defaulted(kind: &Kind, object: &mut Value) {
    if let Some(custom) = &kind.custom {
        validate::prune_and_default(custom, object);
        return;
    }
    drop_nulls(object);
    match (kind.group.as_str(), kind.kind.as_str()) {
        ("", "Pod") => pod(&mut object["spec"]),
        ("", "Service") => service(object),
        ("", "Secret") => {
            fold_string_data(object);
            set(object, "type", json!("Opaque"));
        }
        ("", "Namespace") => label_namespace(object),
        ("", "PersistentVolumeClaim") => {
            set(&mut object["spec"], "volumeMode", json!("Filesystem"));
        }
        ("", "PersistentVolume") => {
            set(
                &mut object["spec"],
                "persistentVolumeReclaimPolicy",
                json!("Retain"),
            );
            set(&mut object["spec"], "volumeMode", json!("Filesystem"));
        }
        ("apps", "Deployment") => deployment(&mut object["spec"]),
        ("apps", "ReplicaSet") | ("", "ReplicationController") => {
            set(&mut object["spec"], "replicas", json!(1));
            pod_template(&mut object["spec"]["template"]);
        }
        ("apps", "StatefulSet") => stateful_set(&mut object["spec"]),
        ("apps", "DaemonSet") => daemon_set(&mut object["spec"]),
        ("batch", "Job") => job(&mut object["spec"]),
        ("batch", "CronJob") => cron_job(&mut object["spec"]),
        ("rbac.authorization.k8s.io", _) => rbac(object),
        ("networking.k8s.io", "NetworkPolicy") => network_policy(&mut object["spec"]),
        ("autoscaling", _) => scaler(&mut object["spec"]),
        ("storage.k8s.io", "StorageClass") => {
            set(object, "reclaimPolicy", json!("Delete"));
            set(object, "volumeBindingMode", json!("Immediate"));
        }
        ("scheduling.k8s.io", "PriorityClass") => {
            set(object, "preemptionPolicy", json!("PreemptLowerPriority"));
        }
        ("admissionregistration.k8s.io", "MutatingWebhookConfiguration") => webhooks(object, true),
        ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration") => {
            webhooks(object, false);
        }
        ("apiextensions.k8s.io", _) => definition(&mut object["spec"]),
        _ => {}
    }
    // Indexing for writing leaves nulls where a parent was missing.
    drop_nulls(object);
}

fn scaler(spec: &mut Value) {
    set(spec, "minReplicas", json!(1));
    let target = json!({"type": "Utilization", "averageUtilization": 80});
    let metric = json!({"type": "Resource", "resource": {"name": "cpu", "target": target}});
    set(spec, "metrics", json!([metric]));
}

fn fold_string_data(secret: &mut Value) {
    let Some(Value::Object(texts)) = map_of(secret).remove("stringData") else {
        return;
    };
    let data = child(secret, "data");
    for (key, text) in texts {
        data.insert(key, BASE64.encode(text.as_str().unwrap_or_default()).into());
    }
}

/// Everybody can select a namespace by its name.
fn label_namespace(namespace: &mut Value) {
    let name = name_of(namespace).to_owned();
    let labels = metadata(namespace)
        .entry("labels")
        .or_insert_with(|| json!({}));
    map_of(labels).insert("kubernetes.io/metadata.name".to_owned(), name.into());
}

fn set(object: &mut Value, key: &str, default: Value) {
    let missing = object.get(key).is_none_or(|v| v.is_null() || *v == "");
    if missing && (object.is_object() || object.is_null()) {
        map_of(object).insert(key.to_owned(), default);
    }
}

/// Typed objects have no nulls: such a field was never sent.
fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|_, value| !value.is_null());
            map.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

fn each<'a>(object: &'a mut Value, key: &str) -> impl Iterator<Item = &'a mut Value> {
    object
        .get_mut(key)
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
}

fn pod_template(template: &mut Value) {
    if at(template, &["spec"]).is_some() {
        pod(&mut template["spec"]);
    }
}

fn pod(spec: &mut Value) {
    if !spec.is_object() {
        return;
    }
    set(spec, "restartPolicy", json!("Always"));
    set(spec, "terminationGracePeriodSeconds", json!(30));
    set(spec, "dnsPolicy", json!("ClusterFirst"));
    set(spec, "schedulerName", json!("default-scheduler"));
    set(spec, "securityContext", json!({}));
    if let Some(account) = at(spec, &["serviceAccountName"]).cloned() {
        set(spec, "serviceAccount", account);
    } else if let Some(account) = at(spec, &["serviceAccount"]).cloned() {
        set(spec, "serviceAccountName", account);
    }
    for list in ["containers", "initContainers", "ephemeralContainers"] {
        each(spec, list).for_each(container);
    }
    each(spec, "volumes").for_each(volume);
    for constraint in each(spec, "topologySpreadConstraints") {
        if constraint["maxSkew"].is_null() {
            constraint["maxSkew"] = json!(1);
        }
    }
}

fn container(container: &mut Value) {
    set(container, "resources", json!({}));
    set(
        container,
        "terminationMessagePath",
        json!("/dev/termination-log"),
    );
    set(container, "terminationMessagePolicy", json!("File"));
    let image = container["image"].as_str().unwrap_or_default().to_owned();
    if !image.is_empty() {
        let last = image.rsplit('/').next().unwrap_or_default();
        let latest =
            !image.contains('@') && last.rsplit_once(':').is_none_or(|(_, t)| t == "latest");
        let policy = if latest { "Always" } else { "IfNotPresent" };
        set(container, "imagePullPolicy", json!(policy));
    }
    each(container, "ports").for_each(|port| set(port, "protocol", json!("TCP")));
    for env in each(container, "env") {
        if env["valueFrom"]["fieldRef"].is_object() {
            set(&mut env["valueFrom"]["fieldRef"], "apiVersion", json!("v1"));
        }
    }
    for name in ["livenessProbe", "readinessProbe", "startupProbe"] {
        if let Some(found) = container.get_mut(name) {
            probe(found);
        }
    }
    for hook in ["postStart", "preStop"] {
        if container["lifecycle"][hook]["httpGet"].is_object() {
            http_get(&mut container["lifecycle"][hook]["httpGet"]);
        }
    }
    let resources = container["resources"].clone();
    if let Some(limits) = resources["limits"].as_object() {
        for (name, quantity) in limits {
            if resources["requests"].get(name).is_none() {
                container["resources"]["requests"][name] = quantity.clone();
            }
        }
    }
}

fn probe(probe: &mut Value) {
    let counts = [
        ("timeoutSeconds", 1),
        ("periodSeconds", 10),
        ("successThreshold", 1),
        ("failureThreshold", 3),
    ];
    for (field, count) in counts {
        set(probe, field, json!(count));
    }
    if probe["httpGet"].is_object() {
        http_get(&mut probe["httpGet"]);
    }
    if probe["grpc"].is_object() && probe["grpc"]["service"].is_null() {
        probe["grpc"]["service"] = json!("");
    }
}

fn http_get(get: &mut Value) {
    set(get, "path", json!("/"));
    set(get, "scheme", json!("HTTP"));
}

fn volume(volume: &mut Value) {
    for source in ["configMap", "secret", "downwardAPI", "projected"] {
        if volume[source].is_object() {
            set(&mut volume[source], "defaultMode", json!(420));
        }
    }
    if volume["hostPath"].is_object() && volume["hostPath"]["type"].is_null() {
        volume["hostPath"]["type"] = json!("");
    }
    if volume["projected"].is_object() {
        for source in each(&mut volume["projected"], "sources") {
            if source["serviceAccountToken"].is_object() {
                set(
                    &mut source["serviceAccountToken"],
                    "expirationSeconds",
                    json!(3600),
                );
            }
        }
    }
    let plain = volume
        .as_object()
        .is_some_and(|map| map.values().filter(|v| !v.is_null()).count() == 1);
    if plain {
        volume["emptyDir"] = json!({});
    }
}

fn deployment(spec: &mut Value) {
    set(spec, "replicas", json!(1));
    set(spec, "revisionHistoryLimit", json!(10));
    set(spec, "progressDeadlineSeconds", json!(600));
    set(spec, "strategy", json!({}));
    set(&mut spec["strategy"], "type", json!("RollingUpdate"));
    if spec["strategy"]["type"] == "RollingUpdate" {
        let rolling = &mut spec["strategy"]["rollingUpdate"];
        set(rolling, "maxUnavailable", json!("25%"));
        set(rolling, "maxSurge", json!("25%"));
    }
    pod_template(&mut spec["template"]);
}

fn stateful_set(spec: &mut Value) {
    set(spec, "replicas", json!(1));
    set(spec, "revisionHistoryLimit", json!(10));
    set(spec, "podManagementPolicy", json!("OrderedReady"));
    set(&mut spec["updateStrategy"], "type", json!("RollingUpdate"));
    if spec["updateStrategy"]["type"] == "RollingUpdate" {
        set(
            &mut spec["updateStrategy"]["rollingUpdate"],
            "partition",
            json!(0),
        );
    }
    set(
        &mut spec["persistentVolumeClaimRetentionPolicy"],
        "whenDeleted",
        json!("Retain"),
    );
    set(
        &mut spec["persistentVolumeClaimRetentionPolicy"],
        "whenScaled",
        json!("Retain"),
    );
    for claim in each(spec, "volumeClaimTemplates") {
        set(claim, "apiVersion", json!("v1"));
        set(claim, "kind", json!("PersistentVolumeClaim"));
        set(&mut claim["spec"], "volumeMode", json!("Filesystem"));
        set(&mut claim["status"], "phase", json!("Pending"));
    }
    pod_template(&mut spec["template"]);
}

fn daemon_set(spec: &mut Value) {
    set(spec, "revisionHistoryLimit", json!(10));
    set(&mut spec["updateStrategy"], "type", json!("RollingUpdate"));
    if spec["updateStrategy"]["type"] == "RollingUpdate" {
        set(
            &mut spec["updateStrategy"]["rollingUpdate"],
            "maxUnavailable",
            json!(1),
        );
        set(
            &mut spec["updateStrategy"]["rollingUpdate"],
            "maxSurge",
            json!(0),
        );
    }
    pod_template(&mut spec["template"]);
}

fn job(spec: &mut Value) {
    if spec["completions"].is_null() && spec["parallelism"].is_null() {
        set(spec, "completions", json!(1));
    }
    set(spec, "parallelism", json!(1));
    set(spec, "backoffLimit", json!(6));
    set(spec, "completionMode", json!("NonIndexed"));
    set(spec, "suspend", json!(false));
    set(spec, "manualSelector", json!(false));
    if spec["manualSelector"] == false {
        map_of(spec).remove("manualSelector");
    }
    set(spec, "podReplacementPolicy", json!("TerminatingOrFailed"));
    pod_template(&mut spec["template"]);
}

fn cron_job(spec: &mut Value) {
    set(spec, "concurrencyPolicy", json!("Allow"));
    set(spec, "suspend", json!(false));
    set(spec, "successfulJobsHistoryLimit", json!(3));
    set(spec, "failedJobsHistoryLimit", json!(1));
    pod_template(&mut spec["jobTemplate"]["spec"]["template"]);
}

fn service(object: &mut Value) {
    let spec = &mut object["spec"];
    set(spec, "type", json!("ClusterIP"));
    set(spec, "sessionAffinity", json!("None"));
    let kind = spec["type"].as_str().unwrap_or_default().to_owned();
    if kind != "ExternalName" {
        set(spec, "internalTrafficPolicy", json!("Cluster"));
    }
    if kind == "NodePort" || kind == "LoadBalancer" {
        set(spec, "externalTrafficPolicy", json!("Cluster"));
    }
    if kind == "LoadBalancer" {
        set(spec, "allocateLoadBalancerNodePorts", json!(true));
    }
    for port in each(spec, "ports") {
        set(port, "protocol", json!("TCP"));
        if let Some(number) = port.get("port").cloned() {
            if port["targetPort"] == 0 {
                port["targetPort"] = number;
            } else {
                set(port, "targetPort", number);
            }
        }
    }
}

fn rbac(object: &mut Value) {
    if object["roleRef"].is_object() {
        set(
            &mut object["roleRef"],
            "apiGroup",
            json!("rbac.authorization.k8s.io"),
        );
    }
    for subject in each(object, "subjects") {
        if subject["kind"] == "User" || subject["kind"] == "Group" {
            set(subject, "apiGroup", json!("rbac.authorization.k8s.io"));
        }
    }
}

fn network_policy(spec: &mut Value) {
    if spec["policyTypes"].is_null() {
        let egress = spec["egress"]
            .as_array()
            .is_some_and(|rules| !rules.is_empty());
        let types = if egress {
            json!(["Ingress", "Egress"])
        } else {
            json!(["Ingress"])
        };
        set(spec, "policyTypes", types);
    }
    for direction in ["ingress", "egress"] {
        for rule in each(spec, direction) {
            each(rule, "ports").for_each(|port| set(port, "protocol", json!("TCP")));
        }
    }
}

fn webhooks(object: &mut Value, mutating: bool) {
    for webhook in each(object, "webhooks") {
        set(webhook, "failurePolicy", json!("Fail"));
        set(webhook, "matchPolicy", json!("Equivalent"));
        set(webhook, "namespaceSelector", json!({}));
        set(webhook, "objectSelector", json!({}));
        set(webhook, "timeoutSeconds", json!(10));
        if mutating {
            set(webhook, "reinvocationPolicy", json!("Never"));
        }
        if webhook["clientConfig"]["service"].is_object() {
            set(&mut webhook["clientConfig"]["service"], "port", json!(443));
        }
        each(webhook, "rules").for_each(|rule| set(rule, "scope", json!("*")));
    }
}

fn definition(spec: &mut Value) {
    set(&mut spec["conversion"], "strategy", json!("None"));
    let kind = spec["names"]["kind"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    set(&mut spec["names"], "singular", json!(kind.to_lowercase()));
    set(&mut spec["names"], "listKind", json!(format!("{kind}List")));
}
