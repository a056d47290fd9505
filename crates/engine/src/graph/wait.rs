//! Who waits, and for whom.

use std::fmt;

use petgraph::Direction;
use petgraph::stable_graph::NodeIndex;

use super::{AppKey, AppNode, Graph, Node, Readiness, Reference};

/// How many reasons a condition names.
const NAMED: usize = 3;

/// How many characters of a revision tell it from others.
const SHORT: usize = 7;

/// One reason for which an application waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unmet {
    /// An application is not ready.
    NotReady {
        /// Which one.
        app: AppKey,
        /// In what state it is.
        why: String,
    },
    /// Nothing is meant by a reference.
    Missing(Reference),
}

/// Prints as the condition does: `NAME (health Degraded since …)`.
impl fmt::Display for Unmet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotReady { app, why } => write!(f, "{app} ({why})"),
            Self::Missing(Reference::Malformed(text)) => write!(
                f,
                "'{text}' (neither a name, nor namespace/name, nor label=value joined by &)"
            ),
            Self::Missing(reference) => write!(f, "{reference} (no such application)"),
        }
    }
}

/// What an application waits for, and what that waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// The reason.
    pub unmet: Unmet,
    /// The reasons behind it; empty where it has none, or where they were told already.
    pub because: Vec<Self>,
}

/// The message of a condition about these reasons; empty without any.
pub fn blocked_by(reasons: &[Unmet]) -> String {
    if reasons.is_empty() {
        return String::new();
    }
    let named: Vec<_> = reasons.iter().take(NAMED).map(Unmet::to_string).collect();
    let mut text = format!("BlockedBy: {}", named.join(", "));
    if reasons.len() > NAMED {
        text = format!("{text} and {} more", reasons.len() - NAMED);
    }
    text
}

impl Graph {
    /// Whether an application waits for others.
    pub fn waits(&self, key: &AppKey) -> bool {
        self.index
            .get(key)
            .is_some_and(|node| self.unmet[node.index()] > 0)
    }

    /// Everything that an application waits for directly.
    pub fn unmet(&self, key: &AppKey) -> Vec<Unmet> {
        let mut reasons = Vec::new();
        if let Some(node) = self.index.get(key) {
            self.gather(*node, &mut reasons);
        }
        reasons
    }

    fn gather(&self, node: NodeIndex, reasons: &mut Vec<Unmet>) {
        if self.unmet[node.index()] == 0 {
            return;
        }
        let mut before: Vec<_> = self
            .edges
            .neighbors_directed(node, Direction::Incoming)
            .collect();
        before.sort_unstable();
        for node in before {
            let unmet = match &self.edges[node] {
                Node::Wave { .. } => {
                    self.gather(node, reasons);
                    continue;
                }
                Node::Missing(reference) => Unmet::Missing(reference.clone()),
                Node::App(app) => match self.why_not(node) {
                    None => continue,
                    Some(why) => Unmet::NotReady {
                        app: app.key.clone(),
                        why,
                    },
                },
            };
            if !reasons.contains(&unmet) {
                reasons.push(unmet);
            }
        }
    }

    /// The whole chain of reasons for which an application waits.
    pub fn why(&self, key: &AppKey) -> Vec<Chain> {
        self.chain(key, &mut vec![key.clone()])
    }

    fn chain(&self, key: &AppKey, told: &mut Vec<AppKey>) -> Vec<Chain> {
        self.unmet(key)
            .into_iter()
            .map(|unmet| {
                let because = match &unmet {
                    Unmet::NotReady { app, .. } if !told.contains(app) => {
                        told.push(app.clone());
                        self.chain(app, told)
                    }
                    _ => Vec::new(),
                };
                Chain { unmet, because }
            })
            .collect()
    }

    /// The applications that wait, or would wait, for one: by name, by label or by wave.
    pub fn dependents_of(&self, key: &AppKey) -> Vec<AppKey> {
        let node = self.index.get(key);
        node.map(|node| self.dependents(*node)).unwrap_or_default()
    }

    pub(super) fn dependents(&self, node: NodeIndex) -> Vec<AppKey> {
        let mut found = Vec::new();
        let mut queue = vec![node];
        while let Some(node) = queue.pop() {
            for next in self.edges.neighbors_directed(node, Direction::Outgoing) {
                match &self.edges[next] {
                    Node::App(app) => found.push(app.key.clone()),
                    Node::Wave { .. } => queue.push(next),
                    Node::Missing(_) => {}
                }
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    pub(super) fn is_ready(&self, node: NodeIndex) -> bool {
        match &self.edges[node] {
            Node::App(app) => app.readiness == Readiness::Ready && self.lag(app).is_none(),
            Node::Missing(_) => false,
            Node::Wave { .. } => self.unmet[node.index()] == 0,
        }
    }

    /// Why an application is not ready.
    pub(super) fn why_not(&self, node: NodeIndex) -> Option<String> {
        let app = self.app_at(node)?;
        match &app.readiness {
            Readiness::NotReady(why) => Some(why.clone()),
            Readiness::Ready => {
                let head = self.lag(app)?;
                let short: String = head.chars().take(SHORT).collect();
                Some(format!("not compared with revision {short} yet"))
            }
        }
    }

    /// The revision that an application has not come to yet.
    fn lag(&self, app: &AppNode) -> Option<&str> {
        app.revisions.iter().find_map(|(origin, revision)| {
            let head = self.origins.get(origin)?.head.as_deref()?;
            (head != revision).then_some(head)
        })
    }
}
