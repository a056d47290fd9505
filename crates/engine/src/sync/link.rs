//! The edges of the plan's graph, and the search for cycles in it.
//!
//! Gates keep the graph linear in the number of tasks: a wave of a thousand tasks before a wave of
//! a thousand is two thousand edges, not a million.

use std::collections::{BTreeMap, BTreeSet};

use petgraph::Direction;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef;

use super::collect::defined_kind;
use super::depends::Dependencies;
use super::plan::{Group, Need, Node};
use super::task::{Action, Task, TaskId};
use crate::object::{GroupKind, ObjectExt};

/// Builds the graph; task nodes come first, in the order of the tasks.
pub(super) fn graph(
    tasks: &[Task],
    groups: &[Group],
    dependencies: &Dependencies,
) -> DiGraph<Node, Need> {
    let mut graph = DiGraph::with_capacity(tasks.len() + 4 * groups.len(), 3 * tasks.len());
    for index in 0..tasks.len() {
        graph.add_node(Node::Task(TaskId(index)));
    }
    let dependents: BTreeSet<usize> = dependencies.pairs.iter().map(|(a, _)| *a).collect();
    let mut entry = None;
    for (position, group) in groups.iter().enumerate() {
        let last = position + 1 == groups.len();
        entry = link_group(&mut graph, tasks, group, &dependents, entry, last);
    }
    link_providers(&mut graph, tasks, groups);
    for (dependent, provider) in &dependencies.pairs {
        let need = if tasks[*provider].is_prune() {
            Need::Gone
        } else {
            Need::Healthy
        };
        graph.add_edge(NodeIndex::new(*provider), NodeIndex::new(*dependent), need);
    }
    graph
}

/// Prunes first, then one kind after the other; what depends on others waits for just these.
/// Returns the gate that closes the group.
fn link_group(
    graph: &mut DiGraph<Node, Need>,
    tasks: &[Task],
    group: &Group,
    dependents: &BTreeSet<usize>,
    entry: Option<NodeIndex>,
    last: bool,
) -> Option<NodeIndex> {
    let title = format!("{} wave {}", group.phase, group.wave);
    let (prunes, others): (Vec<usize>, Vec<usize>) = group
        .tasks
        .clone()
        .partition(|index| tasks[*index].is_prune());
    let start = if prunes.is_empty() || others.is_empty() {
        connect(graph, entry, &prunes);
        entry
    } else {
        connect(graph, entry, &prunes);
        Some(close(graph, &prunes, format!("prunes of {title}")))
    };
    let (free, bound): (Vec<usize>, Vec<usize>) = others
        .iter()
        .copied()
        .partition(|index| !dependents.contains(index));
    connect(graph, start, &bound);
    link_kinds(graph, tasks, &free, start, &title);
    link_hook_deletions(graph, tasks, group);
    (!last).then(|| {
        let all: Vec<usize> = group.tasks.clone().collect();
        close(graph, &all, format!("end of {title}"))
    })
}

fn link_kinds(
    graph: &mut DiGraph<Node, Need>,
    tasks: &[Task],
    free: &[usize],
    mut start: Option<NodeIndex>,
    title: &str,
) {
    let mut runs = free
        .chunk_by(|a, b| tasks[*a].key.kind == tasks[*b].key.kind)
        .peekable();
    while let Some(run) = runs.next() {
        connect(graph, start, run);
        if runs.peek().is_some() {
            let kind = &tasks[run[0]].key.kind;
            start = Some(close(graph, run, format!("{kind} of {title}")));
        }
    }
}

fn connect(graph: &mut DiGraph<Node, Need>, from: Option<NodeIndex>, to: &[usize]) {
    if let Some(from) = from {
        for index in to {
            graph.add_edge(from, NodeIndex::new(*index), Need::Tried);
        }
    }
}

fn close(graph: &mut DiGraph<Node, Need>, tasks: &[usize], name: String) -> NodeIndex {
    let gate = graph.add_node(Node::Gate(name));
    for index in tasks {
        graph.add_edge(NodeIndex::new(*index), gate, Need::Tried);
    }
    gate
}

/// A hook comes when what an earlier sync left of it is gone.
fn link_hook_deletions(graph: &mut DiGraph<Node, Need>, tasks: &[Task], group: &Group) {
    let mut deletions = BTreeMap::new();
    for index in group.tasks.clone() {
        match tasks[index].action {
            Action::DeleteHook(_) => {
                deletions.insert(&tasks[index].key, index);
            }
            Action::Hook { .. } => {
                if let Some(deletion) = deletions.get(&tasks[index].key) {
                    graph.add_edge(NodeIndex::new(*deletion), NodeIndex::new(index), Need::Gone);
                }
            }
            Action::Apply(_) | Action::Prune { .. } => {}
        }
    }
}

/// Within a group, content waits for its namespace and objects for their CRD; across groups the
/// gates see to it.
fn link_providers(graph: &mut DiGraph<Node, Need>, tasks: &[Task], groups: &[Group]) {
    for group in groups {
        let mut namespaces: BTreeMap<&str, usize> = BTreeMap::new();
        let mut kinds: BTreeMap<GroupKind, usize> = BTreeMap::new();
        for index in group.tasks.clone() {
            let Some(desired) = tasks[index].desired.as_deref() else {
                continue;
            };
            if desired.is_namespace() {
                namespaces.insert(desired.name(), index);
            } else if let Some(kind) = defined_kind(desired) {
                kinds.insert(kind, index);
            }
        }
        if namespaces.is_empty() && kinds.is_empty() {
            continue;
        }
        for index in group.tasks.clone() {
            let task = &tasks[index];
            if task.desired.is_none() {
                continue;
            }
            let namespace = namespaces.get(task.key.namespace.as_str()).copied();
            let kind = (!kinds.is_empty())
                .then(|| kinds.get(&task.key.group_kind()).copied())
                .flatten();
            for provider in [namespace, kind].into_iter().flatten() {
                if provider != index {
                    graph.add_edge(
                        NodeIndex::new(provider),
                        NodeIndex::new(index),
                        Need::Applied,
                    );
                }
            }
        }
    }
}

/// A cycle, each node by its name and the first again at the end; `None` if there is none.
pub(super) fn cycle(graph: &DiGraph<Node, Need>, tasks: &[Task]) -> Option<Vec<String>> {
    let component = petgraph::algo::tarjan_scc(graph)
        .into_iter()
        .find(|component| component.len() > 1 || graph.contains_edge(component[0], component[0]))?;
    let members: BTreeSet<_> = component.iter().copied().collect();
    let mut path = vec![*members.first()?];
    loop {
        let here = *path.last()?;
        let next = graph
            .edges_directed(here, Direction::Incoming)
            .filter(|edge| members.contains(&edge.source()))
            // A cycle is told best by the dependencies that people wrote.
            .max_by_key(|edge| (*edge.weight() == Need::Healthy, edge.source()))?
            .source();
        if let Some(start) = path.iter().position(|seen| *seen == next) {
            let mut names: Vec<_> = path[start..]
                .iter()
                .map(|node| name(&graph[*node], tasks))
                .collect();
            names.push(names.first()?.clone());
            return Some(names);
        }
        path.push(next);
    }
}

fn name(node: &Node, tasks: &[Task]) -> String {
    match node {
        Node::Task(id) => {
            let task = &tasks[id.0];
            format!("{} ({} wave {})", task.key, task.phase, task.wave)
        }
        Node::Gate(name) => name.clone(),
    }
}
