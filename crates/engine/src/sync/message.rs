//! The texts that Argo CD's users and tools know from `operationState.message`.

use super::plan::SyncPlan;
use super::task::TaskId;

/// Waiting for hooks to complete or resources to become healthy.
pub(super) fn waiting(plan: &SyncPlan, tasks: &[TaskId], deletion: bool) -> String {
    let hook = tasks.iter().find(|id| plan.task(**id).is_hook());
    let Some(first) = hook.or(tasks.first()) else {
        return String::new();
    };
    let reason = match (deletion, hook.is_some()) {
        (true, true) => "deletion of hook",
        (true, false) => "deletion of",
        (false, true) => "completion of hook",
        (false, false) => "healthy state of",
    };
    let only_hooks = tasks.iter().all(|id| plan.task(*id).is_hook());
    let kind = if only_hooks { "hooks" } else { "resources" };
    let mut text = format!("waiting for {reason} {}", plan.task(*first).label());
    if tasks.len() > 1 {
        text = format!("{text} and {} more {kind}", tasks.len() - 1);
    }
    text
}

/// Waiting for a person.
pub(super) fn confirmation(plan: &SyncPlan, tasks: &[TaskId]) -> String {
    let Some(first) = tasks.first() else {
        return String::new();
    };
    let mut text = format!(
        "Waiting for pruning confirmation of {}",
        plan.task(*first).versioned_label()
    );
    if tasks.len() > 1 {
        text = format!("{text} and {} more resources", tasks.len() - 1);
    }
    text
}

/// A failure with the reasons that led to it, each once.
pub(super) fn failure<'a>(text: &str, reasons: impl Iterator<Item = &'a str>) -> String {
    let mut unique: Vec<&str> = Vec::new();
    for reason in reasons.filter(|reason| !reason.is_empty()) {
        if !unique.contains(&reason) {
            unique.push(reason);
        }
    }
    if unique.is_empty() {
        text.to_owned()
    } else {
        format!("{text}, reason: {}", unique.join(","))
    }
}
