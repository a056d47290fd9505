//! GitHub and GitHub Enterprise Server, REST API version 2022-11-28.
//!
//! Answers carry ETags, and one that is confirmed by its ETag is not counted against the quota.

use argosy_crds::application_set::generators::{PullRequestGithub, ScmProviderGithub};
use argosy_facts::Secret;
use argosy_generators::{PullRequest, RepositoryId};
use serde::Deserialize;
use url::Url;

use crate::api::{Api, Http, Session, base};
use crate::error::Result;
use crate::paging::{by_link, with};
use crate::repositories::{Branch, Listed, Protocol, Provider};

const PAGE: &str = "100";

/// GitHub's API under an address, as GitHub's own clients find it: a server of one's own has it
/// below `/api/v3/`.
pub(crate) fn address(api: &str) -> Result<Url> {
    if api.is_empty() {
        return base("https://api.github.com/");
    }
    let mut url = base(api)?;
    let host = url.host_str().unwrap_or_default();
    let is_api_host = host.starts_with("api.") || host.contains(".api.");
    if !is_api_host && !url.path().trim_end_matches('/').ends_with("/api/v3") {
        let path = format!("{}/api/v3/", url.path().trim_end_matches('/'));
        url.set_path(&path);
    }
    Ok(url)
}

/// GitHub's API without credentials.
pub(crate) fn anonymous<S: Http>(service: S, api: &str, session: &Session) -> Result<Api<S>> {
    Ok(Api::new(service, address(api)?, session)
        .header("accept", "application/vnd.github+json")
        .header("x-github-api-version", "2022-11-28"))
}

/// GitHub's API with a token.
pub(crate) fn api<S: Http>(
    service: S,
    api: &str,
    token: Option<&Secret>,
    session: &Session,
) -> Result<Api<S>> {
    let api = anonymous(service, api, session)?;
    match token {
        Some(token) => api.credential("authorization", &format!("Bearer {}", token.expose())),
        None => Ok(api),
    }
}

/// The repositories of an organisation.
pub(crate) struct GitHub<'a, S> {
    pub(crate) api: Api<S>,
    pub(crate) spec: &'a ScmProviderGithub,
    pub(crate) protocol: Protocol,
}

#[derive(Deserialize)]
struct RepositoryAnswer {
    id: i64,
    name: String,
    owner: Account,
    default_branch: Option<String>,
    ssh_url: String,
    clone_url: String,
    #[serde(default)]
    topics: Vec<String>,
    #[serde(default)]
    archived: bool,
}

#[derive(Deserialize)]
struct Account {
    login: String,
}

#[derive(Deserialize)]
struct BranchAnswer {
    name: String,
    commit: Commit,
}

#[derive(Deserialize)]
struct Commit {
    sha: String,
}

impl From<BranchAnswer> for Branch {
    fn from(answer: BranchAnswer) -> Self {
        Self {
            name: answer.name,
            sha: answer.commit.sha,
        }
    }
}

impl<S: Http> Provider for GitHub<'_, S> {
    async fn repositories(&self) -> Result<Vec<Listed>> {
        let url = self.api.url(["orgs", &self.spec.organization, "repos"]);
        let all: Vec<RepositoryAnswer> =
            self.api.list(with(&url, "per_page", PAGE), by_link).await?;
        let wanted = all
            .into_iter()
            .filter(|one| !(self.spec.exclude_archived_repos && one.archived));
        let listed = wanted.map(|one| Listed {
            organization: one.owner.login,
            slug: one.name.clone(),
            name: one.name,
            id: RepositoryId::Number(one.id),
            url: self.protocol.choose(one.ssh_url, one.clone_url),
            default_branch: one.default_branch.unwrap_or_default(),
            labels: one.topics,
        });
        Ok(listed.collect())
    }

    async fn branches(&self, of: &Listed) -> Result<Vec<Branch>> {
        let path = ["repos", &of.organization, &of.slug, "branches"];
        if self.spec.all_branches {
            let url = with(&self.api.url(path), "per_page", PAGE);
            let all: Vec<BranchAnswer> = self.api.list(url, by_link).await?;
            return Ok(all.into_iter().map(Branch::from).collect());
        }
        // The default branch of a repository without commits does not exist.
        let url = self
            .api
            .url(path.into_iter().chain([of.default_branch.as_str()]));
        let whole = self.api.url(["repos", &of.organization, &of.slug]);
        let found: Option<BranchAnswer> = self.api.part(url, whole).await?;
        Ok(found.into_iter().map(Branch::from).collect())
    }

    async fn has_path(&self, of: &Listed, on: &Branch, path: &str) -> Result<bool> {
        let contents = ["repos", &of.organization, &of.slug, "contents"];
        let url = self.api.url(contents.into_iter().chain(path.split('/')));
        self.api.exists(with(&url, "ref", &on.name)).await
    }
}

#[derive(Deserialize)]
struct PullAnswer {
    number: i64,
    title: String,
    head: End,
    base: End,
    #[serde(default)]
    labels: Vec<Label>,
    /// Absent when the account is gone.
    user: Option<Account>,
}

#[derive(Deserialize)]
struct End {
    #[serde(rename = "ref")]
    name: String,
    sha: String,
}

#[derive(Deserialize)]
struct Label {
    name: String,
}

/// The open pull requests of a repository that have all labels.
pub(crate) async fn pull_requests<S: Http>(
    api: &Api<S>,
    spec: &PullRequestGithub,
) -> Result<Vec<PullRequest>> {
    let url = api.url(["repos", &spec.owner, &spec.repo, "pulls"]);
    let all: Vec<PullAnswer> = api.list(with(&url, "per_page", PAGE), by_link).await?;
    let pulls = all.into_iter().map(|one| PullRequest {
        number: one.number,
        title: one.title,
        branch: one.head.name,
        target_branch: one.base.name,
        head_sha: one.head.sha,
        labels: one.labels.into_iter().map(|label| label.name).collect(),
        author: one.user.map(|user| user.login).unwrap_or_default(),
    });
    Ok(pulls.filter(|pull| has_all(pull, &spec.labels)).collect())
}

/// Whether a pull request has every one of the labels.
pub(crate) fn has_all(pull: &PullRequest, labels: &[String]) -> bool {
    labels.iter().all(|label| pull.labels.contains(label))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_api_is_where_github_has_it() {
        for (given, found) in [
            ("", "https://api.github.com/"),
            ("https://api.github.com", "https://api.github.com/"),
            ("https://git.example.com", "https://git.example.com/api/v3/"),
            (
                "https://git.example.com/api/v3/",
                "https://git.example.com/api/v3/",
            ),
            ("https://x.api.example.com/", "https://x.api.example.com/"),
        ] {
            assert_eq!(address(given).unwrap().as_str(), found, "{given}");
        }
        assert!(address("git.example.com").is_err());
        assert!(address("https://user:pass@git.example.com").is_err());
    }
}
