//! ReplicaSets: as many pods as asked for.

use serde_json::{Value, json};

use super::{controller_reference, count, is_ready, make, pod_from, remove, uid, write_status};
use crate::store::{Failure, Key, State, name_of};

pub(super) fn reconcile(state: &mut State, key: &Key, set: &Value) -> Result<(), Failure> {
    let wanted = usize::try_from(count(&set["spec"]["replicas"])).unwrap_or(0);
    let mut pods = state.controlled_by(uid(set), "pods");
    pods.retain(|pod| {
        !["Succeeded", "Failed"].contains(&pod["status"]["phase"].as_str().unwrap_or(""))
    });
    for _ in pods.len()..wanted {
        let owner = controller_reference("apps/v1", "ReplicaSet", set);
        let mut pod = pod_from(&set["spec"]["template"], &owner, &[]);
        pod["metadata"]["generateName"] = format!("{}-", name_of(set)).into();
        make(state, "pods", &key.namespace, pod)?;
    }
    // Pods that are not ready go first.
    pods.sort_by_key(|pod| is_ready(pod));
    for pod in pods.iter().take(pods.len().saturating_sub(wanted)) {
        remove(state, "pods", pod)?;
    }
    let pods = state.controlled_by(uid(set), "pods");
    let ready = pods.iter().filter(|pod| is_ready(pod)).count();
    let mut status = json!({
        "replicas": pods.len(), "observedGeneration": set["metadata"]["generation"],
    });
    if !pods.is_empty() {
        status["fullyLabeledReplicas"] = pods.len().into();
    }
    if ready > 0 {
        status["readyReplicas"] = ready.into();
        status["availableReplicas"] = ready.into();
    }
    write_status(state, key, status)
}
