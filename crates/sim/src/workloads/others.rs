//! Kinds whose controllers only answer: claims are bound, load balancers get addresses.

use serde_json::{Value, json};

use super::{condition, count, uid, write_status};
use crate::store::{Failure, Key, State, get_text};

pub(super) fn reconcile(state: &mut State, key: &Key, object: &Value) -> Result<(), Failure> {
    match key.table.as_str() {
        "persistentvolumeclaims" if object["status"]["phase"] != "Bound" => {
            bind(state, key, object)
        }
        "services" if object["spec"]["type"] == "LoadBalancer" => address(state, key, object),
        "ingresses.networking.k8s.io" => address(state, key, object),
        "horizontalpodautoscalers.autoscaling" => autoscaler(state, key, object),
        "poddisruptionbudgets.policy" => budget(state, key, object),
        "apiservices.apiregistration.k8s.io" => {
            let now = state.now;
            let holds = ("Available", true);
            let passed = condition(now, &object["status"], holds, "Passed", "all checks passed");
            write_status(state, key, json!({"conditions": [passed]}))
        }
        _ => Ok(()),
    }
}

fn bind(state: &mut State, key: &Key, claim: &Value) -> Result<(), Failure> {
    let volume = format!("pvc-{}", uid(claim));
    let status = json!({
        "phase": "Bound",
        "accessModes": claim["spec"]["accessModes"],
        "capacity": claim["spec"]["resources"]["requests"],
    });
    state.overwrite(key, |claim| {
        claim["spec"]["volumeName"] = volume.into();
        claim["status"] = status;
    })
}

fn address(state: &mut State, key: &Key, object: &Value) -> Result<(), Failure> {
    if object["status"]["loadBalancer"]["ingress"].is_array() {
        return Ok(());
    }
    let (third, fourth) = state.identity.address();
    let mut point = json!({"ip": format!("172.18.{third}.{fourth}")});
    if key.table == "services" {
        point["ipMode"] = "VIP".into();
    }
    write_status(state, key, json!({"loadBalancer": {"ingress": [point]}}))
}

fn autoscaler(state: &mut State, key: &Key, object: &Value) -> Result<(), Failure> {
    let target = &object["spec"]["scaleTargetRef"];
    let table = match get_text(target, &["kind"]) {
        "StatefulSet" => "statefulsets.apps",
        "ReplicaSet" => "replicasets.apps",
        _ => "deployments.apps",
    };
    let target = Key::new(table, &key.namespace, get_text(target, &["name"]));
    let replicas = state
        .get(&target)
        .map_or(0, |target| count(&target["spec"]["replicas"]));
    let (now, old) = (state.now, &object["status"]);
    let hold = |name: &str, reason: &str, message: &str| {
        condition(now, old, (name, true), reason, message)
    };
    let status = json!({
        "currentReplicas": replicas,
        "desiredReplicas": replicas,
        "currentMetrics": [],
        "conditions": [
            hold("AbleToScale", "ReadyForNewScale", "recommended size matches current size"),
            hold("ScalingActive", "ValidMetricFound", "the HPA was able to successfully calculate a replica count"),
            condition(now, old, ("ScalingLimited", false), "DesiredWithinRange", "the desired count is within the acceptable range"),
        ],
    });
    write_status(state, key, status)
}

fn budget(state: &mut State, key: &Key, object: &Value) -> Result<(), Failure> {
    let mut allowed = condition(
        state.now,
        &object["status"],
        ("DisruptionAllowed", true),
        "SufficientPods",
        "",
    );
    let generation = object["metadata"]["generation"].clone();
    allowed["observedGeneration"] = generation.clone();
    let status = json!({
        "observedGeneration": generation, "disruptionsAllowed": 1, "currentHealthy": 1,
        "desiredHealthy": 0, "expectedPods": 1, "conditions": [allowed],
    });
    write_status(state, key, status)
}
