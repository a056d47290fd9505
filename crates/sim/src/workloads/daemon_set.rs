//! DaemonSets: one pod on the one node.

use serde_json::{Value, json};

use super::{controller_reference, hash_of, is_ready, make, pod_from, remove, uid, write_status};
use crate::store::{Failure, Key, State, get_text, name_of};

const HASH: &str = "controller-revision-hash";

pub(super) fn reconcile(state: &mut State, key: &Key, set: &Value) -> Result<(), Failure> {
    let hash = hash_of(&set["spec"]["template"]);
    let rolling = set["spec"]["updateStrategy"]["type"] == "RollingUpdate";
    for pod in state.controlled_by(uid(set), "pods") {
        if rolling && get_text(&pod, &["metadata", "labels", HASH]) != hash {
            remove(state, "pods", &pod)?;
        }
    }
    if state.controlled_by(uid(set), "pods").is_empty() {
        let owner = controller_reference("apps/v1", "DaemonSet", set);
        let mut pod = pod_from(&set["spec"]["template"], &owner, &[(HASH, &hash)]);
        pod["metadata"]["generateName"] = format!("{}-", name_of(set)).into();
        make(state, "pods", &key.namespace, pod)?;
    }
    let pods = state.controlled_by(uid(set), "pods");
    let ready = pods.iter().filter(|pod| is_ready(pod)).count();
    let updated = pods
        .iter()
        .filter(|pod| get_text(pod, &["metadata", "labels", HASH]) == hash)
        .count();
    let mut status = json!({
        "observedGeneration": set["metadata"]["generation"],
        "desiredNumberScheduled": 1,
        "currentNumberScheduled": pods.len(),
        "numberMisscheduled": 0,
        "numberReady": ready,
        "updatedNumberScheduled": updated,
    });
    let field = if ready > 0 {
        "numberAvailable"
    } else {
        "numberUnavailable"
    };
    status[field] = 1.into();
    write_status(state, key, status)
}
