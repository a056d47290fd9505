//! What has happened to the tasks of a plan so far.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::plan::SyncPlan;
use super::task::{Action, TaskId};

/// What is known of one task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TaskState {
    /// Nothing was done.
    Pending,
    /// The executor is at it.
    Started,
    /// The object was written; whether it is well is not known yet.
    Applied(String),
    /// Done, and well.
    Succeeded(String),
    /// The request was refused.
    Rejected(String),
    /// The request was accepted, and what came of it is not well.
    Failed(String),
    /// Deletion was requested.
    Pruned {
        /// The text in the operation's results.
        message: String,
        /// Whether the object is still there.
        terminating: bool,
    },
    /// Left alone on purpose.
    Skipped(String),
}

impl TaskState {
    /// Whether the request has been answered, one way or another.
    pub fn is_tried(&self) -> bool {
        !matches!(self, Self::Pending | Self::Started)
    }

    /// Whether the object was written, whatever came of it.
    pub fn is_written(&self) -> bool {
        matches!(
            self,
            Self::Applied(_) | Self::Succeeded(_) | Self::Failed(_)
        )
    }

    /// Whether the task went wrong.
    pub fn is_failure(&self) -> bool {
        matches!(self, Self::Rejected(_) | Self::Failed(_))
    }

    /// The text in the operation's results.
    pub fn message(&self) -> &str {
        match self {
            Self::Pending | Self::Started => "",
            Self::Applied(message)
            | Self::Succeeded(message)
            | Self::Rejected(message)
            | Self::Failed(message)
            | Self::Skipped(message)
            | Self::Pruned { message, .. } => message,
        }
    }
}

/// What a look at a live object says of the task that wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It is healthy.
    Healthy(String),
    /// Its kind has no health.
    NoHealth,
    /// It is on its way, or suspended.
    Underway(String),
    /// It is degraded.
    Degraded(String),
    /// Its health could not be told.
    Unknown(String),
    /// It is not there, though it was written.
    Missing,
}

/// The states of all tasks of one plan.
#[derive(Clone, Debug)]
pub struct TaskStates {
    states: Vec<TaskState>,
    released: BTreeSet<TaskId>,
    confirmed: bool,
    last_write: Option<Timestamp>,
}

impl TaskStates {
    /// The states at the beginning: all pending but what is left alone.
    pub fn new(plan: &SyncPlan) -> Self {
        let states = plan.tasks.iter().map(|task| match &task.action {
            Action::Prune {
                skip: Some(skip), ..
            } => TaskState::Skipped(skip.message().to_owned()),
            _ => TaskState::Pending,
        });
        Self {
            states: states.collect(),
            released: BTreeSet::new(),
            confirmed: false,
            last_write: None,
        }
    }

    /// The state of a task.
    pub fn get(&self, id: TaskId) -> &TaskState {
        &self.states[id.0]
    }

    pub(super) fn set(&mut self, id: TaskId, state: TaskState) {
        self.states[id.0] = state;
    }

    /// A person has approved the prunes that ask for it.
    pub fn confirm(&mut self) {
        self.confirmed = true;
    }

    pub(super) fn is_confirmed(&self) -> bool {
        self.confirmed
    }

    /// The executor has taken the task on.
    pub fn started(&mut self, id: TaskId) {
        self.states[id.0] = TaskState::Started;
    }

    /// The object of the task was written at `now`.
    pub fn applied(&mut self, id: TaskId, message: impl Into<String>, now: Timestamp) {
        self.states[id.0] = TaskState::Applied(message.into());
        self.last_write = self.last_write.max(Some(now));
    }

    /// The task is done for good, as in a dry run.
    pub fn succeeded(&mut self, id: TaskId, message: impl Into<String>) {
        self.states[id.0] = TaskState::Succeeded(message.into());
    }

    /// The request was refused.
    pub fn rejected(&mut self, id: TaskId, message: impl Into<String>) {
        self.states[id.0] = TaskState::Rejected(message.into());
    }

    /// Deletion was requested; `terminating` tells whether the object is still there.
    pub fn pruned(&mut self, id: TaskId, terminating: bool, now: Timestamp) {
        self.states[id.0] = TaskState::Pruned {
            message: "pruned".to_owned(),
            terminating,
        };
        self.last_write = self.last_write.max(Some(now));
    }

    /// The task could not be tried yet, because the cluster does not serve its kind.
    pub fn postponed(&mut self, id: TaskId) {
        self.states[id.0] = TaskState::Pending;
    }

    /// The finalizer of a hook was removed.
    pub fn released(&mut self, id: TaskId) {
        self.released.insert(id);
    }

    pub(super) fn is_released(&self, id: TaskId) -> bool {
        self.released.contains(&id)
    }

    pub(super) fn last_write(&self) -> Option<Timestamp> {
        self.last_write
    }

    /// The live object of a task was looked at. Only tasks that were applied and not yet judged,
    /// and objects being deleted, are moved by it.
    pub fn observed(&mut self, plan: &SyncPlan, id: TaskId, progress: Progress) {
        let state = &mut self.states[id.0];
        match state {
            TaskState::Applied(message) => {
                let message = std::mem::take(message);
                *state = judge(plan, id, progress, message);
            }
            TaskState::Pruned { terminating, .. } => {
                *terminating = progress != Progress::Missing;
            }
            _ => {}
        }
    }
}

fn judge(plan: &SyncPlan, id: TaskId, progress: Progress, message: String) -> TaskState {
    let task = plan.task(id);
    match progress {
        Progress::Healthy(health) => TaskState::Succeeded(or(health, message)),
        Progress::NoHealth => TaskState::Succeeded(message),
        Progress::Underway(health) => TaskState::Applied(or(health, message)),
        Progress::Degraded(health) => TaskState::Failed(or(health, message)),
        Progress::Unknown(health) if task.is_hook() => TaskState::Failed(or(health, message)),
        Progress::Unknown(_) => TaskState::Applied(message),
        Progress::Missing => TaskState::Failed(format!(
            "Resource {} is missing, it might have been deleted",
            task.label()
        )),
    }
}

fn or(text: String, otherwise: String) -> String {
    if text.is_empty() { otherwise } else { text }
}
