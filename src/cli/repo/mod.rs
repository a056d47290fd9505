//! `argosy repo …`.
//!
//! Repositories are Secrets in Argo CD's format. Whether one answers is found out from where the
//! command runs, with the credentials that the hub would use. No command prints a secret.

mod add;
mod get;
mod list;
mod rm;
mod secret;
mod test;

use std::collections::BTreeMap;
use std::time::Duration;

use argosy_crds::names;
use argosy_facts::Secret as Credential;
use clap::Subcommand;
use futures::future::join_all;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::Api;
use kube::api::ListParams;
use serde::Serialize;

use super::hub_access::{HubArgs, absent, failed};
use super::{CommandResult, block_on, output};
use crate::blocking::Blocking;
use crate::clock::Clock;
use crate::diagnostic::Diagnostic;
use crate::disk::Disk;
use crate::http::Network;
use crate::scratch::Scratch;
use crate::source::{
    Charts, Limits, Remotes, Repositories, Repository, RepositoryKind, SourceError, Sources,
    TrustedHosts, decoded, shown_url,
};

/// How long a repository may take to answer a command.
const PATIENCE: Duration = Duration::from_secs(15);

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Register a repository, or credentials for many.
    Add(Box<add::Args>),
    /// List the registered repositories.
    List(list::Args),
    /// Show one repository.
    Get(get::Args),
    /// Let go of a repository.
    Rm(rm::Args),
    /// Ask a repository whether it accepts its credentials.
    Test(test::Args),
}

pub(crate) fn run(command: Command) -> CommandResult {
    match command {
        Command::Add(args) => block_on(add::run(*args)),
        Command::List(args) => block_on(list::run(args)),
        Command::Get(args) => block_on(get::run(args)),
        Command::Rm(args) => block_on(rm::run(args)),
        Command::Test(args) => block_on(test::run(args)),
    }
}

/// A repository as the CLI shows it; no credential is part of it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Registered {
    repo: String,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    project: Option<String>,
    secret: String,
    /// Whose credentials, without them.
    credentials: String,
    insecure: bool,
    #[serde(rename = "enableOCI")]
    enable_oci: bool,
    enable_lfs: bool,
    connection_state: ConnectionState,
}

/// Whether a repository answered.
#[derive(Clone, Debug, Serialize)]
struct ConnectionState {
    status: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    message: String,
}

/// What the hub has of repositories.
struct Known {
    secrets: Vec<Secret>,
    trusted: TrustedHosts,
    repositories: Repositories,
}

impl Known {
    /// Reads the Secrets of both kinds, and whom the hub trusts.
    async fn read(hub: &HubArgs) -> Result<Self, Diagnostic> {
        let client = hub.client().await?;
        let secrets: Api<Secret> = Api::namespaced(client.clone(), &hub.namespace);
        let selector = format!("{} in (repository, repo-creds)", names::label::SECRET_TYPE);
        let secrets = secrets.list(&ListParams::default().labels(&selector)).await;
        let secrets = secrets
            .map_err(|error| failed("cannot list repository Secrets", &error))?
            .items;
        let maps: Api<ConfigMap> = Api::namespaced(client, &hub.namespace);
        let mut trusted = BTreeMap::new();
        for name in TrustedHosts::CONFIG_MAPS {
            let map = maps.get_opt(name).await;
            let map = map.map_err(|error| failed(format!("cannot read {name}"), &error))?;
            trusted.insert(name, map.and_then(|map| map.data).unwrap_or_default());
        }
        let trusted = TrustedHosts::read(|name| trusted.get(name).cloned().unwrap_or_default());
        let repositories = read(&secrets, None, trusted.clone());
        Ok(Self {
            secrets,
            trusted,
            repositories,
        })
    }

    /// As it will be with a Secret of these data, which counts before all others.
    fn with(&self, kind: &str, data: &BTreeMap<String, Credential>) -> Self {
        Self {
            secrets: self.secrets.clone(),
            trusted: self.trusted.clone(),
            repositories: read(&self.secrets, Some((kind, data)), self.trusted.clone()),
        }
    }

    /// A registration as the hub uses it: with what templates lend and with whom it trusts.
    fn effective(&self, registered: &Repository) -> Repository {
        let project = registered.project.as_deref().unwrap_or_default();
        self.repositories.find(&registered.url, project)
    }

    /// The Secrets of one kind with what they say. One that says of no repository that it is its own
    /// is passed over, with a warning.
    fn of_kind<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = (&'a Secret, Repository)> {
        let of_kind = self
            .secrets
            .iter()
            .filter(move |secret| secret_type(secret) == kind);
        of_kind.filter_map(move |secret| {
            let data = decoded(secret);
            let read = if kind == secret::TEMPLATE {
                Repository::template(&data)
            } else {
                Repository::registered(&data)
            };
            match read {
                Ok(repository) => Some((secret, repository)),
                Err(unreadable) => {
                    let (name, why) = (name_of(secret), unreadable.why.clone());
                    let found = unreadable.repository(name);
                    if found.is_none() {
                        output::note(format!("Warning: Secret `{name}` is passed over: {why}"));
                    }
                    found.map(|repository| (secret, repository))
                }
            }
        })
    }

    /// The registration of a URL or name.
    fn find(
        &self,
        wanted: &str,
        project: Option<&str>,
    ) -> Result<(&Secret, Repository), Diagnostic> {
        let mut all: Vec<_> = self.of_kind(secret::REPOSITORY).collect();
        let urls: Vec<_> = all
            .iter()
            .map(|(_, repository)| repository.url.clone())
            .collect();
        all.retain(|(_, repository)| {
            let is_wanted = repository.is_at(wanted) || repository.name == wanted;
            is_wanted
                && project.is_none_or(|project| repository.project.as_deref() == Some(project))
        });
        match all.len() {
            0 => Err(absent("repository", &shown_url(wanted), &urls)
                .fix("list them with `argosy repo list`")),
            1 => Ok(all.remove(0)),
            _ => {
                let of = all
                    .iter()
                    .map(|(_, one)| one.project.clone().unwrap_or_else(|| "(all)".to_owned()));
                let of: Vec<_> = of.collect();
                let what = format!(
                    "{} is registered for several projects: {}",
                    shown_url(wanted),
                    of.join(", ")
                );
                Err(Diagnostic::user("RepositoryAmbiguous", what).fix("name one with --project"))
            }
        }
    }
}

/// The repositories in Secrets, and in the data of one that does not exist yet.
fn read(
    secrets: &[Secret],
    more: Option<(&str, &BTreeMap<String, Credential>)>,
    trusted: TrustedHosts,
) -> Repositories {
    let secrets: Vec<_> = secrets
        .iter()
        .map(|secret| (name_of(secret), secret_type(secret), decoded(secret)))
        .collect();
    let known = secrets
        .iter()
        .map(|(name, kind, data)| (*name, *kind, data));
    let more = more.into_iter().map(|(kind, data)| ("", kind, data));
    // What cannot be used is told where it is listed.
    let (repositories, _) = Repositories::read(more.chain(known), trusted);
    repositories
}

fn name_of(secret: &Secret) -> &str {
    secret.metadata.name.as_deref().unwrap_or_default()
}

fn secret_type(secret: &Secret) -> &str {
    let labels = secret.metadata.labels.as_ref();
    let kind = labels.and_then(|labels| labels.get(names::label::SECRET_TYPE));
    kind.map_or("", String::as_str)
}

/// Asks repositories, all at once.
struct Tester {
    sources: Sources,
    charts: Charts,
    /// Removed when the last question is answered.
    _folder: Scratch,
}

impl Tester {
    fn new() -> Result<Self, Diagnostic> {
        let cannot = |error: std::io::Error| {
            Diagnostic::config("DataUnusable", "cannot make a directory for mirrors")
                .because(&error)
        };
        let folder = Scratch::new().map_err(cannot)?;
        let limits = Limits {
            list_timeout: PATIENCE,
            fetch_timeout: PATIENCE,
            ..Limits::default()
        };
        let disk = Disk::below(folder.path());
        let network = Network::system();
        let charts = Charts::new(&disk, network.clone(), Blocking::Pool, limits);
        let remotes = Remotes::mirrored(folder.path().join("git"), u64::MAX).map_err(cannot)?;
        Ok(Self {
            sources: Sources::new(remotes, network, Clock::system(), Blocking::Pool, limits),
            charts: charts.map_err(cannot)?,
            _folder: folder,
        })
    }

    async fn ask(&self, repository: &Repository) -> Result<(), SourceError> {
        let asked = async {
            match repository.kind {
                RepositoryKind::Git => self.sources.refs(repository).await.map(drop),
                RepositoryKind::Helm | RepositoryKind::Oci => self.charts.test(repository).await,
            }
        };
        let answer = tokio::time::timeout(PATIENCE, asked).await;
        answer.unwrap_or_else(|_| {
            Err(SourceError::Timeout {
                url: repository.url.clone(),
                action: "ask",
                seconds: PATIENCE.as_secs(),
            })
        })
    }

    async fn states(
        &self,
        repositories: impl IntoIterator<Item = &Repository>,
    ) -> Vec<ConnectionState> {
        let asked = repositories
            .into_iter()
            .map(|one| async move { self.ask(one).await.into() });
        join_all(asked).await
    }
}

impl From<Result<(), SourceError>> for ConnectionState {
    fn from(answer: Result<(), SourceError>) -> Self {
        match answer {
            Ok(()) => Self {
                status: "Successful",
                message: String::new(),
            },
            Err(error) => Self {
                status: "Failed",
                message: error.to_string(),
            },
        }
    }
}

impl Registered {
    fn new(secret: &Secret, repository: &Repository, connection_state: ConnectionState) -> Self {
        Self {
            repo: shown_url(&repository.url),
            kind: repository.kind.as_str(),
            name: repository.name.clone(),
            project: repository.project.clone(),
            secret: name_of(secret).to_owned(),
            credentials: repository.credentials.shown(),
            insecure: repository.tls.insecure,
            enable_oci: repository.enable_oci,
            enable_lfs: repository.enable_lfs,
            connection_state,
        }
    }
}

/// What is shown of registrations, each asked whether it answers unless that is not wanted.
async fn shown(known: &Known, kind: &str, ask: bool) -> Result<Vec<Registered>, Diagnostic> {
    let found: Vec<_> = known.of_kind(kind).collect();
    let unasked = ConnectionState {
        status: "Unknown",
        message: String::new(),
    };
    let states = if ask {
        let effective: Vec<_> = found.iter().map(|(_, one)| known.effective(one)).collect();
        Tester::new()?.states(&effective).await
    } else {
        vec![unasked; found.len()]
    };
    let all = found.iter().zip(states).map(|((secret, one), state)| {
        // Another Secret for the same URL may serve it meanwhile.
        let state = match one.usable() {
            Ok(()) => state,
            unreadable => unreadable.into(),
        };
        Registered::new(secret, one, state)
    });
    Ok(all.collect())
}
