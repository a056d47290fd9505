//! StatefulSets: numbered pods, one after the other, with claims of their own.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    controller_reference, count, hash_of, is_ready, make, pod_from, remove, uid, write_status,
};
use crate::store::{Failure, Key, State, get_text, name_of};

const HASH: &str = "controller-revision-hash";

pub(super) fn reconcile(state: &mut State, key: &Key, set: &Value) -> Result<(), Failure> {
    let spec = &set["spec"];
    let wanted = usize::try_from(count(&spec["replicas"])).unwrap_or(0);
    let revision = format!("{}-{}", name_of(set), hash_of(&spec["template"]));
    record(state, key, set, &revision)?;
    let parallel = spec["podManagementPolicy"] == "Parallel";
    let mut pods = numbered(state, set);
    for number in 0..wanted {
        match pods.iter().find(|(n, _)| *n == number) {
            Some((_, pod)) if parallel || is_ready(pod) => {}
            Some(_) => break,
            None => {
                claims(state, key, set, number)?;
                start(state, key, set, number, &revision)?;
                if !parallel {
                    break;
                }
            }
        }
    }
    pods.retain(|(number, pod)| *number < wanted || remove(state, "pods", pod).is_err());
    // One pod with an old template at a time, from the last, while all others are ready.
    let all_ready = pods.len() == wanted && pods.iter().all(|(_, pod)| is_ready(pod));
    let rolling = spec["updateStrategy"]["type"] == "RollingUpdate";
    let partition = count(&spec["updateStrategy"]["rollingUpdate"]["partition"]);
    let stale = |number: usize, pod: &Value| {
        i64::try_from(number).unwrap_or(0) >= partition
            && get_text(pod, &["metadata", "labels", HASH]) != revision
    };
    let broken = pods
        .iter()
        .rev()
        .find(|(n, pod)| stale(*n, pod) && (all_ready || !is_ready(pod)));
    if let (true, Some((_, pod))) = (rolling, broken) {
        remove(state, "pods", pod)?;
    }
    report(state, key, set, &revision)
}

/// The set's pods with their numbers, in order.
fn numbered(state: &State, set: &Value) -> Vec<(usize, Arc<Value>)> {
    let prefix = format!("{}-", name_of(set));
    let mut pods: Vec<_> = state
        .controlled_by(uid(set), "pods")
        .into_iter()
        .filter_map(|pod| Some((name_of(&pod).strip_prefix(&prefix)?.parse().ok()?, pod)))
        .collect();
    pods.sort_by_key(|(number, _)| *number);
    pods
}

fn record(state: &mut State, key: &Key, set: &Value, revision: &str) -> Result<(), Failure> {
    if state
        .get(&Key::new(
            "controllerrevisions.apps",
            &key.namespace,
            revision,
        ))
        .is_some()
    {
        return Ok(());
    }
    let known = state
        .controlled_by(uid(set), "controllerrevisions.apps")
        .len();
    let object = json!({
        "metadata": {
            "name": revision,
            "labels": set["spec"]["template"]["metadata"]["labels"],
            "ownerReferences": [controller_reference("apps/v1", "StatefulSet", set)],
        },
        "revision": known + 1,
        "data": {"spec": {"template": set["spec"]["template"]}},
    });
    make(state, "controllerrevisions.apps", &key.namespace, object)
}

fn claims(state: &mut State, key: &Key, set: &Value, number: usize) -> Result<(), Failure> {
    for template in set["spec"]["volumeClaimTemplates"]
        .as_array()
        .into_iter()
        .flatten()
    {
        let claim = json!({
            "metadata": {
                "name": format!("{}-{}-{number}", name_of(template), name_of(set)),
                "labels": set["spec"]["selector"]["matchLabels"],
            },
            "spec": template["spec"],
        });
        make(state, "persistentvolumeclaims", &key.namespace, claim)?;
    }
    Ok(())
}

fn start(
    state: &mut State,
    key: &Key,
    set: &Value,
    number: usize,
    revision: &str,
) -> Result<(), Failure> {
    let name = format!("{}-{number}", name_of(set));
    let owner = controller_reference("apps/v1", "StatefulSet", set);
    let index = number.to_string();
    let labels = [
        (HASH, revision),
        ("statefulset.kubernetes.io/pod-name", name.as_str()),
        ("apps.kubernetes.io/pod-index", index.as_str()),
    ];
    let mut pod = pod_from(&set["spec"]["template"], &owner, &labels);
    pod["metadata"]["name"] = name.clone().into();
    pod["spec"]["hostname"] = name.into();
    pod["spec"]["subdomain"] = set["spec"]["serviceName"].clone();
    let mut volumes = pod["spec"]["volumes"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    for template in set["spec"]["volumeClaimTemplates"]
        .as_array()
        .into_iter()
        .flatten()
    {
        let claim = format!("{}-{}-{number}", name_of(template), name_of(set));
        volumes.push(json!({
            "name": name_of(template), "persistentVolumeClaim": {"claimName": claim},
        }));
    }
    if !volumes.is_empty() {
        pod["spec"]["volumes"] = volumes.into();
    }
    make(state, "pods", &key.namespace, pod)
}

fn report(state: &mut State, key: &Key, set: &Value, revision: &str) -> Result<(), Failure> {
    let pods = numbered(state, set);
    let ready = pods.iter().filter(|(_, pod)| is_ready(pod)).count();
    let updated = pods
        .iter()
        .filter(|(_, pod)| get_text(pod, &["metadata", "labels", HASH]) == revision)
        .count();
    let wanted = usize::try_from(count(&set["spec"]["replicas"])).unwrap_or(0);
    let settled = updated == wanted && ready == wanted;
    let before = get_text(set, &["status", "currentRevision"]);
    let current = if settled || before.is_empty() {
        revision
    } else {
        before
    };
    let mut status = json!({
        "observedGeneration": set["metadata"]["generation"],
        "replicas": pods.len(),
        "availableReplicas": ready,
        "currentRevision": current,
        "updateRevision": revision,
        "collisionCount": 0,
    });
    let current_pods = if current == revision {
        updated
    } else {
        pods.len() - updated
    };
    let numbers = [
        ("readyReplicas", ready),
        ("updatedReplicas", updated),
        ("currentReplicas", current_pods),
    ];
    for (field, number) in numbers {
        if number > 0 {
            status[field] = number.into();
        }
    }
    write_status(state, key, status)
}
