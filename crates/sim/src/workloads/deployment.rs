//! Deployments: a ReplicaSet for each template, the last one scaled up before the others go down.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{
    CONTROLLER, controller_reference, count, hash_of, make, remove, uid, updated_condition,
    write_status,
};
use crate::store::{Failure, Key, State, get_text, name_of};

const REVISION: &str = "deployment.kubernetes.io/revision";

pub(super) fn reconcile(state: &mut State, key: &Key, object: &Value) -> Result<(), Failure> {
    let spec = &object["spec"];
    let wanted = count(&spec["replicas"]);
    let hash = hash_of(&spec["template"]);
    let name = format!("{}-{hash}", name_of(object));
    let paused = spec["paused"] == true;
    let owned = state.controlled_by(uid(object), "replicasets.apps");
    let newest = owned.iter().map(|set| revision(set)).max().unwrap_or(0);
    let current = owned.iter().find(|set| name_of(set) == name).cloned();
    let recreate = spec["strategy"]["type"] == "Recreate";
    let old_pods: i64 = owned
        .iter()
        .filter(|set| name_of(set) != name)
        .map(|set| count(&set["status"]["replicas"]))
        .sum();
    if !paused {
        match &current {
            None => create(
                state,
                key,
                object,
                &hash,
                newest + 1,
                if recreate && old_pods > 0 { 0 } else { wanted },
            )?,
            Some(set) => {
                // A template that was used before becomes the newest again.
                let mine = if revision(set) < newest {
                    newest + 1
                } else {
                    revision(set)
                };
                let replicas = if recreate && old_pods > 0 { 0 } else { wanted };
                scale(state, set, replicas, Some(mine))?;
            }
        }
    }
    let available = current
        .as_ref()
        .map_or(0, |set| count(&set["status"]["availableReplicas"]));
    if !paused && (recreate || available >= wanted) {
        for set in owned.iter().filter(|set| name_of(set) != name) {
            scale(state, set, 0, None)?;
        }
    }
    forget(state, object, &name)?;
    report(state, key, &name)
}

fn revision(set: &Value) -> i64 {
    get_text(set, &["metadata", "annotations", REVISION])
        .parse()
        .unwrap_or(0)
}

fn create(
    state: &mut State,
    key: &Key,
    object: &Value,
    hash: &str,
    revision: i64,
    replicas: i64,
) -> Result<(), Failure> {
    let mut template = object["spec"]["template"].clone();
    template["metadata"]["labels"]["pod-template-hash"] = hash.into();
    let mut selector = object["spec"]["selector"].clone();
    selector["matchLabels"]["pod-template-hash"] = hash.into();
    let mut annotations = json!({
        REVISION: revision.to_string(),
        "deployment.kubernetes.io/desired-replicas": count(&object["spec"]["replicas"]).to_string(),
    });
    for (name, value) in object["metadata"]["annotations"]
        .as_object()
        .into_iter()
        .flatten()
    {
        if name != REVISION && name != "kubectl.kubernetes.io/last-applied-configuration" {
            annotations[name] = value.clone();
        }
    }
    let set = json!({
        "metadata": {
            "name": format!("{}-{hash}", name_of(object)),
            "labels": template["metadata"]["labels"],
            "annotations": annotations,
            "ownerReferences": [controller_reference("apps/v1", "Deployment", object)],
        },
        "spec": {"replicas": replicas, "selector": selector, "template": template},
    });
    make(state, "replicasets.apps", &key.namespace, set)
}

fn scale(
    state: &mut State,
    set: &Arc<Value>,
    replicas: i64,
    revision: Option<i64>,
) -> Result<(), Failure> {
    let Some(kind) = state.registry.by_table("replicasets.apps") else {
        return Ok(());
    };
    let key = Key::of(&kind, set);
    state.amend(&kind, &key, "", CONTROLLER, |set| {
        set["spec"]["replicas"] = replicas.into();
        if let Some(revision) = revision {
            set["metadata"]["annotations"][REVISION] = revision.to_string().into();
        }
    })
}

/// Deletes the oldest sets without pods beyond the history that is asked for.
fn forget(state: &mut State, object: &Value, current: &str) -> Result<(), Failure> {
    let limit = usize::try_from(count(&object["spec"]["revisionHistoryLimit"])).unwrap_or(10);
    let mut old: Vec<_> = state
        .controlled_by(uid(object), "replicasets.apps")
        .into_iter()
        .filter(|set| name_of(set) != current && count(&set["spec"]["replicas"]) == 0)
        .filter(|set| count(&set["status"]["replicas"]) == 0)
        .collect();
    old.sort_by_key(|set| revision(set));
    let excess = old.len().saturating_sub(limit);
    old.iter()
        .take(excess)
        .try_for_each(|set| remove(state, "replicasets.apps", set))
}

fn report(state: &mut State, key: &Key, name: &str) -> Result<(), Failure> {
    let Some(object) = state.get(key).cloned() else {
        return Ok(());
    };
    let wanted = count(&object["spec"]["replicas"]);
    let sets = state.controlled_by(uid(&object), "replicasets.apps");
    let sum = |field: &str| -> i64 { sets.iter().map(|set| count(&set["status"][field])).sum() };
    let current = sets.iter().find(|set| name_of(set) == name);
    let updated = current.map_or(0, |set| count(&set["status"]["replicas"]));
    let ready_new = current.map_or(0, |set| count(&set["status"]["availableReplicas"]));
    let (replicas, available) = (sum("replicas"), sum("availableReplicas"));
    let mut status = json!({"observedGeneration": object["metadata"]["generation"]});
    for (field, number) in [
        ("replicas", replicas),
        ("updatedReplicas", updated),
        ("readyReplicas", sum("readyReplicas")),
        ("availableReplicas", available),
        (
            "unavailableReplicas",
            (wanted.max(replicas) - available).max(0),
        ),
    ] {
        if number > 0 {
            status[field] = number.into();
        }
    }
    let done = updated == wanted && ready_new >= wanted && replicas == wanted;
    status["conditions"] = conditions(state, key, &object, name, (available >= wanted, done));
    write_status(state, key, status)?;
    let number = current.map(|set| revision(set).to_string());
    let Some(kind) = state.registry.by_table(&key.table) else {
        return Ok(());
    };
    state.amend(&kind, key, "", CONTROLLER, |object| {
        if let Some(number) = number {
            object["metadata"]["annotations"][REVISION] = number.into();
        }
    })
}

fn conditions(
    state: &mut State,
    key: &Key,
    object: &Value,
    name: &str,
    (available, done): (bool, bool),
) -> Value {
    let (now, old) = (state.now, &object["status"]);
    let minimum = if available {
        updated_condition(
            now,
            old,
            ("Available", true),
            "MinimumReplicasAvailable",
            "Deployment has minimum availability.",
        )
    } else {
        updated_condition(
            now,
            old,
            ("Available", false),
            "MinimumReplicasUnavailable",
            "Deployment does not have minimum availability.",
        )
    };
    let progress = if done {
        let message = format!("ReplicaSet {name:?} has successfully progressed.");
        updated_condition(
            now,
            old,
            ("Progressing", true),
            "NewReplicaSetAvailable",
            &message,
        )
    } else if let Some(due) = deadline(object, now).filter(|due| *due > now) {
        state.timers.insert(key.clone(), due);
        let message = format!("ReplicaSet {name:?} is progressing.");
        updated_condition(
            now,
            old,
            ("Progressing", true),
            "ReplicaSetUpdated",
            &message,
        )
    } else {
        let message = format!("ReplicaSet {name:?} has timed out progressing.");
        updated_condition(
            now,
            old,
            ("Progressing", false),
            "ProgressDeadlineExceeded",
            &message,
        )
    };
    json!([minimum, progress])
}

/// When this rollout is too late: counted from the last progress, or from now where it begins;
/// `None` once it was missed.
fn deadline(object: &Value, now: Timestamp) -> Option<Timestamp> {
    let limit = SignedDuration::from_secs(count(&object["spec"]["progressDeadlineSeconds"]).max(1));
    let conditions = object["status"]["conditions"]
        .as_array()
        .into_iter()
        .flatten();
    let progress = conditions.into_iter().find(|c| c["type"] == "Progressing");
    let fresh = object["status"]["observedGeneration"] == object["metadata"]["generation"];
    if fresh && progress.is_some_and(|c| c["reason"] == "ProgressDeadlineExceeded") {
        return None;
    }
    let since = progress
        .filter(|c| fresh && c["reason"] != "NewReplicaSetAvailable")
        .and_then(|c| get_text(c, &["lastUpdateTime"]).parse().ok())
        .unwrap_or(now);
    since.checked_add(limit).ok()
}
