//! The sync plan: tasks in phase and wave groups, and the graph of what waits for what.

use std::collections::BTreeSet;
use std::ops::Range;

use petgraph::graph::{DiGraph, NodeIndex};
use thiserror::Error;

use super::collect::{collect, defined_kind};
use super::depends::{self, Dependencies};
use super::input::PlanInput;
use super::link;
use super::order;
use super::phase::Phase;
use super::task::{Task, TaskId};
use crate::object::{GroupKind, ResourceKey};

/// A task that cannot be carried out, so that the whole sync is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{key}: {reason}")]
pub struct InvalidTask {
    /// The object.
    pub key: ResourceKey,
    /// The phase in which it was to be handled.
    pub phase: Phase,
    /// Why not.
    pub reason: String,
}

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PlanError {
    /// Tasks that cannot be carried out.
    #[error("one or more synchronization tasks are not valid: {}", join(.0))]
    Invalid(Vec<InvalidTask>),
    /// Objects that wait for each other.
    #[error("the resources wait for each other: {}; remove one of these dependencies", .0.join(" -> "))]
    Cycle(Vec<String>),
}

fn join(invalid: &[InvalidTask]) -> String {
    let texts: Vec<_> = invalid.iter().map(ToString::to_string).collect();
    texts.join("; ")
}

/// What a task waits for in another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// It was tried.
    Tried,
    /// It was applied: a namespace before its content, a CRD before its objects.
    Applied,
    /// It was applied and is healthy: `depends-on`.
    Healthy,
    /// It is gone.
    Gone,
}

/// A node of the plan's graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    /// A task.
    Task(TaskId),
    /// A point that is passed when everything before it is done.
    Gate(String),
}

/// Tasks of one phase and wave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Phase.
    pub phase: Phase,
    /// Wave.
    pub wave: i64,
    /// Positions of its tasks.
    pub(super) tasks: Range<usize>,
}

impl Group {
    /// Its tasks, in start order.
    pub fn tasks(&self) -> impl Iterator<Item = TaskId> + use<> {
        self.tasks.clone().map(TaskId)
    }
}

/// What a sync does, in which order, as a value. It leaves no choice to whoever executes it.
#[derive(Clone, Debug)]
pub struct SyncPlan {
    pub(super) tasks: Vec<Task>,
    pub(super) groups: Vec<Group>,
    pub(super) graph: DiGraph<Node, Need>,
    notes: Vec<String>,
}

impl SyncPlan {
    /// Plans a sync.
    ///
    /// # Errors
    /// Kinds that the cluster does not serve, and dependencies that form a cycle.
    pub fn new(input: &PlanInput<'_>) -> Result<Self, PlanError> {
        let mut collected = collect(input);
        if !collected.invalid.is_empty() {
            return Err(PlanError::Invalid(collected.invalid));
        }
        order::sort(
            &mut collected.tasks,
            input.options.prune_last,
            input.namespace,
        );
        let groups = group(&collected.tasks);
        let dependencies = Dependencies::read(&collected.tasks, &mut collected.notes);
        let (tasks, dependencies) = depends::arrange(collected.tasks, &groups, dependencies);
        let graph = link::graph(&tasks, &groups, &dependencies);
        if let Some(cycle) = link::cycle(&graph, &tasks) {
            return Err(PlanError::Cycle(cycle));
        }
        Ok(Self {
            tasks,
            groups,
            graph,
            notes: collected.notes,
        })
    }

    /// All tasks in start order; [`TaskId::index`] is the position.
    pub fn tasks(&self) -> &[Task] {
        &self.tasks
    }

    /// A task of this plan.
    pub fn task(&self, id: TaskId) -> &Task {
        &self.tasks[id.0]
    }

    /// All tasks with their names.
    pub fn iter(&self) -> impl Iterator<Item = (TaskId, &Task)> {
        self.tasks
            .iter()
            .enumerate()
            .map(|(index, task)| (TaskId(index), task))
    }

    /// The kinds whose definitions the plan writes.
    pub fn defined_kinds(&self) -> BTreeSet<GroupKind> {
        let desired = self.tasks.iter().filter_map(|task| task.desired.as_deref());
        desired.filter_map(defined_kind).collect()
    }

    /// The groups of one phase and wave each, in start order.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// What waits for what.
    pub fn graph(&self) -> &DiGraph<Node, Need> {
        &self.graph
    }

    /// What a person should know about the plan.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Whether there is more than one phase or wave, so that health is waited for in between.
    pub fn is_multi_step(&self) -> bool {
        self.groups.len() > 1
    }

    pub(super) fn node(id: TaskId) -> NodeIndex {
        NodeIndex::new(id.0)
    }
}

fn group(tasks: &[Task]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for (index, task) in tasks.iter().enumerate() {
        match groups.last_mut() {
            Some(last) if last.phase == task.phase && last.wave == task.wave => {
                last.tasks.end = index + 1;
            }
            _ => groups.push(Group {
                phase: task.phase,
                wave: task.wave,
                tasks: index..index + 1,
            }),
        }
    }
    groups
}
