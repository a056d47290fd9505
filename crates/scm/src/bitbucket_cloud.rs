//! Bitbucket Cloud, REST API version 2.0.

use argosy_crds::application_set::generators::{PullRequestBitbucket, ScmProviderBitbucket};
use argosy_generators::{PullRequest, RepositoryId};
use http::HeaderMap;
use serde::Deserialize;
use url::Url;

use crate::access::Credentials;
use crate::api::{Api, Http, Session, base};
use crate::error::{Problem, Result, spec};
use crate::paging::{Turn, with};
use crate::repositories::{Branch, Listed, Protocol, Provider};

const API: &str = "https://api.bitbucket.org/2.0";

/// Bitbucket's API.
pub(crate) fn api<S: Http>(
    service: S,
    address: &str,
    credentials: &Credentials,
    session: &Session,
) -> Result<Api<S>> {
    let address = if address.is_empty() { API } else { address };
    credentials.put_on(Api::new(service, base(address)?, session))
}

#[derive(Deserialize)]
struct Page<T> {
    values: Vec<T>,
    next: Option<String>,
}

/// The next page's address comes with the page; it is followed only to where the page came from.
fn turn<T>(page: Page<T>, _: &HeaderMap, url: &Url) -> Turn<T> {
    let Some(next) = page.next else {
        return Ok((page.values, None));
    };
    match Url::parse(&next) {
        Ok(next) if next.origin() == url.origin() => Ok((page.values, Some(next))),
        _ => Err(Problem::Partial(
            "its next page is on another host, which gets no credentials".to_owned(),
        )),
    }
}

/// The repositories of a workspace.
pub(crate) struct BitbucketCloud<'a, S> {
    pub(crate) api: Api<S>,
    pub(crate) spec: &'a ScmProviderBitbucket,
    pub(crate) protocol: Protocol,
}

#[derive(Deserialize)]
struct RepositoryAnswer {
    slug: String,
    uuid: String,
    links: Links,
    /// Absent while there is no commit.
    mainbranch: Option<Name>,
}

#[derive(Deserialize)]
struct Links {
    clone: Vec<Link>,
}

#[derive(Deserialize)]
struct Link {
    name: String,
    href: String,
}

#[derive(Deserialize)]
struct Name {
    name: String,
}

#[derive(Deserialize)]
struct BranchAnswer {
    name: String,
    target: Commit,
}

#[derive(Deserialize)]
struct Commit {
    hash: String,
}

impl From<BranchAnswer> for Branch {
    fn from(answer: BranchAnswer) -> Self {
        Self {
            name: answer.name,
            sha: answer.target.hash,
        }
    }
}

impl<S: Http> Provider for BitbucketCloud<'_, S> {
    async fn repositories(&self) -> Result<Vec<Listed>> {
        let url = self.api.url(["repositories", &self.spec.owner]);
        let url = with(&with(&url, "role", "member"), "pagelen", "100");
        let all: Vec<RepositoryAnswer> = self.api.list(url, turn).await?;
        let wanted = match self.protocol {
            Protocol::Ssh => "ssh",
            Protocol::Https => "https",
        };
        all.into_iter()
            .map(|one| {
                let mut links = one.links.clone.into_iter();
                let link = links.find(|link| link.name == wanted).ok_or_else(|| {
                    spec(
                        "cloneProtocol",
                        format!("{} has no {wanted} address", one.slug),
                    )
                })?;
                Ok(Listed {
                    organization: self.spec.owner.clone(),
                    name: one.slug.clone(),
                    slug: one.slug,
                    id: RepositoryId::Text(one.uuid),
                    url: link.href,
                    default_branch: one.mainbranch.map(|branch| branch.name).unwrap_or_default(),
                    labels: Vec::new(),
                })
            })
            .collect()
    }

    async fn branches(&self, of: &Listed) -> Result<Vec<Branch>> {
        let path = [
            "repositories",
            &self.spec.owner,
            &of.slug,
            "refs",
            "branches",
        ];
        if self.spec.all_branches {
            let url = with(&self.api.url(path), "pagelen", "100");
            let all: Vec<BranchAnswer> = self.api.list(url, turn).await?;
            return Ok(all.into_iter().map(Branch::from).collect());
        }
        if of.default_branch.is_empty() {
            return Ok(Vec::new());
        }
        let url = self
            .api
            .url(path.into_iter().chain([of.default_branch.as_str()]));
        let found: BranchAnswer = self.api.get(url).await?;
        Ok(vec![found.into()])
    }

    async fn has_path(&self, of: &Listed, on: &Branch, path: &str) -> Result<bool> {
        let source = ["repositories", &self.spec.owner, &of.slug, "src", &on.sha];
        let url = self.api.url(source.into_iter().chain(path.split('/')));
        self.api.exists(with(&url, "format", "meta")).await
    }
}

#[derive(Deserialize)]
struct PullAnswer {
    id: i64,
    title: String,
    source: End,
    destination: Target,
    author: Option<Author>,
}

#[derive(Deserialize)]
struct End {
    branch: Name,
    commit: Commit,
}

#[derive(Deserialize)]
struct Target {
    branch: Name,
}

#[derive(Deserialize)]
struct Author {
    #[serde(default)]
    nickname: String,
}

/// The open pull requests of a repository.
pub(crate) async fn pull_requests<S: Http>(
    api: &Api<S>,
    spec: &PullRequestBitbucket,
) -> Result<Vec<PullRequest>> {
    let url = api.url(["repositories", &spec.owner, &spec.repo, "pullrequests"]);
    let url = with(&with(&url, "state", "OPEN"), "pagelen", "50");
    let all: Vec<PullAnswer> = api.list(url, turn).await?;
    let pulls = all.into_iter().map(|one| PullRequest {
        number: one.id,
        title: one.title,
        branch: one.source.branch.name,
        target_branch: one.destination.branch.name,
        head_sha: one.source.commit.hash,
        labels: Vec::new(),
        author: one.author.map(|author| author.nickname).unwrap_or_default(),
    });
    Ok(pulls.collect())
}
