//! Which application waits for which: a graph over the whole fleet.
//!
//! Edges come from `argosy.dev/depends-on` and from the sync waves of applications that another
//! application manages. A cycle is an error of every application in it and of no other. The graph
//! knows names and readiness, and nothing of clusters.

mod build;
mod print;
mod reference;
mod wait;

use std::collections::BTreeMap;
use std::fmt;

use petgraph::graph::{DiGraph, NodeIndex};

pub use reference::{Reference, ReferenceError, references};
pub use wait::{Chain, Unmet};

/// Identity of an application.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AppKey {
    /// Namespace in the hub.
    pub namespace: String,
    /// Name.
    pub name: String,
}

impl AppKey {
    /// Names an application.
    pub fn new(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            namespace: namespace.into(),
            name: name.into(),
        }
    }
}

impl fmt::Display for AppKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// Whether others may go ahead for an application's part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// It is synced and healthy.
    Ready,
    /// It is not, and why, for a person: `health Degraded since …`.
    NotReady(String),
}

/// An application as the graph sees it.
#[derive(Clone, Debug)]
pub struct AppNode {
    /// Identity.
    pub key: AppKey,
    /// Labels, for references by label.
    pub labels: BTreeMap<String, String>,
    /// What it depends on.
    pub depends_on: Vec<Reference>,
    /// The application that manages it, if any.
    pub parent: Option<AppKey>,
    /// Its wave among the children of its parent.
    pub wave: i64,
    /// Whether others may go ahead.
    pub readiness: Readiness,
}

/// A node of the graph: an application, or a point that is passed when a wave is ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Node {
    /// An application, by its position.
    App(usize),
    /// The children of one application up to and including a wave.
    Wave {
        /// The managing application.
        parent: AppKey,
        /// The wave.
        wave: i64,
    },
}

/// The graph of a fleet. Edges run from what is waited for to what waits.
#[derive(Clone, Debug)]
pub struct Graph {
    apps: Vec<AppNode>,
    index: BTreeMap<AppKey, usize>,
    edges: DiGraph<Node, ()>,
    /// How much is not ready before each node.
    unmet: Vec<usize>,
    /// References that mean nothing, by application.
    dangling: Vec<(AppKey, Reference)>,
    /// Applications in cycles, each cycle once.
    cycles: Vec<Vec<AppKey>>,
}

impl Graph {
    /// All applications, in the order in which they were given.
    pub fn apps(&self) -> &[AppNode] {
        &self.apps
    }

    /// References to applications that do not exist; whoever has them waits.
    pub fn dangling(&self) -> &[(AppKey, Reference)] {
        &self.dangling
    }

    /// The cycles, each with the applications in it in order, the first again at the end.
    pub fn cycles(&self) -> &[Vec<AppKey>] {
        &self.cycles
    }

    /// The cycle that an application is in, if it is in one.
    pub fn cycle_of(&self, key: &AppKey) -> Option<&[AppKey]> {
        self.cycles
            .iter()
            .find(|cycle| cycle.contains(key))
            .map(Vec::as_slice)
    }

    /// Applications such that each comes after what it waits for; `None` if there is a cycle.
    /// Deletion goes the other way round.
    pub fn order(&self) -> Option<Vec<&AppKey>> {
        let sorted = petgraph::algo::toposort(&self.edges, None).ok()?;
        let apps = sorted.into_iter().filter_map(|node| self.app_at(node));
        Some(apps.map(|app| &self.apps[app].key).collect())
    }

    fn app_at(&self, node: NodeIndex) -> Option<usize> {
        match self.edges[node] {
            Node::App(app) => Some(app),
            Node::Wave { .. } => None,
        }
    }
}
