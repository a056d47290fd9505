//! AWS CodeCommit.

use std::collections::BTreeMap;

use argosy_crds::application_set::generators::{ScmProviderAwsCodeCommit, TagFilter};
use argosy_generators::RepositoryId;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Aws, AwsKeys};
use crate::api::{Http, Session};
use crate::error::{Result, spec};
use crate::repositories::{Branch, Listed, Provider};

const CODE_COMMIT: (&str, &str) = ("codecommit", "CodeCommit_20150413");
const TAGGING: (&str, &str) = ("tagging", "ResourceGroupsTaggingAPI_20170126");

/// The most pages of one list, against one that never ends.
const PAGES: usize = 2_000;

/// Repositories in a region, all or those with certain tags.
pub(crate) struct CodeCommit<'a, S> {
    git: Aws<S>,
    tagging: Aws<S>,
    spec: &'a ScmProviderAwsCodeCommit,
    protocol: Protocol,
}

#[derive(Clone, Copy)]
enum Protocol {
    Ssh,
    Https,
    HttpsFips,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Names {
    repositories: Vec<Name>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Name {
    repository_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tagged {
    resource_tag_mapping_list: Vec<Resource>,
    pagination_token: Option<String>,
}

#[derive(Deserialize)]
struct Resource {
    #[serde(rename = "ResourceARN")]
    arn: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Repository {
    repository_metadata: Metadata,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    account_id: String,
    repository_id: String,
    repository_name: String,
    /// Absent while there is no commit.
    default_branch: Option<String>,
    clone_url_http: String,
    clone_url_ssh: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Branches {
    branches: Vec<String>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[derive(Default)]
struct Folder {
    files: Vec<Entry>,
    sub_folders: Vec<Entry>,
    sub_modules: Vec<Entry>,
    symbolic_links: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    relative_path: String,
}

impl<'a, S: Http> CodeCommit<'a, S> {
    pub(crate) fn new(
        service: S,
        spec: &'a ScmProviderAwsCodeCommit,
        protocol: &str,
        (keys, region): (&AwsKeys, &str),
        session: &Session,
    ) -> Result<Self> {
        Ok(Self {
            git: Aws::new(service.clone(), CODE_COMMIT, region, keys, session)?,
            tagging: Aws::new(service, TAGGING, region, keys, session)?,
            spec,
            protocol: Protocol::read(protocol)?,
        })
    }

    async fn names(&self) -> Result<Vec<String>> {
        if self.spec.tag_filters.is_empty() {
            let list = |token| json!({"nextToken": token});
            return self
                .pages(&self.git, "ListRepositories", list, |page: Names| {
                    let names = page.repositories.into_iter();
                    let names = names.map(|one| one.repository_name).collect();
                    (names, page.next_token)
                })
                .await;
        }
        let filters = tag_filters(&self.spec.tag_filters);
        let list = |token| {
            json!({
                "ResourceTypeFilters": ["codecommit:repository"],
                "TagFilters": filters, "PaginationToken": token,
            })
        };
        self.pages(&self.tagging, "GetResources", list, |page: Tagged| {
            // arn:aws:codecommit:REGION:ACCOUNT:NAME
            let names = page.resource_tag_mapping_list.into_iter();
            let names = names.filter_map(|one| Some(one.arn.splitn(6, ':').nth(5)?.to_owned()));
            (names.collect(), page.pagination_token)
        })
        .await
    }

    /// A list to its end; an empty token ends it, too.
    async fn pages<B: serde::de::DeserializeOwned, T>(
        &self,
        of: &Aws<S>,
        operation: &str,
        input: impl Fn(Option<String>) -> Value,
        turn: impl Fn(B) -> (Vec<T>, Option<String>),
    ) -> Result<Vec<T>> {
        let mut all = Vec::new();
        let mut token = None;
        for _ in 0..PAGES {
            let input = without_nulls(input(token.take()));
            let page = of.run(operation, &input, &[]).await?;
            let page = page.ok_or_else(|| spec(operation, "there is no answer"))?;
            let (items, next) = turn(page);
            all.extend(items);
            match next.filter(|next| !next.is_empty()) {
                Some(next) => token = Some(next),
                None => return Ok(all),
            }
        }
        Err(spec(
            operation,
            format!("the list has more than {PAGES} pages"),
        ))
    }

    async fn listed(&self, name: &str) -> Result<Option<Listed>> {
        let input = json!({"repositoryName": name});
        let found = self.git.run("GetRepository", &input, &[]).await?;
        let Repository {
            repository_metadata: it,
        } = found.ok_or_else(|| spec("GetRepository", "there is no answer"))?;
        let Some(default_branch) = it.default_branch.filter(|name| !name.is_empty()) else {
            return Ok(None);
        };
        Ok(Some(Listed {
            // There are no organisations, so that Argo CD takes the account.
            organization: it.account_id,
            slug: it.repository_name.clone(),
            name: it.repository_name,
            id: RepositoryId::Text(it.repository_id),
            url: self.protocol.choose(it.clone_url_ssh, it.clone_url_http)?,
            default_branch,
            labels: Vec::new(),
        }))
    }
}

impl<S: Http> Provider for CodeCommit<'_, S> {
    async fn repositories(&self) -> Result<Vec<Listed>> {
        let mut all = Vec::new();
        for name in self.names().await? {
            all.extend(self.listed(&name).await?);
        }
        Ok(all)
    }

    /// Without their commits, each of which would take a request; as in Argo CD.
    async fn branches(&self, of: &Listed) -> Result<Vec<Branch>> {
        let names = if self.spec.all_branches {
            let list = |token| json!({"repositoryName": of.slug, "nextToken": token});
            self.pages(&self.git, "ListBranches", list, |page: Branches| {
                (page.branches, page.next_token)
            })
            .await?
        } else {
            vec![of.default_branch.clone()]
        };
        let branches = names.into_iter().map(|name| Branch {
            name,
            sha: String::new(),
        });
        Ok(branches.collect())
    }

    /// Looks into the parent: a file would be transferred with its content.
    async fn has_path(&self, of: &Listed, on: &Branch, path: &str) -> Result<bool> {
        const ABSENT: [&str; 2] = ["CommitDoesNotExistException", "FolderDoesNotExistException"];
        if path.is_empty() {
            return Ok(true);
        }
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        let input = json!({
            "repositoryName": of.slug, "commitSpecifier": on.name,
            "folderPath": format!("/{parent}"),
        });
        let folder: Option<Folder> = self.git.run("GetFolder", &input, &ABSENT).await?;
        let folder = folder.unwrap_or_default();
        let kinds = [
            folder.files,
            folder.sub_folders,
            folder.sub_modules,
            folder.symbolic_links,
        ];
        Ok(kinds
            .iter()
            .flatten()
            .any(|entry| entry.relative_path == name))
    }
}

/// One filter for each key, with all of its values; none means any.
fn tag_filters(filters: &[TagFilter]) -> Vec<Value> {
    let mut by_key: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for filter in filters {
        let values = by_key.entry(&filter.key).or_default();
        if !filter.value.is_empty() {
            values.push(&filter.value);
        }
    }
    by_key
        .into_iter()
        .map(|(key, values)| json!({"Key": key, "Values": values}))
        .collect()
}

fn without_nulls(mut value: Value) -> Value {
    if let Some(fields) = value.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    value
}

impl Protocol {
    fn read(text: &str) -> Result<Self> {
        match text {
            "" | "ssh" => Ok(Self::Ssh),
            "https" => Ok(Self::Https),
            "https-fips" => Ok(Self::HttpsFips),
            other => Err(spec(
                "cloneProtocol",
                format!("unknown clone protocol for codecommit {other}"),
            )),
        }
    }

    fn choose(self, ssh: String, https: String) -> Result<String> {
        const HOST: &str = "https://git-codecommit.";
        const FIPS: &str = "https://git-codecommit-fips.";
        match self {
            Self::Ssh => Ok(ssh),
            Self::Https => Ok(https),
            Self::HttpsFips if https.starts_with(FIPS) => Ok(https),
            Self::HttpsFips => match https.strip_prefix(HOST) {
                Some(rest) => Ok(format!("{FIPS}{rest}")),
                None => Err(spec(
                    "cloneProtocol",
                    format!("{https} has no FIPS form; use https"),
                )),
            },
        }
    }
}
