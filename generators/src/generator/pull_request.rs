//! The pull request generator: a repository's pull requests, after its filters.

use std::collections::BTreeMap;

use argosy_crds::application_set::generators::PullRequestGenerator;
use argosy_gotemplate::Value;
use argosy_gotemplate::argocd::slug;
use regex::Regex;

use super::scm_filter::{fits, regex};
use super::values::TemplatedValues;
use crate::error::Stop;
use crate::expand::Expander;
use crate::facts::{Answer, Request};
use crate::params::Params;

/// The longest slug: what is put behind it must fit into a label, too.
const SLUG: usize = 50;

/// A pull request, as a provider lists it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PullRequest {
    /// Its number.
    pub number: i64,
    /// Its title, which anybody may have written.
    pub title: String,
    /// The branch it comes from.
    pub branch: String,
    /// The branch it goes to.
    pub target_branch: String,
    /// Its last commit.
    pub head_sha: String,
    /// Its labels.
    pub labels: Vec<String>,
    /// Who opened it.
    pub author: String,
}

pub(super) fn params(
    x: &mut Expander<'_>,
    spec: &PullRequestGenerator,
) -> Result<Vec<Params>, Stop> {
    const CONTEXT: &str = "error listing repos";
    if !has_provider(spec) {
        return Err(Stop::failed(
            "no Pull Request provider implementation configured",
        ));
    }
    let filters = filters(spec)?;
    let request = Request::PullRequests {
        generator: bare(spec)?,
    };
    let Answer::PullRequests(found) = x.ask(request).map_err(|stop| stop.within(CONTEXT))? else {
        return Err(Stop::failed(format!(
            "{CONTEXT}: the answer is of another kind"
        )));
    };
    let values = TemplatedValues::compile(&spec.values, &x.engine);
    let is_go = x.engine.is_go();
    let is_selected = |pull: &PullRequest| {
        filters.is_empty()
            || filters.iter().any(|[branch, target, title]| {
                fits(branch.as_ref(), [pull.branch.as_str()])
                    && fits(target.as_ref(), [pull.target_branch.as_str()])
                    && fits(title.as_ref(), [pull.title.as_str()])
            })
    };
    found
        .iter()
        .filter(|pull| is_selected(pull))
        .map(|pull| {
            let mut params = pull_params(pull, is_go);
            values.append(&mut params)?;
            Ok(params)
        })
        .collect()
}

fn has_provider(spec: &PullRequestGenerator) -> bool {
    spec.github.is_some()
        || spec.gitlab.is_some()
        || spec.gitea.is_some()
        || spec.bitbucket_server.is_some()
        || spec.bitbucket.is_some()
        || spec.azuredevops.is_some()
}

/// The expressions for branch, target branch and title.
fn filters(spec: &PullRequestGenerator) -> Result<Vec<[Option<Regex>; 3]>, Stop> {
    spec.filters
        .iter()
        .map(|filter| {
            Ok([
                regex("BranchMatch", filter.branch_match.as_ref())?,
                regex("TargetBranchMatch", filter.target_branch_match.as_ref())?,
                regex("TitleMatch", filter.title_match.as_ref())?,
            ])
        })
        .collect::<Result<_, String>>()
        .map_err(Stop::failed)
}

/// What decides which pull requests are listed, and nothing else.
fn bare(spec: &PullRequestGenerator) -> Result<String, Stop> {
    let bare = PullRequestGenerator {
        filters: Vec::new(),
        requeue_after_seconds: None,
        values: BTreeMap::new(),
        template: None,
        ..spec.clone()
    };
    serde_json::to_string(&bare)
        .map_err(|error| Stop::failed(format!("cannot read the generator: {error}")))
}

fn pull_params(pull: &PullRequest, is_go: bool) -> Params {
    let short = |length: usize| pull.head_sha.chars().take(length).collect::<String>();
    let mut params = Params::default();
    params.set("number", pull.number.to_string());
    params.set("title", pull.title.as_str());
    params.set("branch", pull.branch.as_str());
    params.set("branch_slug", slug(&pull.branch, SLUG, true));
    params.set("target_branch", pull.target_branch.as_str());
    params.set("target_branch_slug", slug(&pull.target_branch, SLUG, true));
    params.set("head_sha", pull.head_sha.as_str());
    params.set("head_short_sha", short(8));
    params.set("head_short_sha_7", short(7));
    params.set("author", pull.author.as_str());
    if is_go {
        params.set(
            "labels",
            Value::strings(pull.labels.iter().map(String::as_str)),
        );
    }
    params
}
