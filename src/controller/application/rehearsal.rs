//! A wave tried by the cluster before any of it is written, where that tells something that nothing
//! else does: admission webhooks look at its kinds, or somebody asked for it.
//!
//! What may only be refused because the rest of the wave is not there yet counts for nothing.

use argosy_engine::sync::{Action, Phase, Task, Webhooks};

use super::operate::RunningSync;
use crate::executor::{Execution, Failure};

/// How the words of an API server begin for which a webhook is to blame.
const WEBHOOK: &str = "admission webhook";

/// Has the cluster try a wave that is about to begin. The error tells what it refuses; then nothing
/// of the wave may be written.
pub(super) async fn rehearse(
    execution: &Execution<'_>,
    running: &mut RunningSync,
    wave: (Phase, i64),
) -> Result<(), String> {
    if execution.dry_run {
        return Ok(());
    }
    let cluster = execution.cluster;
    let webhooks = cluster.admission.webhooks(&cluster.client).await;
    let tasks = execution.plan.iter();
    let tasks = tasks.filter(|(_, task)| (task.phase, task.wave) == wave);
    let wanted = tasks.filter(|(_, task)| is_wanted(execution, task, &webhooks));
    let wanted: Vec<_> = wanted.map(|(id, _)| id).collect();
    let mut told = Vec::new();
    for (id, failure) in execution.rehearse(&wanted).await {
        let task = execution.plan.task(id);
        if is_final(&failure, is_asked(task)) {
            told.push(format!("{}: {}", task.key, failure.message));
            running.states.rejected(id, failure.message);
        }
    }
    if told.is_empty() {
        return Ok(());
    }
    Err(format!(
        "one or more objects failed to apply (dry run), reason: {}",
        told.join(", ")
    ))
}

fn is_wanted(execution: &Execution<'_>, task: &Task, webhooks: &Webhooks) -> bool {
    if task.deferred || task.desired.is_none() {
        return false;
    }
    let served = execution.cluster.discovery.served();
    let kind = served.kind(&task.gvk.group, &task.gvk.version, &task.gvk.kind);
    is_asked(task)
        || kind.is_some_and(|kind| webhooks.look_at(&task.gvk.group, &kind.resource.plural))
}

fn is_asked(task: &Task) -> bool {
    match &task.action {
        Action::Apply(mode) | Action::Hook { mode, .. } => mode.dry_run,
        Action::DeleteHook(_) | Action::Prune { .. } => false,
    }
}

/// Whether the cluster would say the same of the real thing. A webhook that is out of reach may be
/// back by then, and what an object refers to may have been written; whoever asks for a rehearsal
/// wants to hear of all else.
fn is_final(failure: &Failure, is_asked: bool) -> bool {
    match failure.code {
        422 => true,
        400 | 403 => is_asked || failure.message.contains(WEBHOOK),
        _ => false,
    }
}
