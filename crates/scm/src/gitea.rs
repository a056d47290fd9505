//! Gitea and Forgejo, REST API version 1.

use argosy_crds::application_set::generators::{PullRequestGitea, ScmProviderGitea};
use argosy_facts::Secret;
use argosy_generators::{PullRequest, RepositoryId};
use serde::Deserialize;
use url::Url;

use crate::api::{Api, Http, Session, base};
use crate::error::Result;
use crate::github::has_all;
use crate::paging::{by_link, with};
use crate::repositories::{Branch, Listed, Protocol, Provider};

/// Gitea's own limit, unless its administrator set another; it says where the next page is.
const PAGE: &str = "50";

/// Gitea's API; the address is that of the server.
pub(crate) fn api<S: Http>(
    service: S,
    address: &str,
    token: Option<&Secret>,
    session: &Session,
) -> Result<Api<S>> {
    let mut url = base(address)?;
    let path = format!("{}/api/v1/", url.path().trim_end_matches('/'));
    url.set_path(&path);
    let api = Api::new(service, url, session);
    match token {
        Some(token) => api.credential("authorization", &format!("token {}", token.expose())),
        None => Ok(api),
    }
}

fn pages(url: &Url) -> Url {
    with(url, "limit", PAGE)
}

/// The repositories of an organisation.
pub(crate) struct Gitea<'a, S> {
    pub(crate) api: Api<S>,
    pub(crate) spec: &'a ScmProviderGitea,
    pub(crate) protocol: Protocol,
}

#[derive(Deserialize)]
struct RepositoryAnswer {
    id: i64,
    name: String,
    default_branch: String,
    ssh_url: String,
    html_url: String,
    #[serde(default)]
    archived: bool,
    #[serde(default)]
    empty: bool,
}

#[derive(Deserialize)]
struct BranchAnswer {
    name: String,
    commit: Commit,
}

#[derive(Deserialize)]
struct Commit {
    id: String,
}

#[derive(Deserialize)]
struct Label {
    name: String,
}

impl From<BranchAnswer> for Branch {
    fn from(answer: BranchAnswer) -> Self {
        Self {
            name: answer.name,
            sha: answer.commit.id,
        }
    }
}

impl<S: Http> Gitea<'_, S> {
    fn repository<'a>(&'a self, name: &'a str, rest: impl IntoIterator<Item = &'a str>) -> Url {
        let path = ["repos", &self.spec.owner, name];
        self.api.url(path.into_iter().chain(rest))
    }
}

impl<S: Http> Provider for Gitea<'_, S> {
    async fn repositories(&self) -> Result<Vec<Listed>> {
        let url = self.api.url(["orgs", &self.spec.owner, "repos"]);
        let all: Vec<RepositoryAnswer> = self.api.list(pages(&url), by_link).await?;
        let wanted = all
            .into_iter()
            .filter(|one| !one.empty)
            .filter(|one| !(self.spec.exclude_archived_repos && one.archived));
        let mut listed = Vec::new();
        for one in wanted {
            let labels = pages(&self.repository(&one.name, ["labels"]));
            let labels: Vec<Label> = self.api.list(labels, by_link).await?;
            listed.push(Listed {
                organization: self.spec.owner.clone(),
                slug: one.name.clone(),
                name: one.name,
                id: RepositoryId::Number(one.id),
                // Argo CD clones from the repository's web page, which Gitea serves.
                url: self.protocol.choose(one.ssh_url, one.html_url),
                default_branch: one.default_branch,
                labels: labels.into_iter().map(|label| label.name).collect(),
            });
        }
        Ok(listed)
    }

    async fn branches(&self, of: &Listed) -> Result<Vec<Branch>> {
        if self.spec.all_branches {
            let url = pages(&self.repository(&of.slug, ["branches"]));
            let all: Vec<BranchAnswer> = self.api.list(url, by_link).await?;
            return Ok(all.into_iter().map(Branch::from).collect());
        }
        let url = self.repository(&of.slug, ["branches", &of.default_branch]);
        let found: BranchAnswer = self.api.get(url).await?;
        Ok(vec![found.into()])
    }

    async fn has_path(&self, of: &Listed, on: &Branch, path: &str) -> Result<bool> {
        let url = self.repository(&of.slug, ["contents"].into_iter().chain(path.split('/')));
        self.api.exists(with(&url, "ref", &on.name)).await
    }
}

#[derive(Deserialize)]
struct PullAnswer {
    number: i64,
    title: String,
    head: End,
    base: End,
    labels: Option<Vec<Label>>,
    user: Option<Account>,
}

#[derive(Deserialize)]
struct End {
    #[serde(rename = "ref")]
    name: String,
    sha: String,
}

#[derive(Deserialize)]
struct Account {
    login: String,
}

/// The open pull requests of a repository that have all labels.
pub(crate) async fn pull_requests<S: Http>(
    api: &Api<S>,
    spec: &PullRequestGitea,
) -> Result<Vec<PullRequest>> {
    let url = api.url(["repos", &spec.owner, &spec.repo, "pulls"]);
    let url = with(&pages(&url), "state", "open");
    let all: Vec<PullAnswer> = api.list(url, by_link).await?;
    let pulls = all.into_iter().map(|one| {
        let labels = one.labels.into_iter().flatten();
        PullRequest {
            number: one.number,
            title: one.title,
            branch: one.head.name,
            target_branch: one.base.name,
            head_sha: one.head.sha,
            labels: labels.map(|label| label.name).collect(),
            author: one.user.map(|user| user.login).unwrap_or_default(),
        }
    });
    Ok(pulls.filter(|pull| has_all(pull, &spec.labels)).collect())
}
