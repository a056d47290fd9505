//! The SCM provider generator: the repositories of an organisation, after its filters.

use std::collections::BTreeMap;

use argosy_crds::application_set::generators::ScmProviderGenerator;
use argosy_gotemplate::Value;
use argosy_gotemplate::argocd::normalize;

use super::scm_filter::ScmFilters;
use super::values::TemplatedValues;
use crate::error::Stop;
use crate::expand::Expander;
use crate::facts::{Answer, Request};
use crate::params::Params;

/// A branch of a repository, as a provider lists it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Repository {
    /// The organisation, group, owner or project.
    pub organization: String,
    /// The repository's name.
    pub repository: String,
    /// The provider's id of the repository.
    pub repository_id: RepositoryId,
    /// The address to clone from.
    pub url: String,
    /// The branch.
    pub branch: String,
    /// The branch's commit.
    pub sha: String,
    /// Labels or topics.
    pub labels: Vec<String>,
    /// Of each path that [`ScmFilters::paths`] names for the branch, whether it exists there.
    pub paths: BTreeMap<String, bool>,
}

/// What a provider calls a repository in its own records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RepositoryId {
    /// GitHub, GitLab, Gitea and Bitbucket Server count.
    Number(i64),
    /// The others have unique texts.
    Text(String),
}

impl Default for RepositoryId {
    fn default() -> Self {
        Self::Text(String::new())
    }
}

pub(super) fn params(
    x: &mut Expander<'_>,
    spec: &ScmProviderGenerator,
) -> Result<Vec<Params>, Stop> {
    const CONTEXT: &str = "error listing repos";
    if !has_provider(spec) {
        return Err(Stop::failed("no SCM provider implementation configured"));
    }
    let filters = ScmFilters::new(&spec.filters).map_err(Stop::failed)?;
    let request = Request::ScmRepositories {
        generator: bare(spec)?,
    };
    let Answer::Repositories(found) = x.ask(request).map_err(|stop| stop.within(CONTEXT))? else {
        return Err(Stop::failed(format!(
            "{CONTEXT}: the answer is of another kind"
        )));
    };
    let values = TemplatedValues::compile(&spec.values, &x.engine);
    found
        .iter()
        .filter(|repository| filters.selects(repository))
        .map(|repository| {
            let mut params = repository_params(repository);
            values.append(&mut params)?;
            Ok(params)
        })
        .collect()
}

fn has_provider(spec: &ScmProviderGenerator) -> bool {
    spec.github.is_some()
        || spec.gitlab.is_some()
        || spec.gitea.is_some()
        || spec.bitbucket_server.is_some()
        || spec.azure_dev_ops.is_some()
        || spec.bitbucket.is_some()
        || spec.aws_code_commit.is_some()
}

/// What decides which repositories are looked at, and nothing else. The filters are part of it:
/// what they leave out need not be asked for.
fn bare(spec: &ScmProviderGenerator) -> Result<String, Stop> {
    let bare = ScmProviderGenerator {
        requeue_after_seconds: None,
        values: BTreeMap::new(),
        template: None,
        ..spec.clone()
    };
    serde_json::to_string(&bare)
        .map_err(|error| Stop::failed(format!("cannot read the generator: {error}")))
}

fn repository_params(repository: &Repository) -> Params {
    let short = |length: usize| repository.sha.chars().take(length).collect::<String>();
    let mut params = Params::default();
    params.set("organization", repository.organization.as_str());
    params.set("repository", repository.repository.as_str());
    // A whole number as Go's templates print one; one of JSON would be a float to them.
    params.set(
        "repository_id",
        match &repository.repository_id {
            RepositoryId::Number(number) => Value::Int(*number),
            RepositoryId::Text(text) => Value::str(text.as_str()),
        },
    );
    params.set("url", repository.url.as_str());
    params.set("branch", repository.branch.as_str());
    params.set("branchNormalized", normalize(&repository.branch));
    params.set("sha", repository.sha.as_str());
    params.set("short_sha", short(8));
    params.set("short_sha_7", short(7));
    params.set("labels", repository.labels.join(","));
    params
}
