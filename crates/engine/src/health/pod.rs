//! Pods: a container that cannot start outweighs the phase; a finished pod is judged by its end.

use argosy_crds::names::annotation::{HELM_HOOK, HOOK, IGNORE_RESTART_POLICY};

use super::Health;
use super::typed::{Error, Typed};

/// Asks that a pod of a finite restart policy be judged as one that should keep running.
const HOOKS: [&str; 2] = [HOOK, HELM_HOOK];

pub(super) fn assess(object: &Typed<'_>) -> Result<Health, Error> {
    let status = object.object("status")?;
    let message = status.text("message")?;
    let containers = status.list("containerStatuses")?;
    let keeps_running = keeps_running(object)?;
    if keeps_running == Some(true) {
        let stuck = stuck_containers(&containers)?;
        if !stuck.is_empty() {
            return Ok(Health::degraded(stuck.join(", ")));
        }
    }
    Ok(match status.text("phase")? {
        "Pending" => Health::progressing(message),
        "Succeeded" => Health::healthy(message),
        "Failed" if !message.is_empty() => Health::degraded(message),
        "Failed" => Health::degraded(first_failure(&status)?),
        "Running" => match keeps_running {
            Some(true) => running(object, &containers, message)?,
            Some(false) => Health::progressing(message),
            None => Health::unknown(message),
        },
        _ => Health::unknown(message),
    })
}

/// Whether the pod should run for ever; `None` if it does not say.
fn keeps_running(object: &Typed<'_>) -> Result<Option<bool>, Error> {
    let annotations = object.object("metadata")?.object("annotations")?;
    let mut is_hook = false;
    for hook in HOOKS {
        is_hook |= !annotations.text(hook)?.is_empty();
    }
    if annotations.text(IGNORE_RESTART_POLICY)? == "true" && !is_hook {
        return Ok(Some(true));
    }
    Ok(match object.object("spec")?.text("restartPolicy")? {
        "Always" => Some(true),
        "OnFailure" | "Never" => Some(false),
        _ => None,
    })
}

fn stuck_containers<'a>(containers: &[Typed<'a>]) -> Result<Vec<&'a str>, Error> {
    let mut messages = Vec::new();
    for container in containers {
        let waiting = container.object("state")?.object("waiting")?;
        let reason = waiting.text("reason")?;
        if reason.starts_with("Err") || reason.ends_with("Error") || reason.ends_with("BackOff") {
            messages.push(waiting.text("message")?);
        }
    }
    Ok(messages)
}

fn running(object: &Typed<'_>, containers: &[Typed<'_>], message: &str) -> Result<Health, Error> {
    let conditions = object.conditions()?;
    if conditions
        .iter()
        .any(|one| one.kind == "Ready" && one.status == "True")
    {
        return Ok(Health::healthy(message));
    }
    for container in containers {
        if container
            .object("lastState")?
            .object("terminated")?
            .is_set()
        {
            return Ok(Health::degraded(message));
        }
    }
    Ok(Health::progressing(message))
}

/// Why the first failed container ended, init containers first; empty if none says.
fn first_failure(status: &Typed<'_>) -> Result<String, Error> {
    let mut containers = status.list("initContainerStatuses")?;
    containers.extend(status.list("containerStatuses")?);
    for container in containers {
        let end = container.object("state")?.object("terminated")?;
        let (message, reason, code) = (
            end.text("message")?,
            end.text("reason")?,
            end.int("exitCode")?,
        );
        if !message.is_empty() {
            return Ok(message.to_owned());
        }
        if reason == "OOMKilled" {
            return Ok(reason.to_owned());
        }
        if code != 0 {
            let name = container.text("name")?;
            return Ok(format!("container \"{name}\" failed with exit code {code}"));
        }
    }
    Ok(String::new())
}
