//! Building the graph, and finding its cycles.

use std::collections::{BTreeMap, BTreeSet};

use petgraph::Direction;
use petgraph::graph::{DiGraph, NodeIndex};

use super::{AppKey, AppNode, Graph, Node, Readiness, Reference};

impl Graph {
    /// Builds the graph of a fleet; of two applications with one identity the last counts.
    pub fn build(apps: Vec<AppNode>) -> Self {
        let mut index = BTreeMap::new();
        let mut unique: Vec<AppNode> = Vec::with_capacity(apps.len());
        for app in apps {
            if let Some(position) = index.get(&app.key) {
                unique[*position] = app;
            } else {
                index.insert(app.key.clone(), unique.len());
                unique.push(app);
            }
        }
        let apps = unique;
        let mut graph = DiGraph::with_capacity(apps.len(), 2 * apps.len());
        for app in 0..apps.len() {
            graph.add_node(Node::App(app));
        }
        let dangling = link_references(&mut graph, &apps, &index);
        link_waves(&mut graph, &apps);
        let mut built = Self {
            unmet: vec![0; graph.node_count()],
            cycles: cycles(&graph, &apps),
            apps,
            index,
            edges: graph,
            dangling,
        };
        built.count_unmet();
        built
    }

    /// Counts afresh what is not ready before each node, in topological order as far as there is
    /// one: what is in a cycle is never ready.
    fn count_unmet(&mut self) {
        for (app, _) in &self.dangling {
            if let Some(app) = self.index.get(app) {
                self.unmet[*app] += 1;
            }
        }
        let order = petgraph::algo::toposort(&self.edges, None).unwrap_or_else(|_| {
            petgraph::algo::tarjan_scc(&self.edges)
                .into_iter()
                .rev()
                .flatten()
                .collect()
        });
        let mut ready = vec![false; self.edges.node_count()];
        for node in order {
            let before = self
                .edges
                .neighbors_directed(node, Direction::Incoming)
                .filter(|before| !ready[before.index()])
                .count();
            self.unmet[node.index()] += before;
            ready[node.index()] = match self.edges[node] {
                Node::App(app) => self.apps[app].readiness == Readiness::Ready,
                Node::Wave { .. } => self.unmet[node.index()] == 0,
            };
        }
    }
}

fn link_references(
    graph: &mut DiGraph<Node, ()>,
    apps: &[AppNode],
    index: &BTreeMap<AppKey, usize>,
) -> Vec<(AppKey, Reference)> {
    let mut by_label: BTreeMap<(&str, &str), Vec<usize>> = BTreeMap::new();
    let asked: BTreeSet<(&str, &str)> = apps
        .iter()
        .flat_map(|app| &app.depends_on)
        .filter_map(|reference| match reference {
            Reference::Labels(labels) => labels.iter().next(),
            Reference::Name(_) => None,
        })
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .collect();
    for (position, app) in apps.iter().enumerate() {
        for (key, value) in &app.labels {
            let pair = (key.as_str(), value.as_str());
            if asked.contains(&pair) {
                by_label.entry(pair).or_default().push(position);
            }
        }
    }
    let mut dangling = Vec::new();
    for (position, app) in apps.iter().enumerate() {
        for reference in &app.depends_on {
            let mut providers: Vec<usize> = match reference {
                Reference::Name(key) => index.get(key).copied().into_iter().collect(),
                Reference::Labels(labels) => labels
                    .iter()
                    .next()
                    .and_then(|(key, value)| by_label.get(&(key.as_str(), value.as_str())))
                    .into_iter()
                    .flatten()
                    .copied()
                    .filter(|one| *one != position && has_all(&apps[*one], labels))
                    .collect(),
            };
            if providers.is_empty() {
                dangling.push((app.key.clone(), reference.clone()));
            }
            providers.sort_unstable();
            for provider in providers {
                graph.add_edge(NodeIndex::new(provider), NodeIndex::new(position), ());
            }
        }
    }
    dangling
}

fn has_all(app: &AppNode, labels: &BTreeMap<String, String>) -> bool {
    labels
        .iter()
        .all(|(key, value)| app.labels.get(key) == Some(value))
}

/// The children of one application go wave by wave, through a gate after each wave.
fn link_waves(graph: &mut DiGraph<Node, ()>, apps: &[AppNode]) {
    let mut families: BTreeMap<&AppKey, BTreeMap<i64, Vec<usize>>> = BTreeMap::new();
    for (position, app) in apps.iter().enumerate() {
        if let Some(parent) = &app.parent {
            families
                .entry(parent)
                .or_default()
                .entry(app.wave)
                .or_default()
                .push(position);
        }
    }
    for (parent, waves) in families {
        let mut gate: Option<NodeIndex> = None;
        let last = waves.keys().next_back().copied();
        for (wave, members) in waves {
            let next = (Some(wave) != last).then(|| {
                graph.add_node(Node::Wave {
                    parent: parent.clone(),
                    wave,
                })
            });
            for member in members {
                let member = NodeIndex::new(member);
                if let Some(gate) = gate {
                    graph.add_edge(gate, member, ());
                }
                if let Some(next) = next {
                    graph.add_edge(member, next, ());
                }
            }
            gate = next;
        }
    }
}

/// Each knot of the graph as one cycle through it, by the names of its applications.
fn cycles(graph: &DiGraph<Node, ()>, apps: &[AppNode]) -> Vec<Vec<AppKey>> {
    let knots = petgraph::algo::tarjan_scc(graph);
    let mut cycles: Vec<Vec<AppKey>> = knots
        .into_iter()
        .filter(|knot| knot.len() > 1 || graph.contains_edge(knot[0], knot[0]))
        .filter_map(|knot| {
            let path = walk(graph, &knot.into_iter().collect())?;
            let mut names: Vec<_> = path
                .into_iter()
                .filter_map(|node| match graph[node] {
                    Node::App(app) => Some(apps[app].key.clone()),
                    Node::Wave { .. } => None,
                })
                .collect();
            names.push(names.first()?.clone());
            Some(names)
        })
        .collect();
    cycles.sort();
    cycles
}

/// A way round a knot, from the first node on that comes twice.
fn walk(graph: &DiGraph<Node, ()>, knot: &BTreeSet<NodeIndex>) -> Option<Vec<NodeIndex>> {
    let mut path = vec![*knot.first()?];
    loop {
        let next = graph
            .neighbors_directed(*path.last()?, Direction::Incoming)
            .filter(|before| knot.contains(before))
            .min()?;
        if let Some(start) = path.iter().position(|seen| *seen == next) {
            return Some(path.split_off(start));
        }
        path.push(next);
    }
}
