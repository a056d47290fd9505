//! What a set's status says of its rollout.

use argosy_crds::codes::appset_condition as condition;

use super::gate::Walk;
use super::steps::Steps;

/// The error of a `RollingSync` without steps, as in Argo CD.
pub const NO_STEPS: &str = "No steps defined for rollout";

/// How many Applications a text names.
const NAMED: usize = 3;

/// A condition without its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// Its type, of `codes::appset_condition`.
    pub type_: &'static str,
    /// Whether it holds.
    pub is_true: bool,
    /// A word for programs.
    pub reason: &'static str,
    /// A sentence for people.
    pub message: String,
}

pub(super) fn conditions(steps: &Steps, walk: &Walk) -> Vec<Condition> {
    let mut conditions = vec![config(steps), progress(walk)];
    if let Some(stopped) = &walk.stopped {
        let failed: Vec<_> = stopped
            .failed
            .iter()
            .map(|(name, why)| format!("{name} {why}"))
            .collect();
        conditions.push(Condition {
            type_: condition::ROLLOUT_STOPPED,
            is_true: true,
            reason: condition::ROLLOUT_STOPPED,
            message: format!(
                "step {} failed and the rollout stopped: {}",
                stopped.step,
                some(&failed)
            ),
        });
    }
    conditions
}

fn config(steps: &Steps) -> Condition {
    let (is_true, reason, message) = match steps.issues.first() {
        Some(issue) => (
            true,
            condition::APPLICATION_SET_INVALID_ROLLOUT_CONFIG,
            issue.clone(),
        ),
        None => (
            false,
            condition::APPLICATION_SET_VALID_ROLLOUT_CONFIG,
            "Rolling Sync Configured correctly".to_owned(),
        ),
    };
    Condition {
        type_: condition::INVALID_ROLLOUT_CONFIG,
        is_true,
        reason,
        message,
    }
}

fn progress(walk: &Walk) -> Condition {
    let (is_true, reason, message) = match (&walk.stopped, walk.current) {
        (Some(stopped), _) => (
            false,
            condition::ROLLOUT_STOPPED,
            format!("ApplicationSet rollout stopped in step {}", stopped.step),
        ),
        (None, Some(step)) => (
            true,
            condition::APPLICATION_SET_MODIFIED,
            format!("ApplicationSet is performing rollout of step {step}"),
        ),
        (None, None) if walk.tolerated.is_empty() => (
            false,
            condition::APPLICATION_SET_ROLLOUT_COMPLETE,
            "ApplicationSet Rollout has completed".to_owned(),
        ),
        (None, None) => (
            false,
            condition::APPLICATION_SET_ROLLOUT_COMPLETE,
            format!(
                "ApplicationSet Rollout has completed, but for what may fail: {}",
                some(&walk.tolerated)
            ),
        ),
    };
    Condition {
        type_: condition::ROLLOUT_PROGRESSING,
        is_true,
        reason,
        message,
    }
}

/// The first few, and how many more there are.
fn some(texts: &[String]) -> String {
    let shown = texts
        .iter()
        .take(NAMED)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    match texts.len().saturating_sub(NAMED) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
