//! The SCM provider generator: the repositories of an organisation, after its filters.

use std::collections::{BTreeMap, BTreeSet};

use argosy_crds::application_set::generators::{ScmProviderFilter, ScmProviderGenerator};
use regex::Regex;
use serde_json::Value as Json;

use super::values::TemplatedValues;
use crate::error::Stop;
use crate::expand::Expander;
use crate::facts::{Answer, Request};
use crate::names::normalise;
use crate::params::Params;

/// A branch of a repository, as a provider lists it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Repository {
    /// The organisation, group, owner or project.
    pub organization: String,
    /// The repository's name.
    pub repository: String,
    /// The provider's id of the repository, a number or a text.
    pub repository_id: Json,
    /// The address to clone from.
    pub url: String,
    /// The branch.
    pub branch: String,
    /// The branch's commit.
    pub sha: String,
    /// Labels or topics.
    pub labels: Vec<String>,
    /// Of each path that was asked for, whether it exists on the branch.
    pub paths: BTreeMap<String, bool>,
}

pub(super) fn params(
    x: &mut Expander<'_>,
    spec: &ScmProviderGenerator,
) -> Result<Vec<Params>, Stop> {
    const CONTEXT: &str = "error listing repos";
    if !has_provider(spec) {
        return Err(Stop::failed("no SCM provider implementation configured"));
    }
    let filters = spec
        .filters
        .iter()
        .map(Filter::new)
        .collect::<Result<Vec<_>, _>>()?;
    let paths: BTreeSet<_> = filters.iter().flat_map(Filter::paths).cloned().collect();
    let request = Request::ScmRepositories {
        generator: bare(spec)?,
        paths: paths.into_iter().collect(),
    };
    let Answer::Repositories(found) = x.ask(request).map_err(|stop| stop.within(CONTEXT))? else {
        return Err(Stop::failed(format!(
            "{CONTEXT}: the answer is of another kind"
        )));
    };
    let values = TemplatedValues::compile(&spec.values, &x.engine);
    found
        .iter()
        .filter(|repository| selects(&filters, repository))
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

/// What decides which repositories are listed, and nothing else.
fn bare(spec: &ScmProviderGenerator) -> Result<String, Stop> {
    let bare = ScmProviderGenerator {
        filters: Vec::new(),
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
    params.set("repository_id", repository.repository_id.clone());
    params.set("url", repository.url.as_str());
    params.set("branch", repository.branch.as_str());
    params.set("branchNormalized", normalise(&repository.branch));
    params.set("sha", repository.sha.as_str());
    params.set("short_sha", short(8));
    params.set("short_sha_7", short(7));
    params.set("labels", repository.labels.join(","));
    params
}

struct Filter {
    repository: Option<Regex>,
    label: Option<Regex>,
    branch: Option<Regex>,
    exist: Vec<String>,
    do_not_exist: Vec<String>,
}

impl Filter {
    fn new(filter: &ScmProviderFilter) -> Result<Self, Stop> {
        Ok(Self {
            repository: regex("RepositoryMatch", filter.repository_match.as_ref())?,
            label: regex("LabelMatch", filter.label_match.as_ref())?,
            branch: regex("BranchMatch", filter.branch_match.as_ref())?,
            exist: filter.paths_exist.clone(),
            do_not_exist: filter.paths_do_not_exist.clone(),
        })
    }

    fn paths(&self) -> impl Iterator<Item = &String> {
        self.exist.iter().chain(&self.do_not_exist)
    }

    /// Whether it looks at branches and not at repositories alone.
    fn is_of_branches(&self) -> bool {
        self.branch.is_some() || !self.exist.is_empty() || !self.do_not_exist.is_empty()
    }

    fn matches(&self, repository: &Repository) -> bool {
        let exists = |path: &String| repository.paths.get(path) == Some(&true);
        fits(self.repository.as_ref(), [&repository.repository])
            && fits(self.label.as_ref(), &repository.labels)
            && fits(self.branch.as_ref(), [&repository.branch])
            && self.exist.iter().all(exists)
            && !self.do_not_exist.iter().any(exists)
    }
}

/// Repositories pass any filter of repositories, then branches any filter of branches; where there
/// is no filter of a kind, all pass.
fn selects(filters: &[Filter], repository: &Repository) -> bool {
    [false, true].into_iter().all(|of_branches| {
        let mut kind = filters
            .iter()
            .filter(|filter| filter.is_of_branches() == of_branches)
            .peekable();
        kind.peek().is_none() || kind.any(|filter| filter.matches(repository))
    })
}

/// Compiles an optional expression of a filter.
pub(super) fn regex(field: &str, expression: Option<&String>) -> Result<Option<Regex>, Stop> {
    expression
        .map(|text| {
            Regex::new(text).map_err(|error| {
                Stop::failed(format!("error compiling {field} regexp {text:?}: {error}"))
            })
        })
        .transpose()
}

/// Whether the expression, if there is one, matches any of the texts.
pub(super) fn fits<'t>(
    expression: Option<&Regex>,
    texts: impl IntoIterator<Item = &'t String>,
) -> bool {
    expression.is_none_or(|regex| texts.into_iter().any(|text| regex.is_match(text)))
}
