//! Plays the controllers that a real cluster has: workloads become ready, Jobs complete, load
//! balancers get addresses, and what is deleted in the foreground goes.

use std::time::Duration;

use argosy_test_support::wait::resource;
use kube::api::{DynamicObject, ListParams, Patch, PatchParams};
use kube::{Api, Client};
use serde_json::{Value, json};

use crate::corpus;

/// How often the clusters are looked at.
const LOOK: Duration = Duration::from_millis(100);

const KINDS: [(&str, &str); 14] = [
    ("apps/v1", "Deployment"),
    ("apps/v1", "StatefulSet"),
    ("apps/v1", "DaemonSet"),
    ("batch/v1", "Job"),
    ("autoscaling/v2", "HorizontalPodAutoscaler"),
    ("networking.k8s.io/v1", "Ingress"),
    ("policy/v1", "PodDisruptionBudget"),
    ("rbac.authorization.k8s.io/v1", "ClusterRole"),
    ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding"),
    ("v1", "ConfigMap"),
    ("v1", "Secret"),
    ("v1", "Service"),
    ("v1", "ServiceAccount"),
    ("v1", "PersistentVolumeClaim"),
];

/// Plays them on one cluster until the test ends.
pub(crate) fn play(client: Client) {
    play_those_of(client, &KINDS);
}

/// Plays those of some kinds, which costs less.
pub(crate) fn play_those_of(client: Client, kinds: &'static [(&'static str, &'static str)]) {
    tokio::spawn(async move {
        loop {
            for (api_version, kind) in kinds {
                play_kind(&client, api_version, kind).await;
            }
            tokio::time::sleep(LOOK).await;
        }
    });
}

async fn play_kind(client: &Client, api_version: &str, kind: &str) {
    let resource = resource(api_version, kind);
    let all: Api<DynamicObject> = Api::all_with(client.clone(), &resource);
    // What fails now is tried again in the next round.
    let Ok(list) = all.list(&ListParams::default()).await else {
        return;
    };
    for object in list.items {
        let name = object.metadata.name.clone().unwrap_or_default();
        let api: Api<DynamicObject> = match &object.metadata.namespace {
            // There, every change counts.
            Some(namespace) if namespace.starts_with(corpus::NAMES) => continue,
            Some(namespace) => Api::namespaced_with(client.clone(), namespace, &resource),
            None => all.clone(),
        };
        let value = serde_json::to_value(&object).unwrap();
        if let Some(patch) = without_foreground(&value) {
            let _ = api
                .patch(&name, &PatchParams::default(), &Patch::Merge(patch))
                .await;
            continue;
        }
        if let Some(status) = wanted(kind, &value)
            && !contains(&value["status"], &status)
        {
            let patch = json!({"status": status});
            let _ = api
                .patch_status(&name, &PatchParams::default(), &Patch::Merge(patch))
                .await;
        }
    }
}

/// What the garbage collector does once nothing depends on the object any more.
fn without_foreground(object: &Value) -> Option<Value> {
    let metadata = &object["metadata"];
    let finalizers = metadata["finalizers"].as_array()?;
    let kept: Vec<_> = finalizers
        .iter()
        .filter(|finalizer| *finalizer != "foregroundDeletion")
        .collect();
    let collected = !metadata["deletionTimestamp"].is_null() && kept.len() < finalizers.len();
    collected.then(|| json!({"metadata": {"finalizers": kept}}))
}

/// The status that says that all is well.
fn wanted(kind: &str, object: &Value) -> Option<Value> {
    let generation = &object["metadata"]["generation"];
    let replicas = object["spec"]["replicas"].as_u64().unwrap_or(1);
    let time = "2026-01-01T00:00:00Z";
    let condition = |kind: &str| {
        json!({"type": kind, "status": "True", "lastTransitionTime": time, "reason": "Played",
               "message": ""})
    };
    Some(match kind {
        "Deployment" if !runs(object) => json!({"observedGeneration": generation,
            "replicas": replicas, "updatedReplicas": replicas, "unavailableReplicas": replicas,
            "readyReplicas": 0, "availableReplicas": 0}),
        "Deployment" => {
            json!({"unavailableReplicas": 0, "observedGeneration": generation, "replicas": replicas,
            "updatedReplicas": replicas, "readyReplicas": replicas, "availableReplicas": replicas,
            "conditions": [condition("Available")]})
        }
        "StatefulSet" => json!({"observedGeneration": generation, "replicas": replicas,
            "updatedReplicas": replicas, "readyReplicas": replicas, "availableReplicas": replicas,
            "currentRevision": "a", "updateRevision": "a"}),
        "DaemonSet" => json!({"observedGeneration": generation, "desiredNumberScheduled": 1,
            "currentNumberScheduled": 1, "numberMisscheduled": 0, "numberReady": 1,
            "updatedNumberScheduled": 1, "numberAvailable": 1}),
        "Job" => json!({"startTime": time, "completionTime": time, "succeeded": 1,
            "uncountedTerminatedPods": {},
            "conditions": [condition("SuccessCriteriaMet"), condition("Complete")]}),
        "HorizontalPodAutoscaler" => json!({"currentReplicas": 1, "desiredReplicas": 1,
            "conditions": [condition("AbleToScale"), condition("ScalingActive")]}),
        "Ingress" => json!({"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}),
        "PodDisruptionBudget" => json!({"observedGeneration": generation, "currentHealthy": 1,
            "desiredHealthy": 1, "disruptionsAllowed": 1, "expectedPods": 1,
            "conditions": [condition("DisruptionAllowed")]}),
        "Service" if object["spec"]["type"] == "LoadBalancer" => {
            json!({"loadBalancer": {"ingress": [{"ip": "192.0.2.2", "ipMode": "VIP"}]}})
        }
        _ => return None,
    })
}

/// Whether the image of a workload runs, which it does unless its name says otherwise.
fn runs(workload: &Value) -> bool {
    let image = &workload["spec"]["template"]["spec"]["containers"][0]["image"];
    !image.as_str().unwrap_or_default().contains("broken")
}

fn contains(is: &Value, wanted: &Value) -> bool {
    match (is, wanted) {
        (Value::Object(is), Value::Object(wanted)) => wanted
            .iter()
            .all(|(key, wanted)| is.get(key).is_some_and(|is| contains(is, wanted))),
        (Value::Array(is), Value::Array(wanted)) => {
            is.len() == wanted.len()
                && is
                    .iter()
                    .zip(wanted)
                    .all(|(is, wanted)| contains(is, wanted))
        }
        // An API server leaves empty objects and zeros out.
        (Value::Null, wanted) => {
            matches!(wanted, Value::Object(map) if map.is_empty()) || *wanted == 0
        }
        (is, wanted) => is == wanted,
    }
}
