//! Simulated controllers: what makes a Deployment available and a Job complete. Each looks at one
//! object that changed and writes what the real controller would end up writing, in fewer steps.

mod daemon_set;
mod deployment;
mod job;
mod others;
mod pod;
mod replicas;
mod stateful_set;

use std::sync::{Arc, Weak};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::cluster::{Inner, WorkloadConfig};
use crate::store::{Failure, Key, State, get_text, seconds};

const CONTROLLER: &str = "kube-controller-manager";
/// More rounds than any settling takes; a controller that disagrees with itself stops here.
const ROUNDS: usize = 10_000;

/// Does what is due now.
pub(crate) fn run_due(state: &mut State, config: &WorkloadConfig) {
    let now = state.now;
    let due: Vec<_> = state
        .timers
        .iter()
        .filter(|(_, at)| **at <= now)
        .map(|(key, _)| key.clone())
        .collect();
    for key in due {
        state.timers.remove(&key);
        state.dirty.insert(key);
    }
    for _ in 0..ROUNDS {
        let Some(key) = state.dirty.pop_first() else {
            return;
        };
        if let Err(failure) = reconcile(state, &key, config) {
            tracing::debug!(
                object.table = key.table,
                object.name = key.name,
                failure.message,
                "a simulated controller failed"
            );
        }
    }
}

fn reconcile(state: &mut State, key: &Key, config: &WorkloadConfig) -> Result<(), Failure> {
    let Some(object) = state.get(key).cloned() else {
        return Ok(());
    };
    if object["metadata"]["deletionTimestamp"].is_string() {
        return Ok(());
    }
    match key.table.as_str() {
        "deployments.apps" => deployment::reconcile(state, key, &object),
        "replicasets.apps" => replicas::reconcile(state, key, &object),
        "statefulsets.apps" => stateful_set::reconcile(state, key, &object),
        "daemonsets.apps" => daemon_set::reconcile(state, key, &object),
        "jobs.batch" => job::reconcile(state, key, &object),
        "pods" => pod::reconcile(state, key, &object, config),
        _ => others::reconcile(state, key, &object),
    }
}

/// Runs the controllers until the cluster is dropped.
pub(crate) async fn drive(cluster: Weak<Inner>) {
    while let Some(inner) = cluster.upgrade() {
        let Some(config) = inner.config.workloads.clone() else {
            return;
        };
        let wait = {
            let mut state = inner.state();
            run_due(&mut state, &config);
            let now = state.now;
            state
                .timers
                .values()
                .min()
                .map(|at| at.duration_since(now).unsigned_abs())
        };
        // Bounded, so that a dropped cluster ends its task and a clock moved by hand is noticed.
        let wait = wait.map_or(Duration::from_secs(1), |wait| {
            wait.min(Duration::from_secs(1))
        });
        let work = Arc::clone(&inner.work);
        // Waiting must not keep a dropped cluster, and with it its state file, open.
        drop(inner);
        tokio::select! {
            biased;
            () = work.notified() => {}
            () = tokio::time::sleep(wait.max(Duration::from_millis(1))) => {}
        }
    }
}

/// The reference that makes `owner` the controller of what carries it.
fn controller_reference(api_version: &str, kind: &str, owner: &Value) -> Value {
    json!({
        "apiVersion": api_version, "kind": kind, "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"], "controller": true, "blockOwnerDeletion": true,
    })
}

fn uid(object: &Value) -> &str {
    get_text(object, &["metadata", "uid"])
}

fn count(value: &Value) -> i64 {
    value.as_i64().unwrap_or(0)
}

fn is_ready(pod: &Value) -> bool {
    let conditions = pod["status"]["conditions"].as_array().into_iter().flatten();
    conditions
        .into_iter()
        .any(|c| c["type"] == "Ready" && c["status"] == "True")
}

/// A short name for a pod template, equal for equal templates.
fn hash_of(template: &Value) -> String {
    use sha2::{Digest as _, Sha256};
    const ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    let digest = Sha256::digest(template.to_string());
    digest
        .iter()
        .take(10)
        .map(|b| ALPHABET[usize::from(*b) % ALPHABET.len()] as char)
        .collect()
}

/// A pod from a template, owned and labelled.
fn pod_from(template: &Value, owner: &Value, labels: &[(&str, &str)]) -> Value {
    let mut meta = json!({
        "labels": template["metadata"]["labels"],
        "annotations": template["metadata"]["annotations"],
        "ownerReferences": [owner],
    });
    for (key, value) in labels {
        meta["labels"][*key] = (*value).into();
    }
    json!({"metadata": meta, "spec": template["spec"]})
}

/// Makes an object as the controllers do.
fn make(state: &mut State, table: &str, namespace: &str, object: Value) -> Result<(), Failure> {
    use crate::store::{CreateOptions, WriteOptions};
    let Some(kind) = state.registry.by_table(table) else {
        return Ok(());
    };
    let options = CreateOptions {
        write: WriteOptions::by(CONTROLLER),
        status: false,
    };
    match state.create(&kind, namespace, object, &options) {
        Err(failure) if failure.reason == "AlreadyExists" => Ok(()),
        made => made.map(drop),
    }
}

/// Deletes an object as the controllers do.
fn remove(state: &mut State, table: &str, object: &Value) -> Result<(), Failure> {
    use crate::store::DeleteOptions;
    let Some(kind) = state.registry.by_table(table) else {
        return Ok(());
    };
    let key = Key::of(&kind, object);
    let options = DeleteOptions {
        propagation: "Background".to_owned(),
        ..DeleteOptions::default()
    };
    match state.delete(&kind, &key, &options) {
        Err(failure) if failure.code == 404 => Ok(()),
        done => done.map(drop),
    }
}

/// Writes a status where it differs.
fn write_status(state: &mut State, key: &Key, status: Value) -> Result<(), Failure> {
    let Some(kind) = state.registry.by_table(&key.table) else {
        return Ok(());
    };
    state.amend(&kind, key, "status", CONTROLLER, |object| {
        object["status"] = status;
    })
}

/// A condition, with the time of the present one where its status did not change.
fn condition(
    now: Timestamp,
    old: &Value,
    (name, status): (&str, bool),
    reason: &str,
    message: &str,
) -> Value {
    let status = if status { "True" } else { "False" };
    let known = old["conditions"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|c| c["type"] == name);
    let same = known.filter(|known| known["status"] == status);
    let now = seconds(now);
    let since = same.map_or(now.as_str(), |known| {
        get_text(known, &["lastTransitionTime"])
    });
    json!({
        "type": name, "status": status, "reason": reason, "message": message,
        "lastTransitionTime": since,
    })
}

/// The same with the time of the last update, which Deployments have.
fn updated_condition(
    now: Timestamp,
    old: &Value,
    what: (&str, bool),
    reason: &str,
    message: &str,
) -> Value {
    let mut made = condition(now, old, what, reason, message);
    let known = old["conditions"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|c| c["type"] == what.0);
    let same = known.filter(|c| {
        c["reason"] == reason && c["status"] == made["status"] && c["message"] == message
    });
    let time = same.map_or_else(|| seconds(now).into(), |c| c["lastUpdateTime"].clone());
    made["lastUpdateTime"] = time;
    made
}
