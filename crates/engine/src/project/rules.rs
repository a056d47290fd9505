//! The permissions of one project for one destination.

use argosy_crds::app_project::{ClusterResourceRestrictionItem, GroupKind};
use argosy_crds::application::{ApplicationDestination, ApplicationSource};
use argosy_crds::{AppProject, Application};
use argosy_glob::{gobwas, list, path_match};
use thiserror::Error;

use crate::application::{
    DestinationError, KnownCluster, KnownClusters, SourceError, resolve, validate_sources,
};
use crate::object::{GroupKind as Kind, ResourceKey};
use crate::repo_url;

/// Why an application may not be what it says.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// A source is incomplete.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A repository is not permitted.
    #[error("application repo {repo} is not permitted in project '{project}'")]
    Repository {
        /// The repository.
        repo: String,
        /// The project.
        project: String,
    },
    /// The destination means no cluster.
    #[error(transparent)]
    Destination(#[from] DestinationError),
    /// The destination is not permitted.
    #[error(
        "application destination server '{server}' and namespace '{namespace}' do not match any of the allowed destinations in project '{project}'"
    )]
    NotADestination {
        /// The server, or the name if the destination is given by name.
        server: String,
        /// The namespace.
        namespace: String,
        /// The project.
        project: String,
    },
}

/// What a project says about applications and resources.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    pub(super) project: &'a AppProject,
}

impl<'a> Rules<'a> {
    /// The rules of a project.
    pub fn of(project: &'a AppProject) -> Self {
        Self { project }
    }

    /// The name of the project.
    pub fn name(self) -> &'a str {
        self.project.metadata.name.as_deref().unwrap_or_default()
    }

    /// Whether applications of a namespace may use the project; those of the hub's own always may.
    pub fn permits_application_in(self, namespace: &str, hub_namespace: &str) -> bool {
        namespace.is_empty()
            || namespace == hub_namespace
            || list::matches(
                &self.project.spec.source_namespaces,
                namespace,
                list::Syntax::Regexp,
            )
    }

    /// All that is wrong with an application's sources and destination.
    pub fn refusals(self, application: &Application, clusters: &KnownClusters) -> Vec<Refusal> {
        let spec = &application.spec;
        if let Err(error) = validate_sources(spec) {
            return vec![error.into()];
        }
        let sources = match &spec.source_hydrator {
            Some(hydrator) => vec![hydrator.dry_source()],
            None => spec.sources().into_owned(),
        };
        let mut refusals: Vec<_> = sources
            .iter()
            .filter(|source| !self.permits_source(source))
            .map(|source| Refusal::Repository {
                repo: source.repo_url.clone(),
                project: self.name().to_owned(),
            })
            .collect();
        refusals.extend(self.destination_refusal(&spec.destination, clusters));
        refusals
    }

    fn destination_refusal(
        self,
        destination: &ApplicationDestination,
        clusters: &KnownClusters,
    ) -> Option<Refusal> {
        let cluster = match resolve(destination, clusters) {
            Ok(cluster) => cluster,
            Err(error) => return Some(error.into()),
        };
        if self.permits_destination(cluster, &destination.namespace) {
            return None;
        }
        let by_name = !destination.name.is_empty();
        Some(Refusal::NotADestination {
            server: if by_name {
                cluster.name.clone()
            } else {
                cluster.server.clone()
            },
            namespace: destination.namespace.clone(),
            project: self.name().to_owned(),
        })
    }

    /// Whether manifests may come from a source. A rule that denies and does not match counts as
    /// one that permits.
    pub fn permits_source(self, source: &ApplicationSource) -> bool {
        let url = repo_url::normalise(&source.repo_url);
        let mut permitted = false;
        for rule in &self.project.spec.source_repos {
            if let Some(denied) = rule.strip_prefix('!') {
                if gobwas::matches(&repo_url::normalise(denied), &url, &['/']) {
                    return false;
                }
                permitted = true;
            } else {
                let pattern = repo_url::normalise(rule);
                permitted |= pattern == "*" || gobwas::matches(&pattern, &url, &['/']);
            }
        }
        permitted
    }

    /// Whether resources may go to a namespace of a cluster.
    pub fn permits_destination(self, cluster: &KnownCluster, namespace: &str) -> bool {
        let scoped = !self.project.spec.permit_only_project_scoped_clusters
            || cluster.project.as_deref() == Some(self.name());
        scoped && self.matches_destination(cluster, namespace)
    }

    fn matches_destination(self, cluster: &KnownCluster, namespace: &str) -> bool {
        let mut permitted = false;
        for rule in &self.project.spec.destinations {
            let name = Clause::of(&rule.name, &cluster.name);
            let server = Clause::of(&rule.server, &cluster.server);
            let space = Clause::of(&rule.namespace, namespace);
            let named = !cluster.name.is_empty() && name.holds();
            let served = !cluster.server.is_empty() && server.holds();
            if (named || served) && space.holds() {
                permitted = true;
            } else if (name.negated && !named)
                || (server.negated && !served && space.holds())
                || (space.negated && !space.holds() && served)
            {
                return false;
            }
        }
        permitted
    }

    /// Whether resources of a kind may be written, wherever they are.
    pub fn permits_kind(self, kind: &Kind, name: &str, namespaced: bool) -> bool {
        let spec = &self.project.spec;
        if namespaced {
            let listed = |items: &[GroupKind]| {
                items
                    .iter()
                    .any(|item| is_kind(&item.group, &item.kind, kind))
            };
            return spec
                .namespace_resource_whitelist
                .as_deref()
                .is_none_or(listed)
                && !listed(&spec.namespace_resource_blacklist);
        }
        let listed = |items: &[ClusterResourceRestrictionItem]| {
            items.iter().any(|item| {
                is_kind(&item.group, &item.kind, kind)
                    && (item.name.is_empty() || path_matches(&item.name, name))
            })
        };
        listed(&spec.cluster_resource_whitelist) && !listed(&spec.cluster_resource_blacklist)
    }

    /// Whether a resource may be in a cluster; one without a namespace is cluster-scoped.
    pub fn permits_resource(self, key: &ResourceKey, cluster: &KnownCluster) -> bool {
        let namespaced = !key.namespace.is_empty();
        self.permits_kind(&key.group_kind(), &key.name, namespaced)
            && (!namespaced || self.permits_destination(cluster, &key.namespace))
    }
}

fn is_kind(group: &str, kind: &str, actual: &Kind) -> bool {
    path_matches(kind, &actual.kind) && path_matches(group, &actual.group)
}

fn path_matches(pattern: &str, text: &str) -> bool {
    path_match::matches(pattern, text) == Ok(true)
}

/// One field of a destination rule against what it is about.
struct Clause {
    negated: bool,
    matches: bool,
}

impl Clause {
    fn of(rule: &str, text: &str) -> Self {
        let (negated, pattern) = match rule.strip_prefix('!') {
            Some(pattern) => (true, pattern),
            None => (false, rule),
        };
        Self {
            negated,
            matches: (!negated && pattern == "*") || gobwas::matches(pattern, text, &[]),
        }
    }

    /// Whether the field admits what it is about.
    fn holds(&self) -> bool {
        self.matches != self.negated
    }
}
