//! The fleet's graph for people and machines.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{Graph, Node, Readiness};

impl Graph {
    /// One line for each application that depends on others.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for app in &self.apps {
            let unmet: Vec<_> = self
                .unmet(&app.key)
                .iter()
                .map(ToString::to_string)
                .collect();
            let state = match (&app.readiness, unmet.is_empty()) {
                (_, false) => format!("waits for {}", unmet.join(", ")),
                (Readiness::Ready, true) => "ready".to_owned(),
                (Readiness::NotReady(why), true) => why.clone(),
            };
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{}: {state}", app.key);
        }
        for cycle in &self.cycles {
            let names: Vec<_> = cycle.iter().map(ToString::to_string).collect();
            let _ = writeln!(text, "cycle: {}", names.join(" -> "));
        }
        text
    }

    /// `{"nodes": [...], "edges": [[from, to]], "cycles": [...]}`.
    pub fn to_json(&self) -> Value {
        let nodes: Vec<_> = self
            .edges
            .node_weights()
            .map(|node| match node {
                Node::App(app) => json!({
                    "app": self.apps[*app].key.to_string(),
                    "ready": self.apps[*app].readiness == Readiness::Ready,
                }),
                Node::Wave { parent, wave } => json!({"parent": parent.to_string(), "wave": wave}),
            })
            .collect();
        let edges: Vec<_> = self.links().map(|(from, to)| json!([from, to])).collect();
        let cycles: Vec<Vec<_>> = self
            .cycles
            .iter()
            .map(|cycle| cycle.iter().map(ToString::to_string).collect())
            .collect();
        json!({"nodes": nodes, "edges": edges, "cycles": cycles})
    }

    /// The graph for Graphviz.
    pub fn to_dot(&self) -> String {
        let mut text = "digraph fleet {\n  rankdir=LR;\n".to_owned();
        for (index, node) in self.edges.node_weights().enumerate() {
            let label = self.label(node).replace('"', "\\\"");
            let _ = writeln!(text, "  n{index} [label=\"{label}\"];");
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
        for (index, node) in self.edges.node_weights().enumerate() {
            let label = self.label(node).replace('"', "#quot;");
            let _ = writeln!(text, "  n{index}[\"{label}\"]");
        }
        for (from, to) in self.links() {
            let _ = writeln!(text, "  n{from} --> n{to}");
        }
        text
    }

    fn links(&self) -> impl Iterator<Item = (usize, usize)> {
        self.edges
            .raw_edges()
            .iter()
            .map(|edge| (edge.source().index(), edge.target().index()))
    }

    fn label(&self, node: &Node) -> String {
        match node {
            Node::App(app) => self.apps[*app].key.to_string(),
            Node::Wave { parent, wave } => format!("{parent} wave {wave}"),
        }
    }
}
