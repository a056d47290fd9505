//! Bitbucket Server and Data Center, REST API version 1.0.

use argosy_crds::application_set::generators::{
    PullRequestBitbucketServer, ScmProviderBitbucketServer,
};
use argosy_generators::{PullRequest, RepositoryId};
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use serde::Deserialize;
use serde::de::IgnoredAny;
use url::Url;

use crate::access::Credentials;
use crate::api::{Api, Http, Session, base};
use crate::error::{Problem, Result};
use crate::paging::{Turn, with};
use crate::repositories::{Branch, Listed, Protocol, Provider};

/// Bitbucket's API; the address is that of the server, with or without `/rest`.
pub(crate) fn api<S: Http>(
    service: S,
    address: &str,
    credentials: &Credentials,
    session: &Session,
) -> Result<Api<S>> {
    let mut url = base(address)?;
    let path = url.path().trim_end_matches('/').to_owned();
    let rest = if path.ends_with("/rest") { "" } else { "/rest" };
    url.set_path(&format!("{path}{rest}/api/1.0/"));
    credentials.put_on(Api::new(service, url, session).header("x-atlassian-token", "no-check"))
}

#[derive(Deserialize)]
struct Page<T> {
    values: Vec<T>,
    #[serde(rename = "isLastPage")]
    is_last: bool,
    #[serde(rename = "nextPageStart")]
    next: Option<i64>,
}

fn turn<T>(page: Page<T>, _: &HeaderMap, url: &Url) -> Turn<T> {
    match (page.is_last, page.next) {
        (true, _) => Ok((page.values, None)),
        (false, Some(start)) => {
            let next = with(url, "start", &start.to_string());
            Ok((page.values, Some(next)))
        }
        (false, None) => Err(Problem::Partial(
            "a page that is not the last does not say where the next one is".to_owned(),
        )),
    }
}

fn pages(url: &Url) -> Url {
    with(url, "limit", "100")
}

/// The repositories of a project.
pub(crate) struct BitbucketServer<'a, S> {
    pub(crate) api: Api<S>,
    pub(crate) spec: &'a ScmProviderBitbucketServer,
    pub(crate) protocol: Protocol,
}

#[derive(Deserialize)]
struct RepositoryAnswer {
    id: i64,
    name: String,
    slug: String,
    project: Project,
    links: Links,
}

#[derive(Deserialize)]
struct Project {
    key: String,
}

#[derive(Deserialize)]
struct Links {
    #[serde(default)]
    clone: Vec<Link>,
}

#[derive(Deserialize)]
struct Link {
    name: String,
    href: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BranchAnswer {
    display_id: String,
    latest_commit: String,
}

impl From<BranchAnswer> for Branch {
    fn from(answer: BranchAnswer) -> Self {
        Self {
            name: answer.display_id,
            sha: answer.latest_commit,
        }
    }
}

impl<S: Http> BitbucketServer<'_, S> {
    fn repository<'a>(&'a self, of: &'a Listed, rest: impl IntoIterator<Item = &'a str>) -> Url {
        let path = ["projects", &of.organization, "repos", &of.slug];
        self.api.url(path.into_iter().chain(rest))
    }

    /// The default branch. One that is set and has no commits is not found, and without one the
    /// answer is empty.
    async fn default_branch(&self, of: &Listed) -> Result<Option<Branch>> {
        let url = self.repository(of, ["branches", "default"]);
        let answer = self
            .api
            .send(Method::GET, &url, Bytes::new(), HeaderMap::new())
            .await?;
        if answer.status.is_success() && answer.body.is_empty() {
            return Ok(None);
        }
        if answer.status == StatusCode::NOT_FOUND {
            // So is what the credentials may no longer see; that would be an error.
            let whole = self.repository(of, []);
            return self.api.get::<IgnoredAny>(whole).await.map(|_| None);
        }
        Ok(Some(answer.read::<BranchAnswer>()?.into()))
    }
}

impl<S: Http> Provider for BitbucketServer<'_, S> {
    async fn repositories(&self) -> Result<Vec<Listed>> {
        let url = self.api.url(["projects", &self.spec.project, "repos"]);
        let all: Vec<RepositoryAnswer> = self.api.list(pages(&url), turn).await?;
        let wanted = match self.protocol {
            Protocol::Ssh => "ssh",
            Protocol::Https => "http",
        };
        let listed = all.into_iter().map(|one| {
            let mut links = one.links.clone.into_iter();
            let link = links.find(|link| link.name == wanted);
            Listed {
                organization: one.project.key,
                name: one.name,
                slug: one.slug,
                id: RepositoryId::Number(one.id),
                url: link.map(|link| link.href).unwrap_or_default(),
                // It is not in the listing.
                default_branch: String::new(),
                labels: Vec::new(),
            }
        });
        Ok(listed.collect())
    }

    async fn branches(&self, of: &Listed) -> Result<Vec<Branch>> {
        if !self.spec.all_branches {
            return Ok(self.default_branch(of).await?.into_iter().collect());
        }
        let url = pages(&self.repository(of, ["branches"]));
        let all: Vec<BranchAnswer> = self.api.list(url, turn).await?;
        Ok(all.into_iter().map(Branch::from).collect())
    }

    async fn has_path(&self, of: &Listed, on: &Branch, path: &str) -> Result<bool> {
        let url = self.repository(of, ["browse"].into_iter().chain(path.split('/')));
        let url = with(&with(&url, "at", &on.name), "type", "true");
        self.api.exists(url).await
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PullAnswer {
    id: i64,
    title: String,
    from_ref: Reference,
    to_ref: Target,
    author: Author,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reference {
    display_id: String,
    latest_commit: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Target {
    display_id: String,
}

#[derive(Deserialize)]
struct Author {
    user: User,
}

#[derive(Deserialize)]
struct User {
    name: String,
}

/// The open pull requests of a repository.
pub(crate) async fn pull_requests<S: Http>(
    api: &Api<S>,
    spec: &PullRequestBitbucketServer,
) -> Result<Vec<PullRequest>> {
    let path = [
        "projects",
        &spec.project,
        "repos",
        &spec.repo,
        "pull-requests",
    ];
    let all: Vec<PullAnswer> = api.list(pages(&api.url(path)), turn).await?;
    let pulls = all.into_iter().map(|one| PullRequest {
        number: one.id,
        title: one.title,
        branch: one.from_ref.display_id,
        target_branch: one.to_ref.display_id,
        head_sha: one.from_ref.latest_commit,
        labels: Vec::new(),
        author: one.author.user.name,
    });
    Ok(pulls.collect())
}
