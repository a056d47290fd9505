//! A pod's life on the one simulated node.

use serde_json::{Value, json};

use super::is_ready;
use crate::cluster::WorkloadConfig;
use crate::store::{Failure, Key, State, get_text, seconds};

pub(super) fn reconcile(
    state: &mut State,
    key: &Key,
    pod: &Value,
    config: &WorkloadConfig,
) -> Result<(), Failure> {
    let phase = get_text(pod, &["status", "phase"]);
    if is_ready(pod) || ["Succeeded", "Failed"].contains(&phase) {
        return Ok(());
    }
    let now = state.now;
    let started = get_text(pod, &["status", "startTime"]).parse().ok();
    let Some(scheduled) = started else {
        schedule(state, key, pod)?;
        let delay = jiff::SignedDuration::try_from(config.available_after).unwrap_or_default();
        if delay.is_zero() {
            return finish(state, key);
        }
        let due = now.checked_add(delay).unwrap_or(now);
        state.timers.insert(key.clone(), due);
        return Ok(());
    };
    let delay = jiff::SignedDuration::try_from(config.available_after).unwrap_or_default();
    let waits = |since: jiff::Timestamp| since.checked_add(delay).unwrap_or(now);
    // Times in objects are whole seconds; the timer knows better, and a restart falls back to them.
    if state.timers.contains_key(key) {
        return Ok(());
    }
    if waits(scheduled)
        > now
            .checked_add(jiff::SignedDuration::from_secs(1))
            .unwrap_or(now)
    {
        state.timers.insert(key.clone(), waits(scheduled));
        return Ok(());
    }
    finish(state, key)
}

fn schedule(state: &mut State, key: &Key, pod: &Value) -> Result<(), Failure> {
    let now = seconds(state.now);
    let class = pod["status"]["qosClass"].clone();
    let containers = statuses(
        pod,
        &json!({"waiting": {"reason": "ContainerCreating"}}),
        false,
    );
    state.overwrite(key, |pod| {
        if pod["spec"]["nodeName"].is_null() {
            pod["spec"]["nodeName"] = "sim-node".into();
        }
        pod["status"] = json!({
            "phase": "Pending", "qosClass": class, "startTime": now, "hostIP": "10.0.0.1",
            "conditions": [condition("PodScheduled", true, &now), condition("Ready", false, &now)],
            "containerStatuses": containers,
        });
    })
}

fn finish(state: &mut State, key: &Key) -> Result<(), Failure> {
    let Some(pod) = state.get(key).cloned() else {
        return Ok(());
    };
    let now = seconds(state.now);
    if pod["spec"]["containers"]
        .as_array()
        .into_iter()
        .flatten()
        .any(is_broken)
    {
        let image = get_text(&pod["spec"]["containers"][0], &["image"]);
        let message = format!("Back-off pulling image {image:?}");
        let waiting = json!({"waiting": {"reason": "ImagePullBackOff", "message": message}});
        let containers = statuses(&pod, &waiting, false);
        return state.overwrite(key, |pod| pod["status"]["containerStatuses"] = containers);
    }
    let runs = get_text(&pod, &["spec", "restartPolicy"]) == "Always";
    let (third, fourth) = state.identity.address();
    let fails = pod["metadata"]["annotations"]["sim.argosy.dev/fail"] == "true";
    let ended = |code: i64, reason: &str| json!({"terminated": {"exitCode": code, "reason": reason, "startedAt": now, "finishedAt": now}});
    let (phase, running) = match (runs, fails) {
        (true, _) => ("Running", json!({"running": {"startedAt": now}})),
        (false, false) => ("Succeeded", ended(0, "Completed")),
        (false, true) => ("Failed", ended(1, "Error")),
    };
    let containers = statuses(&pod, &running, runs);
    state.overwrite(key, |pod| {
        let status = &mut pod["status"];
        status["phase"] = phase.into();
        status["podIP"] = format!("10.244.{third}.{fourth}").into();
        status["podIPs"] = json!([{"ip": status["podIP"]}]);
        status["containerStatuses"] = containers;
        status["conditions"] = [
            "PodReadyToStartContainers",
            "Initialized",
            "Ready",
            "ContainersReady",
            "PodScheduled",
        ]
        .iter()
        .map(|name| {
            let holds = runs || ["Initialized", "PodScheduled"].contains(name);
            condition(name, holds, &now)
        })
        .collect();
    })
}

/// Whether an image is one that the simulation never finds.
fn is_broken(container: &Value) -> bool {
    let image = get_text(container, &["image"]);
    image.contains("broken") || image.contains("nonexistent")
}

fn condition(name: &str, holds: bool, now: &str) -> Value {
    let status = if holds { "True" } else { "False" };
    json!({"type": name, "status": status, "lastProbeTime": null, "lastTransitionTime": now})
}

fn statuses(pod: &Value, state: &Value, ready: bool) -> Value {
    let containers = pod["spec"]["containers"].as_array().into_iter().flatten();
    containers
        .map(|container| {
            json!({
                "name": container["name"], "image": container["image"], "imageID": "",
                "ready": ready, "started": ready, "restartCount": 0, "state": state,
                "lastState": {},
            })
        })
        .collect()
}
