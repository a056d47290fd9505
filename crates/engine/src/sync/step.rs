//! One step of a sync: from plan and states to what to start, or what is waited for.
//!
//! It follows Argo CD: between phases and waves everything has to be healthy; what was applied
//! last, with no hooks beside it, ends the sync as soon as it is applied, healthy or not.

use jiff::{SignedDuration, Timestamp};
use petgraph::Direction;
use petgraph::graph::NodeIndex;
use petgraph::visit::EdgeRef;

use super::message;
use super::phase::Phase;
use super::plan::{Group, Need, Node, SyncPlan};
use super::state::{TaskState, TaskStates};
use super::task::{Action, Task, TaskId};
use crate::object::DeletePolicy;

/// Time between a wave and the next, so that controllers see the first before the second comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaveDelay(pub SignedDuration);

impl Default for WaveDelay {
    /// Argo CD's two seconds.
    fn default() -> Self {
        Self(SignedDuration::from_secs(2))
    }
}

/// How a sync ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Everything was done.
    Succeeded,
    /// Something was refused or is not well.
    Failed,
}

/// What a running sync waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// Requests that are under way.
    Requests,
    /// Hooks that run, or resources that are not healthy yet.
    Health(Vec<TaskId>),
    /// Objects that are being deleted.
    Deletion(Vec<TaskId>),
    /// A person's approval of prunes.
    Confirmation(Vec<TaskId>),
    /// The delay between waves.
    WaveDelay {
        /// When it is over.
        until: Timestamp,
    },
}

/// What to do about a sync now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Carry on.
    Run {
        /// Tasks to start at once, in any order and side by side.
        start: Vec<TaskId>,
        /// Hooks that ended and whose finalizer is to be removed.
        release: Vec<TaskId>,
        /// What is waited for.
        waiting: Waiting,
        /// The operation's message.
        message: String,
    },
    /// It is over.
    Finished {
        /// How it ended.
        outcome: Outcome,
        /// The operation's message.
        message: String,
        /// Hooks whose finalizer is to be removed.
        release: Vec<TaskId>,
        /// Hooks to delete, by their delete policies.
        delete: Vec<TaskId>,
    },
}

/// What to do to end a sync before its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Termination {
    /// Hooks whose finalizer is to be removed.
    pub release: Vec<TaskId>,
    /// Hooks that run, to be deleted.
    pub delete: Vec<TaskId>,
}

/// Decides the next step of a sync. Call it whenever a state has changed, and when the delay that
/// it named is over.
pub fn next(plan: &SyncPlan, states: &TaskStates, delay: WaveDelay, now: Timestamp) -> Step {
    Stepper {
        plan,
        states,
        delay,
        now,
    }
    .step()
}

/// Ends a sync: completed hooks are released, running ones are released and deleted. The phase
/// becomes `Failed` with the message `Operation terminated`.
pub fn terminate(plan: &SyncPlan, states: &TaskStates) -> Termination {
    let hooks = || plan.iter().filter(|(_, task)| task.is_hook());
    Termination {
        release: hooks()
            .map(|(id, _)| id)
            .filter(|id| *states.get(*id) != TaskState::Pending && !states.is_released(*id))
            .collect(),
        delete: hooks()
            .filter(|(id, task)| match states.get(*id) {
                TaskState::Started | TaskState::Applied(_) => true,
                TaskState::Pending => false,
                _ => task.policies().contains(&DeletePolicy::HookFailed),
            })
            .map(|(id, _)| id)
            .collect(),
    }
}

/// The hooks that go with a sync that is given up for a newer revision: those that have succeeded
/// and that go when they have. What the next sync makes of them would else be refused, since most of
/// a Job cannot be changed.
pub fn succeeded_hooks(plan: &SyncPlan, states: &TaskStates) -> Vec<TaskId> {
    let goes = |id, task: &Task| {
        task.is_hook()
            && matches!(states.get(id), TaskState::Succeeded(_))
            && task.policies().contains(&DeletePolicy::HookSucceeded)
    };
    plan.iter()
        .filter(|(id, task)| goes(*id, task))
        .map(|(id, _)| id)
        .collect()
}

pub(super) struct Stepper<'a> {
    pub(super) plan: &'a SyncPlan,
    pub(super) states: &'a TaskStates,
    delay: WaveDelay,
    now: Timestamp,
}

impl Stepper<'_> {
    fn step(&self) -> Step {
        let (regular, on_failure): (Vec<&Group>, Vec<&Group>) = self
            .plan
            .groups
            .iter()
            .partition(|group| group.phase != Phase::SyncFail);
        let tried = |group: &&&Group| self.all(group, TaskState::is_tried);
        let done = regular.iter().take_while(tried).count();
        let begun = regular.get(done).filter(|group| {
            !self.all(group, |state| {
                *state == TaskState::Pending || is_skip(state)
            })
        });
        if let Some(group) = begun {
            let step = self.carry_on(group);
            if let Some(step) = step {
                return step;
            }
        }
        let failed: Vec<_> = ids(&regular)
            .filter(|id| self.states.get(*id).is_failure())
            .collect();
        if !failed.is_empty() {
            return self.fail(&regular, &on_failure, &failed);
        }
        if done == regular.len() && self.ends_when_applied(&regular) {
            return self.succeed("successfully synced (all tasks run)");
        }
        if let Some(step) = self.wait(&regular) {
            return step;
        }
        match regular.get(done) {
            None => self.succeed("successfully synced (no more tasks)"),
            Some(group) => self.begin(group),
        }
    }

    /// Goes on with a group that has begun; `None` when nothing of it can start any more and
    /// nothing is under way.
    fn carry_on(&self, group: &Group) -> Option<Step> {
        let start = self.startable(group);
        let under_way = group
            .tasks()
            .any(|id| *self.states.get(id) == TaskState::Started);
        if !start.is_empty() || under_way {
            return Some(self.run(start, Waiting::Requests));
        }
        if self.all(group, TaskState::is_tried) {
            return None;
        }
        let failed = group.tasks().any(|id| self.states.get(id).is_failure());
        if failed {
            return None;
        }
        let deletion: Vec<_> = self.terminating(&[group]);
        if !deletion.is_empty() {
            return Some(self.run(Vec::new(), Waiting::Deletion(deletion)));
        }
        let unhealthy = group
            .tasks()
            .filter(|id| matches!(self.states.get(*id), TaskState::Applied(_)))
            .collect();
        Some(self.run(Vec::new(), Waiting::Health(unhealthy)))
    }

    /// The tasks of a group that nothing holds back.
    fn startable(&self, group: &Group) -> Vec<TaskId> {
        let prune_failed = group
            .tasks()
            .any(|id| self.plan.task(id).is_prune() && self.states.get(id).is_failure());
        group
            .tasks()
            .filter(|id| *self.states.get(*id) == TaskState::Pending)
            .filter(|id| !prune_failed || self.plan.task(*id).is_prune())
            .filter(|id| self.is_open(SyncPlan::node(*id), group))
            .collect()
    }

    /// Whether everything before a node is as far as the node needs it. What lies in earlier groups
    /// was waited for before this one began.
    pub(super) fn is_open(&self, node: NodeIndex, group: &Group) -> bool {
        self.plan
            .graph
            .edges_directed(node, Direction::Incoming)
            .all(|edge| match &self.plan.graph[edge.source()] {
                Node::Task(id) if group.tasks.contains(&id.0) => self.meets(*id, *edge.weight()),
                Node::Task(_) => true,
                Node::Gate(_) => self.is_passed(edge.source(), group),
            })
    }

    /// Whether every task before a gate was tried. The gate between two groups is always passed;
    /// within a group each kind waits for the one before it.
    fn is_passed(&self, gate: NodeIndex, group: &Group) -> bool {
        self.plan
            .graph
            .neighbors_directed(gate, Direction::Incoming)
            .all(|before| match &self.plan.graph[before] {
                Node::Task(id) if group.tasks.contains(&id.0) => self.meets(*id, Need::Tried),
                Node::Task(_) => true,
                Node::Gate(_) => self.is_passed(before, group),
            })
    }

    fn meets(&self, id: TaskId, need: Need) -> bool {
        let state = self.states.get(id);
        match need {
            Need::Tried => state.is_tried(),
            Need::Applied => state.is_tried() && !matches!(state, TaskState::Rejected(_)),
            Need::Healthy => matches!(state, TaskState::Succeeded(_)),
            Need::Gone => matches!(
                state,
                TaskState::Pruned {
                    terminating: false,
                    ..
                } | TaskState::Skipped(_)
            ),
        }
    }

    /// The last group ends the sync when it is applied, unless a hook of it still has to end.
    fn ends_when_applied(&self, regular: &[&Group]) -> bool {
        let Some((last, before)) = regular.split_last() else {
            return false;
        };
        let hookless = !last.tasks().any(|id| self.plan.task(id).is_hook());
        hookless && !ids(before).any(|id| self.is_running(id))
    }

    pub(super) fn is_running(&self, id: TaskId) -> bool {
        let waited_for = self.plan.is_multi_step() || self.plan.task(id).is_hook();
        waited_for && matches!(self.states.get(id), TaskState::Applied(_))
    }

    /// Waits for health and deletions of what was done.
    fn wait(&self, regular: &[&Group]) -> Option<Step> {
        let running: Vec<_> = ids(regular).filter(|id| self.is_running(*id)).collect();
        if !running.is_empty() {
            return Some(self.run(Vec::new(), Waiting::Health(running)));
        }
        let deletion = self.terminating(regular);
        (!deletion.is_empty()).then(|| self.run(Vec::new(), Waiting::Deletion(deletion)))
    }

    pub(super) fn terminating(&self, groups: &[&Group]) -> Vec<TaskId> {
        ids(groups)
            .filter(|id| {
                matches!(
                    self.states.get(*id),
                    TaskState::Pruned {
                        terminating: true,
                        ..
                    }
                )
            })
            .collect()
    }

    /// Begins a group, when prunes in it are confirmed and the delay after the wave before is over.
    fn begin(&self, group: &Group) -> Step {
        let unconfirmed: Vec<_> = group
            .tasks()
            .filter(|id| {
                matches!(
                    self.plan.task(*id).action,
                    Action::Prune { confirm: true, .. }
                )
            })
            .collect();
        if !unconfirmed.is_empty() && !self.states.is_confirmed() {
            return self.run(Vec::new(), Waiting::Confirmation(unconfirmed));
        }
        if let Some(written) = self.states.last_write() {
            let until = written.saturating_add(self.delay.0).unwrap_or(written);
            if self.now < until {
                return self.run(Vec::new(), Waiting::WaveDelay { until });
            }
        }
        self.run(self.startable(group), Waiting::Requests)
    }

    pub(super) fn run(&self, start: Vec<TaskId>, waiting: Waiting) -> Step {
        let message = match &waiting {
            Waiting::Requests | Waiting::WaveDelay { .. } => {
                "one or more tasks are running".to_owned()
            }
            Waiting::Health(tasks) => message::waiting(self.plan, tasks, false),
            Waiting::Deletion(tasks) => message::waiting(self.plan, tasks, true),
            Waiting::Confirmation(tasks) => message::confirmation(self.plan, tasks),
        };
        Step::Run {
            start,
            release: self.to_release(),
            waiting,
            message,
        }
    }

    /// Hooks that ended and still carry the finalizer.
    pub(super) fn to_release(&self) -> Vec<TaskId> {
        self.plan
            .iter()
            .filter(|(id, task)| {
                let ended = matches!(
                    self.states.get(*id),
                    TaskState::Succeeded(_) | TaskState::Failed(_)
                );
                task.is_hook() && ended && !self.states.is_released(*id)
            })
            .map(|(id, _)| id)
            .collect()
    }

    fn all(&self, group: &Group, holds: impl Fn(&TaskState) -> bool) -> bool {
        group.tasks().all(|id| holds(self.states.get(id)))
    }
}

pub(super) fn ids<'g>(groups: &'g [&Group]) -> impl Iterator<Item = TaskId> + use<'g> {
    groups.iter().flat_map(|group| group.tasks())
}

fn is_skip(state: &TaskState) -> bool {
    matches!(state, TaskState::Skipped(_))
}
