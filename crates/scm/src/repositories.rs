//! From a provider's repositories to the branches that a generator may select.

use std::collections::BTreeMap;

use argosy_generators::{Repository, RepositoryId, ScmFilters};
use futures::stream::{self, StreamExt as _, TryStreamExt as _};

use crate::error::{Result, spec};

/// How many requests of one listing are under way at once; more trips GitHub's secondary limit.
const AT_ONCE: usize = 4;

/// A repository as a provider lists it.
#[derive(Clone, Debug)]
pub(crate) struct Listed {
    /// The organisation as a parameter.
    pub(crate) organization: String,
    /// The name as a parameter.
    pub(crate) name: String,
    /// What the API calls it in paths.
    pub(crate) slug: String,
    pub(crate) id: RepositoryId,
    /// The address to clone from.
    pub(crate) url: String,
    pub(crate) default_branch: String,
    pub(crate) labels: Vec<String>,
}

/// A branch and its commit.
#[derive(Clone, Debug)]
pub(crate) struct Branch {
    pub(crate) name: String,
    pub(crate) sha: String,
}

/// What a generator needs of a provider.
pub(crate) trait Provider: Sync {
    /// All repositories.
    fn repositories(&self) -> impl Future<Output = Result<Vec<Listed>>> + Send;

    /// The default branch, or all of them where the generator wants so. A repository without any
    /// commit has none.
    fn branches(&self, of: &Listed) -> impl Future<Output = Result<Vec<Branch>>> + Send;

    /// Whether a file or directory exists on a branch.
    fn has_path(
        &self,
        of: &Listed,
        on: &Branch,
        path: &str,
    ) -> impl Future<Output = Result<bool>> + Send;
}

/// The branches of all repositories that the filters leave in question, each with what the
/// filters ask of its paths. One failure fails it all.
pub(crate) async fn list<P: Provider>(
    provider: &P,
    filters: &ScmFilters,
) -> Result<Vec<Repository>> {
    let listed = provider.repositories().await?;
    let taken: Vec<_> = listed
        .into_iter()
        .filter(|one| filters.takes(&one.name, &one.labels))
        .collect();
    let branches: Vec<_> = taken.iter().map(|one| provider.branches(one)).collect();
    let branches: Vec<_> = stream::iter(branches)
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    let pairs = taken.iter().zip(&branches);
    let all: Vec<_> = pairs
        .flat_map(|(one, branches)| branches.iter().map(move |branch| (one, branch)))
        .map(|(one, branch)| with_paths(provider, filters, one, branch))
        .collect();
    stream::iter(all).buffered(AT_ONCE).try_collect().await
}

async fn with_paths<P: Provider>(
    provider: &P,
    filters: &ScmFilters,
    of: &Listed,
    on: &Branch,
) -> Result<Repository> {
    let mut paths = BTreeMap::new();
    for path in filters.paths(&of.name, &of.labels, &on.name) {
        let exists = provider.has_path(of, on, path.trim_matches('/')).await?;
        paths.insert(path, exists);
    }
    Ok(Repository {
        organization: of.organization.clone(),
        repository: of.name.clone(),
        repository_id: of.id.clone(),
        url: of.url.clone(),
        branch: on.name.clone(),
        sha: on.sha.clone(),
        labels: of.labels.clone(),
        paths,
    })
}

/// How applications are to clone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Ssh,
    Https,
}

impl Protocol {
    /// Reads `cloneProtocol`; ssh if it says nothing.
    pub(crate) fn read(text: &str, provider: &str) -> Result<Self> {
        match text {
            "" | "ssh" => Ok(Self::Ssh),
            "https" => Ok(Self::Https),
            other => Err(spec(
                "cloneProtocol",
                format!("unknown clone protocol for {provider} {other}"),
            )),
        }
    }

    pub(crate) fn choose(self, ssh: String, https: String) -> String {
        match self {
            Self::Ssh => ssh,
            Self::Https => https,
        }
    }
}
