//! Which application waits for which: a graph over the whole fleet.
//!
//! Edges come from `argosy.dev/depends-on` and from the sync waves of applications that another
//! application manages. A cycle is an error of every application in it and of no other. The graph
//! knows names, readiness and revisions, and nothing of clusters; a change of one application costs
//! what its neighbours are, whatever the size of the fleet.

mod application;
mod change;
mod cycle;
mod family;
mod print;
mod reference;
mod wait;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use petgraph::stable_graph::{NodeIndex, StableDiGraph};

pub use application::readiness;
pub use reference::{Labels, Reference, references};
pub use wait::{Chain, Unmet, blocked_by};

use self::family::Wave;

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

/// Where revisions come from: applications with the same origin see the same commits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    /// The repository, as [`crate::repo_url::normalise`] writes it.
    pub repository: String,
    /// The chart, empty for git.
    pub chart: String,
    /// The branch, tag or range that is followed.
    pub target: String,
}

/// An application as the graph sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppNode {
    /// Identity.
    pub key: AppKey,
    /// Labels, for references by label.
    pub labels: Labels,
    /// What it depends on.
    pub depends_on: Vec<Reference>,
    /// The application that manages it, if any.
    pub parent: Option<AppKey>,
    /// Its wave among the children of its parent.
    pub wave: i64,
    /// Whether others may go ahead.
    pub readiness: Readiness,
    /// The revision of each source that the readiness is about.
    pub revisions: Vec<(Origin, String)>,
}

/// A node of the graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Node {
    /// An application.
    App(Box<AppNode>),
    /// What is referred to and does not exist; never ready.
    Missing(Reference),
    /// A point that is passed when the children of one application are ready, up to and including a
    /// wave.
    Wave {
        /// The managing application.
        parent: AppKey,
        /// The wave.
        wave: i64,
    },
}

/// Applications with certain labels, and who depends on them.
#[derive(Clone, Debug, Default)]
struct Selection {
    members: BTreeSet<NodeIndex>,
    dependents: BTreeSet<NodeIndex>,
}

/// Applications that follow one origin.
#[derive(Clone, Debug, Default)]
struct Followers {
    /// The newest revision that anyone has seen.
    head: Option<String>,
    members: BTreeSet<NodeIndex>,
}

/// The graph of a fleet. Edges run from what is waited for to what waits.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    edges: StableDiGraph<Node, ()>,
    index: BTreeMap<AppKey, NodeIndex>,
    missing: BTreeMap<Reference, NodeIndex>,
    selections: BTreeMap<Labels, Selection>,
    families: BTreeMap<AppKey, BTreeMap<i64, Wave>>,
    origins: BTreeMap<Origin, Followers>,
    /// How often an origin has moved on.
    moves: u64,
    /// How much is not ready before each node, by its index.
    unmet: Vec<usize>,
    /// Applications in cycles, each cycle once.
    cycles: Vec<Vec<AppKey>>,
    /// All nodes through which a cycle leads.
    knotted: BTreeSet<NodeIndex>,
}

impl Graph {
    /// Builds the graph of a fleet; of two applications with one identity the last counts.
    pub fn build(apps: impl IntoIterator<Item = AppNode>) -> Self {
        let mut graph = Self::default();
        let mut changed = Vec::new();
        for app in apps {
            graph.place(app, &mut changed);
            changed.clear();
        }
        graph.find_cycles(&mut changed);
        graph
    }

    /// All applications, by their keys.
    pub fn apps(&self) -> impl Iterator<Item = &AppNode> {
        self.index.values().filter_map(|at| self.app_at(*at))
    }

    /// One application.
    pub fn app(&self, key: &AppKey) -> Option<&AppNode> {
        self.app_at(*self.index.get(key)?)
    }

    /// How often the newest revision of an origin became another: new commits, new charts.
    pub fn moves(&self) -> u64 {
        self.moves
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
        Some(apps.map(|app| &app.key).collect())
    }

    fn app_at(&self, node: NodeIndex) -> Option<&AppNode> {
        match &self.edges[node] {
            Node::App(app) => Some(app),
            Node::Missing(_) | Node::Wave { .. } => None,
        }
    }
}
