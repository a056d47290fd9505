//! All repositories that are registered, and which of them a URL means.

use std::collections::BTreeMap;

use argosy_engine::repo_url::normalise;
use argosy_facts::Secret;

use super::{Credentials, Repository, RepositoryKind, TrustedHosts};

/// Why a Secret is not a repository.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the repository Secret {secret} cannot be used: {why}")]
pub struct SecretError {
    /// The Secret's name.
    pub secret: String,
    /// What is wrong with it.
    pub why: String,
}

/// All registered repositories and credential templates.
#[derive(Clone, Debug, Default)]
pub struct Repositories {
    registered: Vec<Repository>,
    templates: Vec<Repository>,
    trusted: TrustedHosts,
    /// How many Secrets could not be read.
    unreadable: usize,
}

impl Repositories {
    /// Reads Secrets, given as name, value of the type label, and decoded data.
    ///
    /// Secrets of other types are ignored. Returns what could be read, and why the rest could not. Who
    /// reads a repository by a Secret that cannot be used is told so, where another Secret does not
    /// register it; one without a URL stands for nothing.
    pub fn read<'a>(
        secrets: impl IntoIterator<Item = (&'a str, &'a str, &'a BTreeMap<String, Secret>)>,
        trusted: TrustedHosts,
    ) -> (Self, Vec<SecretError>) {
        let mut all = Self {
            trusted,
            ..Self::default()
        };
        let mut errors = Vec::new();
        let (mut registered, mut templates) = (Vec::new(), Vec::new());
        for (name, kind, data) in secrets {
            let read = match kind {
                "repository" => Repository::registered(data),
                "repo-creds" => Repository::template(data),
                _ => continue,
            };
            match read {
                Ok(repository) if kind == "repository" => all.registered.push(repository),
                Ok(template) => all.templates.push(template),
                Err(unreadable) => {
                    errors.push(SecretError {
                        secret: name.to_owned(),
                        why: unreadable.why.clone(),
                    });
                    let place = if kind == "repository" {
                        &mut registered
                    } else {
                        &mut templates
                    };
                    place.extend(unreadable.repository(name));
                }
            }
        }
        all.unreadable = errors.len();
        // Of two for one URL the first registration counts, and the last template.
        all.registered.extend(registered);
        all.templates.splice(0..0, templates);
        (all, errors)
    }

    /// How many Secrets could not be read.
    pub(crate) fn unreadable(&self) -> usize {
        self.unreadable
    }

    /// Every registered repository.
    pub fn iter(&self) -> impl Iterator<Item = &Repository> {
        self.registered.iter()
    }

    /// The repository that a source of an application in `project` means by `url`.
    ///
    /// The project's own registration wins over a global one, another project's is never used, and
    /// a URL that nobody registered is read with the best template's credentials or anonymously.
    pub fn find(&self, url: &str, project: &str) -> Repository {
        let registered = |scope: Option<&str>| {
            self.registered
                .iter()
                .find(|repository| repository.is_at(url) && repository.project.as_deref() == scope)
        };
        let mut found = registered(Some(project))
            .filter(|_| !project.is_empty())
            .or_else(|| registered(None))
            .cloned()
            .unwrap_or_else(|| Repository::public(url));
        if let Some(template) = self.template(&found.url) {
            inherit(&mut found, template);
        }
        found.trust(&self.trusted)
    }

    /// A URL that needs no registration and gets no credentials but those that it holds itself.
    pub fn unregistered(&self, url: &str) -> Repository {
        Repository::public(url).trust(&self.trusted)
    }

    /// The repository of a chart's dependency: `@name` and `alias:name` are names of registered
    /// repositories, everything else is a URL. A registry's credentials serve all that lies below.
    ///
    /// `None` if no repository has the name.
    pub fn of_dependency(&self, address: &str, project: &str) -> Option<Repository> {
        let name = address
            .strip_prefix('@')
            .or_else(|| address.strip_prefix("alias:"));
        if let Some(name) = name {
            let visible = |repository: &&Repository| {
                let scope = repository.project.as_deref();
                repository.name == name && (scope.is_none() || scope == Some(project))
            };
            let named = self.registered.iter().find(visible)?;
            return Some(self.find(&named.url, project));
        }
        let found = self.find(address, project);
        let (true, Some(bare)) = (found.credentials.is_none(), address.strip_prefix("oci://"))
        else {
            return Some(found);
        };
        let serves = |repository: &&Repository| {
            let scope = repository.project.as_deref();
            let below = repository
                .url
                .trim_start_matches("oci://")
                .trim_end_matches('/');
            let rest = bare.strip_prefix(below);
            (repository.enable_oci || repository.kind == RepositoryKind::Oci)
                && (scope.is_none() || scope == Some(project))
                && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let serving = self.registered.iter().find(serves);
        let Some(serving) = serving.map(|one| self.find(&one.url, project)) else {
            return Some(found);
        };
        Some(Repository {
            url: found.url,
            ..serving
        })
    }

    fn template(&self, url: &str) -> Option<&Repository> {
        let url = normalise(url);
        self.templates
            .iter()
            .filter(|template| {
                let prefix = normalise(&template.url);
                !prefix.is_empty() && url.starts_with(&prefix)
            })
            .max_by_key(|template| normalise(&template.url).len())
    }
}

/// Takes over what Argo CD takes over: credentials if the repository has none, some flags always.
fn inherit(repository: &mut Repository, template: &Repository) {
    if matches!(repository.credentials, Credentials::None)
        && repository.tls.client_certificate.is_none()
    {
        repository.credentials = template.credentials.clone();
        repository
            .tls
            .client_certificate
            .clone_from(&template.tls.client_certificate);
    }
    if repository.proxy.is_none() {
        repository.proxy.clone_from(&template.proxy);
        repository.no_proxy.clone_from(&template.no_proxy);
    }
    repository.enable_oci = template.enable_oci;
    repository.insecure_oci_http = template.insecure_oci_http;
}
