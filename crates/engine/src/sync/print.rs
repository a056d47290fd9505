//! A plan for people and machines: as a tree, as JSON, as Graphviz DOT and as a Mermaid flowchart.

use std::fmt::Write as _;

use petgraph::visit::EdgeRef;
use serde_json::{Map, Value, json};

use super::plan::{Need, Node, SyncPlan};
use super::task::{Action, Task};

impl SyncPlan {
    /// The plan as an indented list, one group after the other.
    pub fn to_tree(&self) -> String {
        let mut text = String::new();
        for group in self.groups() {
            line(&mut text, &format!("{} wave {}", group.phase, group.wave));
            for id in group.tasks() {
                line(&mut text, &format!("  {}", describe(self.task(id))));
            }
        }
        for note in self.notes() {
            line(&mut text, &format!("note: {note}"));
        }
        text
    }

    /// The plan with its dependencies: `groups` as in [`offline_groups`], `edges` between tasks
    /// and gates by their position in `nodes`, and `notes`.
    pub fn to_json(&self) -> Value {
        let nodes: Vec<_> = self
            .graph()
            .node_weights()
            .map(|node| match node {
                Node::Task(id) => json!({"task": task_json(self.task(*id))}),
                Node::Gate(name) => json!({"gate": name}),
            })
            .collect();
        let edges: Vec<_> = self
            .graph()
            .edge_references()
            .map(|edge| {
                json!({
                    "from": edge.source().index(),
                    "to": edge.target().index(),
                    "need": need(*edge.weight()),
                })
            })
            .collect();
        let mut whole = offline_groups(self);
        whole["nodes"] = Value::Array(nodes);
        whole["edges"] = Value::Array(edges);
        whole["notes"] = json!(self.notes());
        whole
    }

    /// The plan's graph for Graphviz.
    pub fn to_dot(&self) -> String {
        let mut text = "digraph sync {\n  rankdir=LR;\n".to_owned();
        for (index, node) in self.graph().node_weights().enumerate() {
            let (label, shape) = self.label(node);
            let label = label.replace('\\', "\\\\").replace('"', "\\\"");
            line(
                &mut text,
                &format!("  n{index} [label=\"{label}\", shape={shape}];"),
            );
        }
        for edge in self.graph().edge_references() {
            let style = match edge.weight() {
                Need::Tried => "",
                need => &format!(" [label=\"{}\"]", self::need(*need)),
            };
            line(
                &mut text,
                &format!(
                    "  n{} -> n{}{style};",
                    edge.source().index(),
                    edge.target().index()
                ),
            );
        }
        text.push_str("}\n");
        text
    }

    /// The plan's graph as a Mermaid flowchart.
    pub fn to_mermaid(&self) -> String {
        let mut text = "flowchart LR\n".to_owned();
        for (index, node) in self.graph().node_weights().enumerate() {
            let label = self.label(node).0.replace('"', "#quot;");
            let (open, close) = match node {
                Node::Task(_) => ('[', ']'),
                Node::Gate(_) => ('{', '}'),
            };
            line(&mut text, &format!("  n{index}{open}\"{label}\"{close}"));
        }
        for edge in self.graph().edge_references() {
            let arrow = match edge.weight() {
                Need::Tried => "-->".to_owned(),
                need => format!("-->|{}|", self::need(*need)),
            };
            line(
                &mut text,
                &format!(
                    "  n{} {arrow} n{}",
                    edge.source().index(),
                    edge.target().index()
                ),
            );
        }
        text
    }

    fn label(&self, node: &Node) -> (String, &'static str) {
        match node {
            Node::Task(id) => (self.task(*id).to_string(), "box"),
            Node::Gate(name) => (name.clone(), "diamond"),
        }
    }
}

/// The groups of a plan, `{"groups": [{"phase", "wave", "tasks": [{"action", "group", "kind",
/// "namespace", "name"}]}]}`. Deletions of old hooks belong to their hooks and are left out.
pub fn offline_groups(plan: &SyncPlan) -> Value {
    let groups: Vec<_> = plan
        .groups()
        .iter()
        .map(|group| {
            let tasks: Vec<_> = group
                .tasks()
                .map(|id| plan.task(id))
                .filter(|task| !matches!(task.action, Action::DeleteHook(_)))
                .map(task_json)
                .collect();
            json!({"phase": group.phase.as_str(), "wave": group.wave, "tasks": tasks})
        })
        .collect();
    json!({ "groups": groups })
}

fn describe(task: &Task) -> String {
    let mut text = task.to_string();
    match &task.action {
        Action::Prune {
            skip: Some(skip), ..
        } => text = format!("{text}: {}", skip.message()),
        Action::Prune { confirm: true, .. } => text.push_str(": once a person approves"),
        _ => {}
    }
    if task.deferred {
        text.push_str(" (waits until the cluster serves the kind)");
    }
    text
}

fn task_json(task: &Task) -> Value {
    let mut map = Map::new();
    let mut put = |name: &str, value: &str| {
        if !value.is_empty() {
            map.insert(name.to_owned(), Value::String(value.to_owned()));
        }
    };
    put("action", task.action.as_str());
    put("group", &task.key.group);
    put("kind", &task.key.kind);
    put("namespace", &task.key.namespace);
    put("name", &task.key.name);
    Value::Object(map)
}

fn need(need: Need) -> &'static str {
    match need {
        Need::Tried => "tried",
        Need::Applied => "applied",
        Need::Healthy => "healthy",
        Need::Gone => "gone",
    }
}

fn line(text: &mut String, content: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{content}");
}
