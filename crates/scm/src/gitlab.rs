//! GitLab, REST API version 4.

use std::collections::BTreeMap;

use argosy_crds::application_set::generators::{PullRequestGitlab, ScmProviderGitlab};
use argosy_facts::Secret;
use argosy_generators::{PullRequest, RepositoryId};
use http::HeaderMap;
use serde::Deserialize;
use url::Url;

use crate::api::{Api, Http, Session, base};
use crate::error::Result;
use crate::paging::{Turn, by_next_page, with};
use crate::repositories::{Branch, Listed, Protocol, Provider};

const PAGE: usize = 100;

/// GitLab's API; the address is that of the server, with or without `/api/v4`.
pub(crate) fn api<S: Http>(
    service: S,
    address: &str,
    token: Option<&Secret>,
    session: &Session,
) -> Result<Api<S>> {
    let address = if address.is_empty() {
        "https://gitlab.com/"
    } else {
        address
    };
    let mut url = base(address)?;
    let path = url.path().trim_end_matches('/').to_owned();
    if !path.ends_with("/api/v4") {
        url.set_path(&format!("{path}/api/v4/"));
    }
    let api = Api::new(service, url, session);
    match token {
        Some(token) => api.credential("private-token", token.expose()),
        None => Ok(api),
    }
}

fn turn<T>(items: Vec<T>, headers: &HeaderMap, url: &Url) -> Turn<T> {
    by_next_page(items, headers, url, PAGE)
}

fn pages(url: &Url) -> Url {
    with(url, "per_page", &PAGE.to_string())
}

/// The projects of a group.
pub(crate) struct GitLab<'a, S> {
    pub(crate) api: Api<S>,
    pub(crate) spec: &'a ScmProviderGitlab,
    pub(crate) protocol: Protocol,
}

#[derive(Deserialize)]
struct Project {
    id: i64,
    path: String,
    namespace: Namespace,
    default_branch: Option<String>,
    ssh_url_to_repo: String,
    http_url_to_repo: String,
    #[serde(default)]
    topics: Vec<String>,
    /// What topics were called before GitLab 14.5.
    #[serde(default)]
    tag_list: Vec<String>,
    #[serde(default)]
    archived: bool,
}

#[derive(Deserialize)]
struct Namespace {
    full_path: String,
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

impl From<BranchAnswer> for Branch {
    fn from(answer: BranchAnswer) -> Self {
        Self {
            name: answer.name,
            sha: answer.commit.id,
        }
    }
}

impl<S: Http> GitLab<'_, S> {
    /// Archived projects alone, or those that are not: no single request gives both on every
    /// version of GitLab.
    async fn projects(&self, archived: bool) -> Result<Vec<Project>> {
        let flag = |value: bool| if value { "true" } else { "false" };
        let mut url = pages(&self.api.url(["groups", &self.spec.group, "projects"]));
        let shared = self.spec.include_shared_projects.unwrap_or(true);
        url.query_pairs_mut()
            .append_pair("include_subgroups", flag(self.spec.include_subgroups))
            .append_pair("with_shared", flag(shared))
            .append_pair("archived", flag(archived));
        if !self.spec.topic.is_empty() {
            url.query_pairs_mut().append_pair("topic", &self.spec.topic);
        }
        self.api.list(url, turn).await
    }

    fn project<'a>(&self, id: &'a str, rest: impl IntoIterator<Item = &'a str>) -> Url {
        self.api
            .url(["projects", id, "repository"].into_iter().chain(rest))
    }
}

/// The id by which the API knows a project.
fn id_of(of: &Listed) -> &str {
    &of.slug
}

impl<S: Http> Provider for GitLab<'_, S> {
    async fn repositories(&self) -> Result<Vec<Listed>> {
        let mut all = self.projects(false).await?;
        if self.spec.include_archived_repos {
            all.extend(self.projects(true).await?);
        }
        let wanted = all
            .into_iter()
            .filter(|one| self.spec.include_archived_repos || !one.archived);
        // A project may be both shared with the group and in it.
        let mut seen = BTreeMap::new();
        let once = wanted.filter(|one| seen.insert(one.id, ()).is_none());
        let listed = once.map(|one| Listed {
            organization: one.namespace.full_path,
            name: one.path,
            slug: one.id.to_string(),
            id: RepositoryId::Number(one.id),
            url: self
                .protocol
                .choose(one.ssh_url_to_repo, one.http_url_to_repo),
            default_branch: one.default_branch.unwrap_or_default(),
            labels: if one.topics.is_empty() {
                one.tag_list
            } else {
                one.topics
            },
        });
        Ok(listed.collect())
    }

    async fn branches(&self, of: &Listed) -> Result<Vec<Branch>> {
        let url = self.project(id_of(of), ["branches"]);
        if self.spec.all_branches {
            let all: Vec<BranchAnswer> = self.api.list(pages(&url), turn).await?;
            return Ok(all.into_iter().map(Branch::from).collect());
        }
        // A project without commits has no default branch.
        if of.default_branch.is_empty() {
            return Ok(Vec::new());
        }
        let url = self.project(id_of(of), ["branches", &of.default_branch]);
        let whole = self.api.url(["projects", id_of(of)]);
        let found: Option<BranchAnswer> = self.api.part(url, whole).await?;
        Ok(found.into_iter().map(Branch::from).collect())
    }

    /// A file is asked for by its head, a directory by its listing.
    async fn has_path(&self, of: &Listed, on: &Branch, path: &str) -> Result<bool> {
        let file = with(&self.project(id_of(of), ["files", path]), "ref", &on.name);
        if self.api.head(file).await? {
            return Ok(true);
        }
        let tree = with(&self.project(id_of(of), ["tree"]), "path", path);
        let entries: Option<Vec<serde::de::IgnoredAny>> =
            self.api.find(with(&tree, "ref", &on.name)).await?;
        // Some versions answer an empty list where there is nothing; git has no empty directories.
        Ok(entries.is_some_and(|entries| !entries.is_empty()))
    }
}

#[derive(Deserialize)]
struct MergeRequest {
    iid: i64,
    title: String,
    source_branch: String,
    target_branch: String,
    /// Absent while GitLab has not looked at the branch.
    sha: Option<String>,
    #[serde(default)]
    labels: Vec<String>,
    author: Option<Author>,
}

#[derive(Deserialize)]
struct Author {
    username: String,
}

/// The merge requests of a project in the wanted state that have all labels.
pub(crate) async fn pull_requests<S: Http>(
    api: &Api<S>,
    spec: &PullRequestGitlab,
) -> Result<Vec<PullRequest>> {
    let mut url = pages(&api.url(["projects", &spec.project, "merge_requests"]));
    if !spec.labels.is_empty() {
        let labels = spec.labels.join(",");
        url.query_pairs_mut().append_pair("labels", &labels);
    }
    if !spec.pull_request_state.is_empty() {
        url.query_pairs_mut()
            .append_pair("state", &spec.pull_request_state);
    }
    let all: Vec<MergeRequest> = api.list(url, turn).await?;
    let pulls = all.into_iter().map(|one| PullRequest {
        number: one.iid,
        title: one.title,
        branch: one.source_branch,
        target_branch: one.target_branch,
        head_sha: one.sha.unwrap_or_default(),
        labels: one.labels,
        author: one.author.map(|author| author.username).unwrap_or_default(),
    });
    Ok(pulls.collect())
}
