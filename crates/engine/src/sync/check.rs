//! The linter that every plan passes before it is carried out.

use std::collections::BTreeSet;

use thiserror::Error;

use super::plan::SyncPlan;
use super::task::{Action, Task};
use crate::object::ResourceKey;

/// Something wrong with a plan. It means that the planner has a fault, and the plan must not run.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Flaw {
    /// Two tasks would do the same to one object in one phase.
    #[error("{0} is handled twice in one phase")]
    Twice(ResourceKey),
    /// An object would be applied and pruned.
    #[error("{0} is both applied and pruned")]
    AppliedAndPruned(ResourceKey),
    /// An object that nobody vouched for would be pruned.
    #[error("{0} would be pruned, but is not known to belong to the application")]
    Unowned(ResourceKey),
    /// A group comes before one that it has to follow.
    #[error("{phase} wave {wave} comes too early")]
    WavesOutOfOrder {
        /// Phase of the group.
        phase: super::Phase,
        /// Wave of the group.
        wave: i64,
    },
    /// Tasks wait for each other.
    #[error("tasks wait for each other")]
    Cyclic,
    /// An object that would be written is missing from its task.
    #[error("{0} has nothing to be written")]
    NothingToWrite(ResourceKey),
}

/// Checks a plan; no flaws means that it may run.
pub fn check(plan: &SyncPlan) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    once_each(plan, &mut flaws);
    owned_prunes(plan, &mut flaws);
    for pair in plan.groups().windows(2) {
        if (pair[0].phase, pair[0].wave) >= (pair[1].phase, pair[1].wave) {
            flaws.push(Flaw::WavesOutOfOrder {
                phase: pair[1].phase,
                wave: pair[1].wave,
            });
        }
    }
    if petgraph::algo::is_cyclic_directed(plan.graph()) {
        flaws.push(Flaw::Cyclic);
    }
    flaws
}

fn once_each(plan: &SyncPlan, flaws: &mut Vec<Flaw>) {
    let mut seen = BTreeSet::new();
    let mut pruned = BTreeSet::new();
    let mut written = BTreeSet::new();
    for task in plan.tasks() {
        if !seen.insert((&task.key, task.phase, task.action.as_str())) {
            flaws.push(Flaw::Twice(task.key.clone()));
        }
        match task.action {
            Action::Prune { .. } => pruned.insert(&task.key),
            Action::Apply(_) | Action::Hook { .. } => written.insert(&task.key),
            Action::DeleteHook(_) => true,
        };
        if is_write(task) && task.desired.is_none() {
            flaws.push(Flaw::NothingToWrite(task.key.clone()));
        }
    }
    for key in pruned.intersection(&written) {
        flaws.push(Flaw::AppliedAndPruned((*key).clone()));
    }
}

fn is_write(task: &Task) -> bool {
    matches!(task.action, Action::Apply(_) | Action::Hook { .. })
}

fn owned_prunes(plan: &SyncPlan, flaws: &mut Vec<Flaw>) {
    for task in plan.tasks() {
        if let Action::Prune { owned, .. } = task.action
            && (!owned || task.live.is_none())
        {
            flaws.push(Flaw::Unowned(task.key.clone()));
        }
    }
}
