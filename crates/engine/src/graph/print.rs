//! The fleet's graph for people and machines.

use std::fmt::Write as _;

use petgraph::stable_graph::NodeIndex;
use serde_json::{Value, json};

use super::{Graph, Node};

impl Graph {
    /// One line for each application that depends on others.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for (key, node) in &self.index {
            if self.app_at(*node).is_none() {
                continue;
            }
            let unmet: Vec<_> = self.unmet(key).iter().map(ToString::to_string).collect();
            let state = match (self.why_not(*node), unmet.is_empty()) {
                (_, false) => format!("waits for {}", unmet.join(", ")),
                (None, true) => "ready".to_owned(),
                (Some(why), true) => why,
            };
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{key}: {state}");
        }
        for cycle in &self.cycles {
            let names: Vec<_> = cycle.iter().map(ToString::to_string).collect();
            let _ = writeln!(text, "cycle: {}", names.join(" -> "));
        }
        text
    }

    /// `{"nodes": [...], "edges": [[from, to]], "cycles": [...]}`; edges name nodes by `id`.
    pub fn to_json(&self) -> Value {
        let nodes: Vec<_> = self.shown().map(|node| self.node_json(node)).collect();
        let edges: Vec<_> = self.links().map(|(from, to)| json!([from, to])).collect();
        let cycles: Vec<Vec<_>> = self
            .cycles
            .iter()
            .map(|cycle| cycle.iter().map(ToString::to_string).collect())
            .collect();
        json!({"nodes": nodes, "edges": edges, "cycles": cycles})
    }

    fn node_json(&self, node: NodeIndex) -> Value {
        let id = node.index();
        match &self.edges[node] {
            Node::App(app) => json!({
                "id": id,
                "app": app.key.to_string(),
                "ready": self.is_ready(node),
                "why": self.why_not(node),
                "waits": self.unmet[id] > 0,
            }),
            Node::Missing(reference) => json!({"id": id, "missing": reference.to_string()}),
            Node::Wave { parent, wave } => {
                json!({"id": id, "parent": parent.to_string(), "wave": wave})
            }
        }
    }

    /// The graph for Graphviz.
    pub fn to_dot(&self) -> String {
        let mut text = "digraph fleet {\n  rankdir=LR;\n".to_owned();
        for node in self.shown() {
            let label = self.label(node).replace('"', "\\\"");
            let _ = writeln!(text, "  n{} [label=\"{label}\"];", node.index());
        }
        for (from, to) in self.links() {
            let _ = writeln!(text, "  n{from} -> n{to};");
        }
        text.push_str("}\n");
        text
    }

    /// The graph as a Mermaid flowchart.
    pub fn to_mermaid(&self) -> String {
        let mut text = "flowchart LR\n".to_owned();
        for node in self.shown() {
            let label = self.label(node).replace('"', "#quot;");
            let _ = writeln!(text, "  n{}[\"{label}\"]", node.index());
        }
        for (from, to) in self.links() {
            let _ = writeln!(text, "  n{from} --> n{to}");
        }
        text
    }

    /// All nodes but the gates behind which nothing comes.
    fn shown(&self) -> impl Iterator<Item = NodeIndex> {
        self.edges
            .node_indices()
            .filter(|node| self.is_shown(*node))
    }

    fn is_shown(&self, node: NodeIndex) -> bool {
        let is_gate = matches!(self.edges[node], Node::Wave { .. });
        !is_gate || self.edges.neighbors(node).next().is_some()
    }

    fn links(&self) -> impl Iterator<Item = (usize, usize)> {
        let edges = self.edges.edge_indices();
        let ends = edges.filter_map(|edge| self.edges.edge_endpoints(edge));
        ends.filter(|(_, to)| self.is_shown(*to))
            .map(|(from, to)| (from.index(), to.index()))
    }

    fn label(&self, node: NodeIndex) -> String {
        match &self.edges[node] {
            Node::App(app) => match self.why_not(node) {
                None => app.key.to_string(),
                Some(why) => format!("{} ({why})", app.key),
            },
            Node::Missing(reference) => format!("{reference} (no such application)"),
            Node::Wave { parent, wave } => format!("{parent} wave {wave}"),
        }
    }
}
