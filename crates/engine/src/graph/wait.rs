//! Who waits, for whom, and what one change means for the others.

use std::fmt;

use petgraph::Direction;
use petgraph::graph::NodeIndex;

use super::{AppKey, Graph, Node, Readiness, Reference};

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
    Dangling(Reference),
}

/// Prints as the condition does: `NAME (health Degraded since …)`.
impl fmt::Display for Unmet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotReady { app, why } => write!(f, "{app} ({why})"),
            Self::Dangling(reference) => write!(f, "{reference} (no such application)"),
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

impl Graph {
    /// Whether an application waits for others.
    pub fn waits(&self, key: &AppKey) -> bool {
        self.index.get(key).is_some_and(|app| self.unmet[*app] > 0)
    }

    /// Everything that an application waits for directly.
    pub fn unmet(&self, key: &AppKey) -> Vec<Unmet> {
        let Some(app) = self.index.get(key) else {
            return Vec::new();
        };
        let mut reasons = Vec::new();
        self.gather(NodeIndex::new(*app), &mut reasons);
        let dangling = self.dangling.iter().filter(|(who, _)| who == key);
        reasons.extend(dangling.map(|(_, reference)| Unmet::Dangling(reference.clone())));
        reasons
    }

    fn gather(&self, node: NodeIndex, reasons: &mut Vec<Unmet>) {
        let mut before: Vec<_> = self
            .edges
            .neighbors_directed(node, Direction::Incoming)
            .collect();
        before.sort_unstable();
        for node in before {
            match &self.edges[node] {
                Node::App(app) => {
                    if let Readiness::NotReady(why) = &self.apps[*app].readiness {
                        let unmet = Unmet::NotReady {
                            app: self.apps[*app].key.clone(),
                            why: why.clone(),
                        };
                        if !reasons.contains(&unmet) {
                            reasons.push(unmet);
                        }
                    }
                }
                Node::Wave { .. } => self.gather(node, reasons),
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

    /// Notes that an application became ready, or ceased to be, and tells which others begin or
    /// stop to wait for it. The work is that of the neighbours, not of the fleet.
    pub fn set_readiness(&mut self, key: &AppKey, readiness: Readiness) -> Vec<AppKey> {
        let Some(&app) = self.index.get(key) else {
            return Vec::new();
        };
        let was = self.apps[app].readiness == Readiness::Ready;
        let is = readiness == Readiness::Ready;
        self.apps[app].readiness = readiness;
        let mut changed = Vec::new();
        if was != is {
            self.pass_on(NodeIndex::new(app), is, &mut changed);
        }
        changed
    }

    fn pass_on(&mut self, node: NodeIndex, ready: bool, changed: &mut Vec<AppKey>) {
        let mut queue = vec![node];
        while let Some(node) = queue.pop() {
            let mut after = self
                .edges
                .neighbors_directed(node, Direction::Outgoing)
                .detach();
            while let Some((_, next)) = after.next(&self.edges) {
                let unmet = &mut self.unmet[next.index()];
                let waited = *unmet > 0;
                *unmet = if ready {
                    unmet.saturating_sub(1)
                } else {
                    *unmet + 1
                };
                if waited == (*unmet > 0) {
                    continue;
                }
                match self.edges[next] {
                    Node::App(app) => changed.push(self.apps[app].key.clone()),
                    Node::Wave { .. } => queue.push(next),
                }
            }
        }
    }
}
