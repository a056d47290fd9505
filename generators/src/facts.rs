//! What an expansion knows of the world, and what it asks for.
//!
//! A request is plain, ordered data: the requests of an expansion are the key under which its
//! result may be cached, and what wakes the set when one of their answers changes.

use std::collections::BTreeMap;

use argosy_facts::Observed;
use serde_json::Value;

use crate::generator::pull_request::PullRequest;
use crate::generator::scm_provider::Repository;
use crate::offline::leave_out;
use crate::settings::Globbing;

/// A question about the world.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Request {
    /// The registered clusters that a generator takes. Answered by [`Answer::Clusters`], which
    /// [`select_clusters`](crate::select_clusters) makes.
    Clusters {
        /// The generator as JSON, without `flatList`, `values` and template.
        generator: String,
    },
    /// The addresses of all registered clusters. Answered by [`Answer::Servers`].
    Servers,
    /// Whether the project exists. Answered by [`Answer::Exists`].
    Project(String),
    /// The directories of a repository that `include` selects. Answered by [`Answer::Directories`],
    /// which [`select_directories`](crate::offline::select_directories) makes.
    GitDirectories {
        /// The repository.
        repo_url: String,
        /// The branch, tag or commit; empty means HEAD.
        revision: String,
        /// The project whose credentials count; empty when it is not known beforehand.
        project: String,
        /// The patterns of which one must match.
        include: Vec<String>,
        /// The patterns of which none may match; the answer has those directories, too, and they
        /// make no difference to it.
        exclude: Vec<String>,
    },
    /// The files of a repository that match a pattern. Answered by [`Answer::Files`].
    GitFiles {
        /// The repository.
        repo_url: String,
        /// The branch, tag or commit; empty means HEAD.
        revision: String,
        /// The project whose credentials count; empty when it is not known beforehand.
        project: String,
        /// The pattern.
        pattern: String,
        /// How the pattern is read.
        globbing: Globbing,
    },
    /// The repositories of an SCM provider, at least those that its filters select. Answered by
    /// [`Answer::Repositories`].
    ScmRepositories {
        /// The generator as JSON, without values and template.
        generator: String,
    },
    /// The pull requests of a repository, before filters. Answered by [`Answer::PullRequests`].
    PullRequests {
        /// The generator as JSON, without filters, values and template.
        generator: String,
    },
    /// The items that cluster decisions list. Answered by [`Answer::Decisions`].
    ClusterDecisions {
        /// The ConfigMap that describes the resource.
        config_map: String,
        /// The resource's name, or empty.
        name: String,
        /// The resources' labels as JSON.
        label_selector: String,
    },
    /// What a plugin answers. Answered by [`Answer::Plugin`].
    PluginParameters {
        /// The ConfigMap of the plugin.
        config_map: String,
        /// The input's parameters as JSON.
        parameters: String,
    },
}

/// A registered cluster, as its Secret describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cluster {
    /// Its name.
    pub name: String,
    /// The address of its API.
    pub server: String,
    /// The project it belongs to, or empty.
    pub project: String,
    /// The labels of its Secret.
    pub labels: BTreeMap<String, String>,
    /// The annotations of its Secret.
    pub annotations: BTreeMap<String, String>,
}

impl Answer {
    /// Whether whoever asked cannot tell this answer from another.
    pub fn is_same_for(&self, request: &Request, other: &Self) -> bool {
        match (request, self, other) {
            (
                Request::GitDirectories { exclude, .. },
                Self::Directories(these),
                Self::Directories(those),
            ) => leave_out(these, exclude) == leave_out(those, exclude),
            _ => self == other,
        }
    }
}

/// The clusters that a generator takes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SelectedClusters {
    /// Those that have a Secret, by name.
    pub registered: Vec<Cluster>,
    /// Whether the hub's own cluster is among them although it has none.
    pub local: bool,
}

/// The items of a cluster decision, and the key whose value names a cluster.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Decisions {
    /// How many resources there were; none is an error.
    pub resources: usize,
    /// The key of the items that holds the cluster's name.
    pub match_key: String,
    /// The items of all resources.
    pub items: Vec<BTreeMap<String, Value>>,
}

/// An answer; which kind belongs to which request is said there.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// The clusters that were asked for.
    Clusters(SelectedClusters),
    /// The addresses of all registered clusters by name.
    Servers(BTreeMap<String, String>),
    /// Whether it exists.
    Exists(bool),
    /// Paths relative to the root, which is not among them.
    Directories(Vec<String>),
    /// Contents by path.
    Files(BTreeMap<String, Vec<u8>>),
    /// Repositories with one branch each.
    Repositories(Vec<Repository>),
    /// Open (or otherwise asked for) pull requests.
    PullRequests(Vec<PullRequest>),
    /// Cluster decisions.
    Decisions(Decisions),
    /// Sets of parameters.
    Plugin(Vec<BTreeMap<String, Value>>),
}

/// What is known, by request.
#[derive(Clone, Debug, Default)]
pub struct Facts(BTreeMap<Request, Observed<Answer>>);

impl FromIterator<(Request, Observed<Answer>)> for Facts {
    fn from_iter<I: IntoIterator<Item = (Request, Observed<Answer>)>>(facts: I) -> Self {
        Self(facts.into_iter().collect())
    }
}

impl Facts {
    /// No facts.
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes the answer to a request.
    pub fn insert(&mut self, request: Request, answer: Observed<Answer>) {
        self.0.insert(request, answer);
    }

    /// All that is known.
    pub fn iter(&self) -> impl Iterator<Item = (&Request, &Observed<Answer>)> {
        self.0.iter()
    }

    /// The answer to a request, if there is one.
    pub fn get(&self, request: &Request) -> Option<&Observed<Answer>> {
        self.0.get(request)
    }
}
