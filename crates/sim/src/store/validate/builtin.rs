//! Rules of the built-in kinds: what is required, and what may not change.

use serde_json::Value;

use super::super::failure::Cause;
use super::super::object::{at, get_text};
use super::super::selector::selects;
use crate::registry::Kind;

const IMMUTABLE: &str = "field is immutable";

/// What is wrong with an object by itself.
pub(super) fn check(kind: &Kind, object: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    match (kind.group.as_str(), kind.kind.as_str()) {
        ("apps", "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet") => {
            workload(object, &mut causes);
        }
        ("batch", "Job") => {
            pod(object, &["spec", "template", "spec"], &mut causes);
            let policy = get_text(object, &["spec", "template", "spec", "restartPolicy"]);
            if !["OnFailure", "Never"].contains(&policy) {
                let known = ["OnFailure".to_owned(), "Never".to_owned()];
                let path = "spec.template.spec.restartPolicy";
                causes.push(Cause::unsupported(path, &policy.into(), &known));
            }
        }
        ("batch", "CronJob") => {
            if get_text(object, &["spec", "schedule"]).is_empty() {
                causes.push(Cause::required("spec.schedule", ""));
            }
            pod(
                object,
                &["spec", "jobTemplate", "spec", "template", "spec"],
                &mut causes,
            );
        }
        ("", "Pod") => pod(object, &["spec"], &mut causes),
        ("", "Service") => service(object, &mut causes),
        ("", "ConfigMap" | "Secret") => data(object, &mut causes),
        ("rbac.authorization.k8s.io", "RoleBinding" | "ClusterRoleBinding")
            if get_text(object, &["roleRef", "name"]).is_empty() =>
        {
            causes.push(Cause::required("roleRef.name", ""));
        }
        ("apiextensions.k8s.io", _) => definition(object, &mut causes),
        _ => {}
    }
    causes
}

fn workload(object: &Value, causes: &mut Vec<Cause>) {
    let labels = &object["spec"]["template"]["metadata"]["labels"];
    match at(object, &["spec", "selector"]) {
        None => causes.push(Cause::required("spec.selector", "")),
        Some(selector) if !selects(selector, labels) => {
            let detail = "`selector` does not match template `labels`";
            let labels = if labels.is_null() {
                &Value::Object(serde_json::Map::new())
            } else {
                labels
            };
            causes.push(Cause::invalid(
                "spec.template.metadata.labels",
                labels,
                detail,
            ));
        }
        Some(_) => {}
    }
    if object["spec"]["replicas"].as_i64().is_some_and(|n| n < 0) {
        let detail = "must be greater than or equal to 0";
        causes.push(Cause::invalid(
            "spec.replicas",
            &object["spec"]["replicas"],
            detail,
        ));
    }
    pod(object, &["spec", "template", "spec"], causes);
}

fn pod(object: &Value, path: &[&str], causes: &mut Vec<Cause>) {
    let at_path = path.join(".");
    let spec = at(object, path).unwrap_or(&Value::Null);
    let containers = spec["containers"].as_array().map_or(&[][..], Vec::as_slice);
    if containers.is_empty() {
        causes.push(Cause::required(format!("{at_path}.containers"), ""));
    }
    let mut names = Vec::new();
    for (index, container) in containers.iter().enumerate() {
        let here = format!("{at_path}.containers[{index}]");
        let name = get_text(container, &["name"]);
        if name.is_empty() {
            causes.push(Cause::required(format!("{here}.name"), ""));
        } else if names.contains(&name) {
            causes.push(Cause::duplicate(format!("{here}.name"), &name.into()));
        }
        names.push(name);
        if get_text(container, &["image"]).is_empty() {
            causes.push(Cause::required(format!("{here}.image"), ""));
        }
        mounts(spec, container, &here, causes);
    }
}

fn mounts(spec: &Value, container: &Value, here: &str, causes: &mut Vec<Cause>) {
    let claims = spec["volumes"].as_array().map_or(&[][..], Vec::as_slice);
    let mounts = container["volumeMounts"].as_array().into_iter().flatten();
    for (index, mount) in mounts.enumerate() {
        let name = get_text(mount, &["name"]);
        if !claims.iter().any(|volume| volume["name"] == name) {
            causes.push(Cause {
                reason: "FieldValueNotFound",
                field: format!("{here}.volumeMounts[{index}].name"),
                message: format!("Not found: {name:?}"),
            });
        }
    }
}

fn service(object: &Value, causes: &mut Vec<Cause>) {
    let kind = get_text(object, &["spec", "type"]);
    let ports = object["spec"]["ports"]
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    let headless = get_text(object, &["spec", "clusterIP"]) == "None";
    if ports.is_empty() && kind != "ExternalName" && !headless {
        causes.push(Cause::required("spec.ports", ""));
    }
    for (index, port) in ports.iter().enumerate() {
        let here = format!("spec.ports[{index}]");
        if ports.len() > 1 && get_text(port, &["name"]).is_empty() {
            causes.push(Cause::required(format!("{here}.name"), ""));
        }
        let number = port["port"].as_i64().unwrap_or(0);
        if !(1..=65535).contains(&number) {
            let detail = "must be between 1 and 65535, inclusive";
            causes.push(Cause::invalid(
                format!("{here}.port"),
                &number.into(),
                detail,
            ));
        }
    }
}

fn data(object: &Value, causes: &mut Vec<Cause>) {
    for key in object["data"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, _)| key)
    {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
        if key.is_empty() || !key.bytes().all(allowed) {
            let detail = "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";
            causes.push(Cause::invalid(
                format!("data[{key}]"),
                &key.as_str().into(),
                detail,
            ));
        }
    }
}

fn definition(object: &Value, causes: &mut Vec<Cause>) {
    let spec = &object["spec"];
    let wanted = format!(
        "{}.{}",
        get_text(spec, &["names", "plural"]),
        get_text(spec, &["group"])
    );
    let name = get_text(object, &["metadata", "name"]);
    if name != wanted {
        let detail = "must be spec.names.plural+\".\"+spec.group";
        causes.push(Cause::invalid("metadata.name", &name.into(), detail));
    }
    for (index, version) in spec["versions"]
        .as_array()
        .into_iter()
        .flatten()
        .enumerate()
    {
        if at(version, &["schema", "openAPIV3Schema"]).is_none() {
            let path = format!("spec.versions[{index}].schema.openAPIV3Schema");
            causes.push(Cause::required(path, "schemas are required"));
        }
    }
}

/// What is wrong with a change.
pub(super) fn check_change(kind: &Kind, old: &Value, new: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    let mut fixed = |path: &[&str]| {
        let (before, after) = (at(old, path), at(new, path));
        if before != after {
            let shown = after.unwrap_or(&Value::Null);
            causes.push(Cause::invalid(path.join("."), shown, IMMUTABLE));
        }
    };
    match (kind.group.as_str(), kind.kind.as_str()) {
        ("apps", "Deployment" | "ReplicaSet" | "DaemonSet") => fixed(&["spec", "selector"]),
        ("batch", "Job") => {
            fixed(&["spec", "completions"]);
            fixed(&["spec", "selector"]);
            fixed(&["spec", "template"]);
        }
        ("", "Secret") => {
            fixed(&["type"]);
            if old["immutable"] == true {
                frozen(old, new, &mut causes);
            }
        }
        ("", "ConfigMap") if old["immutable"] == true => frozen(old, new, &mut causes),
        ("rbac.authorization.k8s.io", "RoleBinding" | "ClusterRoleBinding")
            if old["roleRef"] != new["roleRef"] =>
        {
            let detail = "cannot change roleRef";
            causes.push(Cause::invalid("roleRef", &new["roleRef"], detail));
        }
        ("", "Service") => service_change(old, new, &mut causes),
        ("", "PersistentVolumeClaim") => claim_change(old, new, &mut causes),
        ("apps", "StatefulSet") => stateful_set_change(old, new, &mut causes),
        ("", "Pod") => pod_change(old, new, &mut causes),
        ("storage.k8s.io", "StorageClass") => {
            for field in [
                "provisioner",
                "parameters",
                "reclaimPolicy",
                "volumeBindingMode",
            ] {
                if old[field] != new[field] {
                    causes.push(Cause::forbidden(
                        field,
                        &format!("updates to {field} are forbidden."),
                    ));
                }
            }
        }
        _ => {}
    }
    causes
}

fn frozen(old: &Value, new: &Value, causes: &mut Vec<Cause>) {
    let detail = "field is immutable when `immutable` is set";
    for field in ["data", "binaryData"] {
        if old[field] != new[field] {
            causes.push(Cause::forbidden(field, detail));
        }
    }
    if new["immutable"] != true {
        causes.push(Cause::forbidden("immutable", detail));
    }
}

fn service_change(old: &Value, new: &Value, causes: &mut Vec<Cause>) {
    let kind = |object| get_text(object, &["spec", "type"]);
    let (before, after) = (&old["spec"]["clusterIP"], &new["spec"]["clusterIP"]);
    let allocated = kind(old) != "ExternalName" && kind(new) != "ExternalName";
    if allocated && before != after && !before.is_null() {
        let list = Value::Array(vec![after.clone()]);
        let detail = "may not change once set";
        causes.push(Cause::invalid("spec.clusterIPs[0]", &list, detail));
    }
}

fn claim_change(old: &Value, new: &Value, causes: &mut Vec<Cause>) {
    let core = |object: &Value| {
        let mut spec = object["spec"].clone();
        for free in ["resources", "volumeAttributesClassName", "volumeName"] {
            spec.as_object_mut().map(|map| map.remove(free));
        }
        spec
    };
    if core(old) != core(new) {
        let detail = "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims";
        causes.push(Cause::forbidden("spec", detail));
    }
}

fn stateful_set_change(old: &Value, new: &Value, causes: &mut Vec<Cause>) {
    let free = [
        "replicas",
        "ordinals",
        "template",
        "updateStrategy",
        "revisionHistoryLimit",
        "persistentVolumeClaimRetentionPolicy",
        "minReadySeconds",
    ];
    let core = |object: &Value| {
        let mut spec = object["spec"].clone();
        for free in free {
            spec.as_object_mut().map(|map| map.remove(free));
        }
        spec
    };
    if core(old) != core(new) {
        let detail = "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";
        causes.push(Cause::forbidden("spec", detail));
    }
}

fn pod_change(old: &Value, new: &Value, causes: &mut Vec<Cause>) {
    let core = |object: &Value| {
        let mut spec = object["spec"].clone();
        for free in [
            "activeDeadlineSeconds",
            "terminationGracePeriodSeconds",
            "tolerations",
            "nodeName",
        ] {
            spec.as_object_mut().map(|map| map.remove(free));
        }
        for list in ["containers", "initContainers"] {
            for container in spec[list].as_array_mut().into_iter().flatten() {
                container.as_object_mut().map(|map| map.remove("image"));
            }
        }
        spec
    };
    if core(old) != core(new) {
        let detail = "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";
        causes.push(Cause::forbidden("spec", detail));
    }
}
