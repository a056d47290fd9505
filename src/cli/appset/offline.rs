//! Files that stand for a hub: projects, clusters and repositories, as the user names them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use argosy_crds::names::{DEFAULT_PROJECT, IN_CLUSTER_NAME, IN_CLUSTER_SERVER};
use argosy_crds::{Application, ApplicationSet};
use argosy_generators::offline::{GitTree, clusters};
use argosy_generators::{Cluster, Globbing, Settings, Substitute};
use serde_json::Value;

use super::work_tree::WorkTree;
use crate::cli::output;
use crate::diagnostic::Diagnostic;

/// Files that stand for a hub.
#[derive(clap::Args, Clone, Debug)]
pub(super) struct OfflineArgs {
    /// Ask no hub: use the given files only.
    #[arg(long)]
    pub(super) offline: bool,
    /// The manifests of the AppProjects that exist; without, every project does.
    #[arg(long, value_name = "FILE", requires = "offline")]
    projects: Option<PathBuf>,
    /// The manifests of all cluster Secrets; a hub's own count no more.
    #[arg(long, value_name = "FILE")]
    cluster_secrets: Option<PathBuf>,
    /// A repository and the work tree that stands for it; may be repeated.
    #[arg(long, value_name = "URL=DIR", value_parser = parse_repository, requires = "offline")]
    repo: Vec<(String, PathBuf)>,
    /// Read the patterns of git files as doublestar and not as git's pathspecs.
    #[arg(long, requires = "offline")]
    new_git_file_globbing: bool,
}

fn parse_repository(text: &str) -> Result<(String, PathBuf), String> {
    let (url, folder) = text
        .rsplit_once('=')
        .ok_or("expected the repository's URL, `=` and a folder")?;
    Ok((url.to_owned(), folder.into()))
}

impl OfflineArgs {
    /// The projects that exist: those in the file, or without one those that the set and its
    /// Applications name.
    pub(super) fn projects(
        &self,
        set: &ApplicationSet,
        generated: &[Application],
    ) -> Result<BTreeSet<String>, Diagnostic> {
        let Some(path) = &self.projects else {
            let named = generated.iter().map(|app| &app.spec.project);
            let named = named.chain([&set.spec.template.spec.project]).cloned();
            return Ok(named.chain([DEFAULT_PROJECT.to_owned()]).collect());
        };
        let name = |project: &Value| Some(project.pointer("/metadata/name")?.as_str()?.to_owned());
        Ok(output::read_objects(path)?
            .iter()
            .filter_map(name)
            .collect())
    }

    /// The registered clusters.
    pub(super) fn clusters(&self, namespace: &str) -> Result<Vec<Cluster>, Diagnostic> {
        clusters_of(self.cluster_secrets.as_deref(), namespace)
    }

    /// The registered clusters that are to count in the place of a hub's.
    pub(super) fn supposed_clusters(
        &self,
        namespace: &str,
    ) -> Result<Option<Vec<Cluster>>, Diagnostic> {
        let path = self.cluster_secrets.as_deref();
        path.map(|path| clusters_of(Some(path), namespace))
            .transpose()
    }

    /// Whether the user says which clusters there are.
    pub(super) fn knows_clusters(&self) -> bool {
        self.cluster_secrets.is_some()
    }

    /// The clusters to which destinations may lead: those in the file, or without one those that
    /// the Applications name.
    pub(super) fn destinations<'a>(
        &self,
        namespace: &str,
        applications: impl Iterator<Item = &'a Application>,
    ) -> Result<Vec<Cluster>, Diagnostic> {
        if self.knows_clusters() {
            return self.clusters(namespace);
        }
        let named: BTreeSet<_> = applications
            .map(|app| &app.spec.destination)
            .map(|to| (to.name.clone(), to.server.clone()))
            .filter(|(name, server)| name != IN_CLUSTER_NAME && server != IN_CLUSTER_SERVER)
            .collect();
        let cluster = |(name, server)| Cluster {
            name,
            server,
            ..Cluster::default()
        };
        Ok(named.into_iter().map(cluster).collect())
    }

    /// Finds the work trees that stand for repositories.
    pub(super) fn trees(&self) -> impl Fn(&str, &str) -> Result<Box<dyn GitTree>, String> + use<> {
        let repositories: BTreeMap<_, _> = self.repo.iter().cloned().collect();
        move |url, revision| {
            let folder = repositories.get(url).ok_or_else(|| {
                format!("repository {url} is not given; name its work tree with --repo {url}=DIR")
            })?;
            Ok(Box::new(WorkTree::open(folder, revision)?))
        }
    }

    /// The same, with the commit that its revision means in the repository's work tree.
    pub(super) fn pinned(&self, substitute: Substitute) -> Result<Substitute, Diagnostic> {
        let given = self.repo.iter();
        let Some((_, folder)) = given.rev().find(|(url, _)| *url == substitute.repository) else {
            // The expansion tells that it is not given.
            return Ok(substitute);
        };
        let revision = WorkTree::commit(folder, &substitute.revision)
            .map_err(|problem| Diagnostic::user("RevisionUnknown", problem))?;
        Ok(Substitute {
            revision,
            ..substitute
        })
    }

    /// How sets are expanded.
    pub(super) fn settings(&self) -> Settings {
        let now = jiff::Timestamp::now();
        Settings {
            globbing: if self.new_git_file_globbing {
                Globbing::Doublestar
            } else {
                Globbing::Pathspec
            },
            now,
            ..Settings::default()
        }
    }
}

/// The clusters that a file of Secrets describes; none without a file.
pub(super) fn clusters_of(
    path: Option<&Path>,
    namespace: &str,
) -> Result<Vec<Cluster>, Diagnostic> {
    match path {
        Some(path) => {
            let mut secrets = output::read_objects(path)?;
            for secret in &mut secrets {
                // As kubectl applies a manifest that names no namespace.
                if let Some(Value::Object(metadata)) = secret.get_mut("metadata") {
                    metadata
                        .entry("namespace")
                        .or_insert_with(|| namespace.into());
                }
            }
            Ok(clusters(&secrets, namespace))
        }
        None => Ok(Vec::new()),
    }
}
