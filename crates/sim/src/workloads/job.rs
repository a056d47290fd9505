//! Jobs: pods until enough have succeeded, or too many failed.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{condition, controller_reference, make, pod_from, remove, uid, write_status};
use crate::store::{Failure, Key, State, get_text, name_of, seconds};

pub(super) fn reconcile(state: &mut State, key: &Key, job: &Value) -> Result<(), Failure> {
    if let Some(end) = ended(job) {
        return expire(state, key, job, &end);
    }
    let spec = &job["spec"];
    let (mut succeeded, mut failed, mut active) = (0, 0, 0);
    for pod in state.controlled_by(uid(job), "pods") {
        match get_text(&pod, &["status", "phase"]) {
            "Succeeded" => succeeded += 1,
            "Failed" => failed += 1,
            _ => active += 1,
        }
    }
    let wanted = spec["completions"].as_i64().unwrap_or(1);
    let limit = spec["backoffLimit"].as_i64().unwrap_or(6);
    let suspended = spec["suspend"] == true;
    let mut status = json!({"uncountedTerminatedPods": {}, "ready": 0});
    status["startTime"] = match job["status"].get("startTime") {
        Some(time) => time.clone(),
        None if suspended => Value::Null,
        None => seconds(state.now).into(),
    };
    if succeeded >= wanted {
        complete(state, job, &mut status);
    } else if failed > limit {
        fail(state, job, &mut status);
    } else if suspended {
        let reason = ("JobSuspended", "Job suspended");
        status["conditions"] = json!([condition(
            state.now,
            &job["status"],
            ("Suspended", true),
            reason.0,
            reason.1
        )]);
    } else {
        let room = spec["parallelism"]
            .as_i64()
            .unwrap_or(1)
            .min(wanted - succeeded)
            - active;
        for _ in 0..room {
            start(state, key, job)?;
            active += 1;
        }
    }
    for (field, number) in [
        ("succeeded", succeeded),
        ("failed", failed),
        ("active", active),
    ] {
        if number > 0 {
            status[field] = number.into();
        }
    }
    if status["startTime"].is_null() {
        status.as_object_mut().map(|map| map.remove("startTime"));
    }
    write_status(state, key, status)
}

fn start(state: &mut State, key: &Key, job: &Value) -> Result<(), Failure> {
    let owner = controller_reference("batch/v1", "Job", job);
    let mut pod = pod_from(&job["spec"]["template"], &owner, &[]);
    pod["metadata"]["generateName"] = format!("{}-", name_of(job)).into();
    make(state, "pods", &key.namespace, pod)
}

fn complete(state: &State, job: &Value, status: &mut Value) {
    let now = state.now;
    let message = "Reached expected number of succeeded pods";
    status["completionTime"] = seconds(now).into();
    status["conditions"] = ["SuccessCriteriaMet", "Complete"]
        .iter()
        .map(|name| {
            condition(
                now,
                &job["status"],
                (name, true),
                "CompletionsReached",
                message,
            )
        })
        .collect();
}

fn fail(state: &State, job: &Value, status: &mut Value) {
    let message = "Job has reached the specified backoff limit";
    status["conditions"] = ["FailureTarget", "Failed"]
        .iter()
        .map(|name| {
            condition(
                state.now,
                &job["status"],
                (name, true),
                "BackoffLimitExceeded",
                message,
            )
        })
        .collect();
}

/// When the job ended.
fn ended(job: &Value) -> Option<String> {
    let conditions = job["status"]["conditions"].as_array().into_iter().flatten();
    let end = conditions
        .into_iter()
        .find(|c| c["type"] == "Complete" || c["type"] == "Failed")?;
    Some(get_text(end, &["lastTransitionTime"]).to_owned())
}

fn expire(state: &mut State, key: &Key, job: &Value, end: &str) -> Result<(), Failure> {
    let Some(lifetime) = job["spec"]["ttlSecondsAfterFinished"].as_i64() else {
        return Ok(());
    };
    let end: jiff::Timestamp = end.parse().unwrap_or(state.now);
    let due = end
        .checked_add(SignedDuration::from_secs(lifetime))
        .unwrap_or(end);
    if due <= state.now {
        return remove(state, &key.table, job);
    }
    state.timers.insert(key.clone(), due);
    Ok(())
}
