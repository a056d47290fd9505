//! Where the files of a source are at its revision: in a commit, or in a chart or artifact.

use std::collections::BTreeMap;
use std::sync::Arc;

use argosy_crds::{Application, ApplicationSource};
use argosy_engine::project::Rules;
use argosy_registry::{Digest, LargeFile};
use argosy_render::{Dependency, Fetched, Need, Tree};

use super::desired::Failure;
use crate::fleet::ObjectName;
use crate::hub::Hub;
use crate::source::{Chart, Constraint, Package, Repository, Sha, SourceError, Version, shown_url};

/// The files of a source at its revision.
pub(super) enum Origin {
    /// A commit, whose tree is read when it is asked for, with what its project may read.
    Commit {
        /// Where it is.
        repository: Box<Repository>,
        /// The project.
        project: String,
        /// The commit.
        sha: Sha,
    },
    /// A chart or an artifact.
    Chart(Chart),
    /// A folder that somebody looks at, which may change at any time.
    Folder(Arc<dyn Tree>),
}

impl Origin {
    /// What stands for the revision where there is none.
    const NO_COMMIT: &str = "0000000000000000000000000000000000000000";

    /// What `revision` of the source means.
    pub(super) async fn of(
        hub: &Hub,
        source: &ApplicationSource,
        project: &str,
        revision: &str,
    ) -> Result<Self, SourceError> {
        let repository = hub.repositories().find(&source.repo_url, project);
        if let Some(package) = Package::of(source, &repository) {
            hub.verify_package(project, &repository, revision)?;
            let chart =
                hub.charts
                    .fetch(&repository, &package, revision, passes_credentials(source));
            return Ok(Self::Chart(chart.await?));
        }
        let prefix = Some(source.tag_prefix.as_str()).filter(|prefix| !prefix.is_empty());
        let resolved = hub
            .sources
            .resolve_with_prefix(&repository, revision, prefix);
        let sha = resolved.await?.sha;
        hub.verify(project, &repository, &sha).await?;
        Ok(Self::Commit {
            repository: Box::new(repository),
            project: project.to_owned(),
            sha,
        })
    }

    /// The revision as the status shows it.
    pub(super) fn revision(&self) -> &str {
        match self {
            Self::Commit { sha, .. } => sha.as_str(),
            Self::Chart(chart) => &chart.revision,
            Self::Folder(_) => Self::NO_COMMIT,
        }
    }

    /// The files.
    pub(super) async fn tree(&self, hub: &Hub) -> Result<Arc<dyn Tree>, SourceError> {
        Ok(self.named_tree(hub).await?.0)
    }

    /// The files, and what names them: where that is the same, so are they. It is empty if nothing
    /// vouches for that.
    pub(super) async fn named_tree(
        &self,
        hub: &Hub,
    ) -> Result<(Arc<dyn Tree>, String), SourceError> {
        Ok(match self {
            Self::Commit {
                repository,
                project,
                sha,
            } => {
                let tree = hub.tree(project, repository, sha).await?;
                let content = tree.content();
                (Arc::new(tree), content)
            }
            Self::Chart(chart) => (Arc::clone(&chart.tree) as _, chart.digest.clone()),
            Self::Folder(tree) => (Arc::clone(tree), String::new()),
        })
    }
}

/// Fetches what a render needs from elsewhere, as far as the application's project permits it.
pub(super) async fn fetch(
    hub: &Hub,
    application: &Application,
    source: &ApplicationSource,
    needs: Vec<Need>,
    fetched: &mut Fetched,
) -> Result<(), Failure> {
    let mut large: BTreeMap<String, Vec<LargeFile>> = BTreeMap::new();
    for need in needs {
        let content = match &need {
            Need::LargeFile(file) => {
                let digest = Digest::parse(&file.oid);
                let file_of = large.entry(file.repository.clone()).or_default();
                file_of.extend(digest.map(|digest| LargeFile {
                    digest,
                    size: file.size,
                }));
                continue;
            }
            Need::GitAccess => {
                let project = application.spec.project_or_default();
                let repository = hub.repositories().find(&source.repo_url, project);
                fetched.grant(hub.sources.access(&repository).await?);
                continue;
            }
            Need::Chart(dependency) => chart(hub, application, source, dependency).await?,
            Need::File(url) => {
                let repository = hub.repositories().unregistered(url);
                hub.charts.file(&repository).await?
            }
        };
        fetched.insert(need, content);
    }
    let project = application.spec.project_or_default();
    for (url, files) in large {
        let repository = hub.repositories().find(&url, project);
        let fetching = hub.large_files.fetch(&hub.sources, &repository, files);
        Box::pin(fetching).await?;
    }
    Ok(())
}

async fn chart(
    hub: &Hub,
    application: &Application,
    source: &ApplicationSource,
    dependency: &Dependency,
) -> Result<Arc<[u8]>, Failure> {
    let Dependency {
        name,
        repository: address,
        version,
        locked,
    } = dependency;
    let project = application.spec.project_or_default();
    let found = hub.repositories().of_dependency(address, project);
    let repository = found.ok_or_else(|| {
        Failure::lasting(format!(
            "the chart `{name}` is a dependency from the repository {address}, and no repository of this name is \
             registered; add one with `argosy repo add --type helm --name`"
        ))
    })?;
    if !permits(hub, project, &repository.url) {
        let shown = shown_url(&repository.url);
        return Err(Failure::lasting(format!(
            "helm repos {shown} are not permitted in project '{project}'"
        )));
    }
    if let Some(locked) = locked
        && !satisfies(locked, version)
    {
        return Err(Failure::lasting(format!(
            "the lock file (Chart.lock) is out of sync with the dependencies file (Chart.yaml): {name} {locked} does \
             not satisfy '{version}'; run `helm dependency update` and commit Chart.lock"
        )));
    }
    let package = Package::chart(&repository.url, name, &repository);
    let wanted = locked.as_ref().unwrap_or(version);
    let archive = hub
        .charts
        .archive(&repository, &package, wanted, passes_credentials(source));
    Ok(archive.await?)
}

/// Whether the host of a repository's credentials is not the only one that gets them.
fn passes_credentials(source: &ApplicationSource) -> bool {
    source
        .helm
        .as_ref()
        .is_some_and(|helm| helm.pass_credentials)
}

/// Whether a project permits its applications a repository.
pub(in crate::controller) fn permits(hub: &Hub, project: &str, url: &str) -> bool {
    let name = ObjectName::new(&hub.config.namespace, project);
    let index = hub.fleet.index();
    let source = ApplicationSource {
        repo_url: url.to_owned(),
        ..ApplicationSource::default()
    };
    let project = index.projects.read(&name);
    project.is_some_and(|project| Rules::of(project).permits_source(&source))
}

/// Whether a fixed version is among those that will do. What is no constraint is a version's text.
fn satisfies(version: &str, wanted: &str) -> bool {
    match (Version::parse(version), Constraint::parse(wanted)) {
        (Some(version), Some(constraint)) => constraint.is_satisfied_by(&version),
        _ => version == wanted,
    }
}
