//! Azure DevOps Services and Server, REST API version 7.0.

use argosy_crds::application_set::generators::{PullRequestAzureDevOps, ScmProviderAzureDevOps};
use argosy_facts::Secret;
use argosy_generators::{PullRequest, RepositoryId};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use serde::Deserialize;
use url::Url;

use crate::api::{Api, Http, Session, base, below};
use crate::error::{Result, spec};
use crate::github::has_all;
use crate::paging::with;
use crate::repositories::{Branch, Listed, Provider};

const VERSION: &str = "7.0";

/// Requested at once; a shorter page is the last.
const PAGE: usize = 100;

/// The API of an organisation, with a personal access token.
pub(crate) fn api<S: Http>(
    service: S,
    address: &str,
    organization: &str,
    token: Option<&Secret>,
    session: &Session,
) -> Result<Api<S>> {
    let address = if address.is_empty() {
        "https://dev.azure.com/"
    } else {
        address
    };
    let url = below(&base(address)?, [organization]);
    let api = Api::new(service, url, session);
    match token {
        Some(token) => {
            let pair = STANDARD.encode(format!(":{}", token.expose()));
            api.credential("authorization", &format!("Basic {pair}"))
        }
        None => Ok(api),
    }
}

/// The repositories of a project.
pub(crate) struct AzureDevOps<'a, S> {
    api: Api<S>,
    spec: &'a ScmProviderAzureDevOps,
}

#[derive(Deserialize)]
struct List<T> {
    value: Vec<T>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RepositoryAnswer {
    id: Option<String>,
    name: Option<String>,
    /// Absent while there is no commit.
    default_branch: Option<String>,
    remote_url: Option<String>,
    #[serde(default)]
    is_disabled: bool,
}

#[derive(Deserialize)]
struct BranchAnswer {
    name: String,
    commit: Commit,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Commit {
    commit_id: String,
}

impl From<BranchAnswer> for Branch {
    fn from(answer: BranchAnswer) -> Self {
        Self {
            name: answer.name,
            sha: answer.commit.commit_id,
        }
    }
}

impl<'a, S: Http> AzureDevOps<'a, S> {
    pub(crate) fn new(
        service: S,
        spec_: &'a ScmProviderAzureDevOps,
        token: Option<&Secret>,
        session: &Session,
    ) -> Result<Self> {
        if token.is_none() {
            return Err(spec("accessTokenRef", "no access token provided"));
        }
        Ok(Self {
            api: api(service, &spec_.api, &spec_.organization, token, session)?,
            spec: spec_,
        })
    }

    fn git<'u>(&'u self, rest: impl IntoIterator<Item = &'u str>) -> Url {
        let path = [
            self.spec.team_project.as_str(),
            "_apis",
            "git",
            "repositories",
        ];
        let url = self.api.url(path.into_iter().chain(rest));
        with(&url, "api-version", VERSION)
    }
}

impl<S: Http> Provider for AzureDevOps<'_, S> {
    async fn repositories(&self) -> Result<Vec<Listed>> {
        let all: List<RepositoryAnswer> = self.api.get(self.git([])).await?;
        // Without a branch there is nothing to deploy; a disabled one answers no question.
        let wanted = all.value.into_iter().filter(|one| !one.is_disabled);
        let listed = wanted.filter_map(|one| {
            Some(Listed {
                organization: self.spec.organization.clone(),
                name: one.name?,
                slug: one.id.clone()?,
                id: RepositoryId::Text(one.id?),
                url: one.remote_url?,
                default_branch: one.default_branch?,
                labels: Vec::new(),
            })
        });
        Ok(listed.collect())
    }

    async fn branches(&self, of: &Listed) -> Result<Vec<Branch>> {
        let url = self.git([of.slug.as_str(), "stats", "branches"]);
        if self.spec.all_branches {
            let all: List<BranchAnswer> = self.api.get(url).await?;
            return Ok(all.value.into_iter().map(Branch::from).collect());
        }
        // The listing says `refs/heads/main` where this wants `main`.
        let name = of.default_branch.replacen("refs/heads/", "", 1);
        let found: BranchAnswer = self.api.get(with(&url, "name", &name)).await?;
        Ok(vec![found.into()])
    }

    async fn has_path(&self, of: &Listed, on: &Branch, path: &str) -> Result<bool> {
        let url = with(&self.git([of.slug.as_str(), "items"]), "path", path);
        let url = with(&url, "versionDescriptor.version", &on.name);
        let url = with(&url, "versionDescriptor.versionType", "branch");
        self.api.exists(with(&url, "$format", "json")).await
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PullAnswer {
    pull_request_id: i64,
    title: String,
    source_ref_name: String,
    target_ref_name: String,
    /// Absent while Azure DevOps has not looked at the branches.
    last_merge_source_commit: Option<Commit>,
    #[serde(default)]
    labels: Vec<Name>,
    created_by: Author,
    repository: Name,
}

#[derive(Deserialize)]
struct Name {
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Author {
    unique_name: String,
}

/// Where the pull requests after this page are; nowhere after a short one.
fn after(page: &[PullAnswer], url: &Url) -> Option<Url> {
    let skipped: usize = url
        .query_pairs()
        .find(|(key, _)| key == "$skip")
        .and_then(|(_, skipped)| skipped.parse().ok())
        .unwrap_or_default();
    let is_last = page.len() < PAGE;
    (!is_last).then(|| with(url, "$skip", &(skipped + PAGE).to_string()))
}

/// The active pull requests of a repository that have all labels.
pub(crate) async fn pull_requests<S: Http>(
    api: &Api<S>,
    spec: &PullRequestAzureDevOps,
) -> Result<Vec<PullRequest>> {
    let url = api.url([spec.project.as_str(), "_apis", "git", "pullrequests"]);
    let url = with(&url, "api-version", VERSION);
    let url = with(&url, "searchCriteria.status", "active");
    let turn = |page: List<PullAnswer>, _: &HeaderMap, url: &Url| {
        let next = after(&page.value, url);
        Ok((page.value, next))
    };
    let first = with(&url, "$top", &PAGE.to_string());
    let all = api.list(first, turn).await?;
    let here = all
        .into_iter()
        .filter(|one| one.repository.name == spec.repo);
    let short = |reference: &str| reference.replacen("refs/heads/", "", 1);
    let pulls = here.filter_map(|one| {
        Some(PullRequest {
            number: one.pull_request_id,
            title: one.title,
            branch: short(&one.source_ref_name),
            target_branch: short(&one.target_ref_name),
            head_sha: one.last_merge_source_commit?.commit_id,
            labels: one.labels.into_iter().map(|label| label.name).collect(),
            // The account's name is an address; what is before the @ is the author.
            author: one.created_by.unique_name.split('@').next()?.to_owned(),
        })
    });
    Ok(pulls.filter(|pull| has_all(pull, &spec.labels)).collect())
}
