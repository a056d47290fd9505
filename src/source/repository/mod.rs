//! Repositories and credential templates, read from Argo CD's Secrets.
//!
//! Pure: Secrets in, values out. One Secret that cannot be read is reported and never hides the
//! others. What is a credential is an [`argosy_facts::Secret`] from the moment it is read.

mod credentials;
mod registered;
mod secret;
#[cfg(test)]
mod tests;
mod url;

use std::{collections::BTreeMap, num::NonZeroU32, sync::Arc, time::Duration};

use argosy_engine::addresses::Addresses;
use argosy_facts::Secret;
use k8s_openapi::api::core::v1 as core;
use sha2::{Digest as _, Sha256};

pub use self::credentials::Credentials;
pub use self::registered::{Repositories, SecretError};
pub(crate) use self::secret::Unreadable;
use self::secret::read_secret;
pub use self::url::shown_url;
use self::url::{host, split_userinfo};
use super::{SourceError, hex};
use crate::fleet::source_addresses;
use crate::http::{Proxy, Reach, Redirects, Terms, Tls};

/// The data of a Secret.
pub(crate) fn decoded(secret: &core::Secret) -> BTreeMap<String, Secret> {
    let data = secret.data.iter().flatten();
    data.map(|(key, value)| (key.clone(), Secret::new(String::from_utf8_lossy(&value.0))))
        .collect()
}

/// What serves a repository.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum RepositoryKind {
    /// A git repository.
    #[default]
    Git,
    /// A Helm chart repository.
    Helm,
    /// An OCI registry.
    Oci,
}

impl RepositoryKind {
    /// The name in Argo CD's Secrets.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Git => "git",
            Self::Helm => "helm",
            Self::Oci => "oci",
        }
    }
}
/// Certificates, host keys and addresses from Argo CD's ConfigMaps: whom repositories may be with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedHosts {
    /// `argocd-tls-certs-cm`: PEM by host name.
    pub tls: BTreeMap<String, String>,
    /// `argocd-ssh-known-hosts-cm`: the text of `ssh_known_hosts`.
    pub ssh: Arc<str>,
    /// `argocd-cm`: the addresses that sources may have.
    pub addresses: Addresses,
}

impl TrustedHosts {
    /// Takes them from the data of the ConfigMaps, looked up by name.
    pub(crate) fn read(data: impl Fn(&str) -> BTreeMap<String, String>) -> Self {
        let ssh = data(Self::CONFIG_MAPS[0]).remove("ssh_known_hosts");
        Self {
            tls: data(Self::CONFIG_MAPS[1]),
            ssh: ssh.unwrap_or_default().into(),
            addresses: source_addresses(&data(Self::CONFIG_MAPS[2])),
        }
    }

    /// The ConfigMaps that hold them.
    pub(crate) const CONFIG_MAPS: [&str; 3] = [
        "argocd-ssh-known-hosts-cm",
        "argocd-tls-certs-cm",
        "argocd-cm",
    ];
}

/// A repository with all that is needed to read it.
#[derive(Clone, Debug)]
pub struct Repository {
    /// The URL without user and password.
    pub url: String,
    /// The project that alone may use it; `None` for all.
    pub project: Option<String>,
    /// The name, which chart dependencies refer to.
    pub name: String,
    /// What serves it.
    pub kind: RepositoryKind,
    /// Who we are to it.
    pub credentials: Credentials,
    /// Whom to trust.
    pub tls: Tls,
    /// The proxy's URL, which may hold a password.
    pub proxy: Option<Secret>,
    /// Hosts that are reached without the proxy.
    pub no_proxy: Option<String>,
    /// How much history to fetch; `None` is none.
    pub depth: Option<NonZeroU32>,
    /// Whether files that lie in git-lfs are fetched.
    pub enable_lfs: bool,
    /// A Helm registry that speaks OCI.
    pub enable_oci: bool,
    /// Plain HTTP to an OCI registry.
    pub insecure_oci_http: bool,
    /// The accepted ssh host keys.
    pub known_hosts: Arc<str>,
    /// The addresses that it may have.
    pub addresses: Addresses,
}

impl Repository {
    /// A repository that nobody registered: anonymous, unless its URL holds a user and password.
    pub fn public(url: &str) -> Self {
        let (url, embedded) = split_userinfo(url.trim());
        Self {
            kind: if url.starts_with("oci://") {
                RepositoryKind::Oci
            } else {
                RepositoryKind::Git
            },
            url,
            project: None,
            name: String::new(),
            credentials: embedded.unwrap_or_default(),
            tls: Tls::default(),
            proxy: None,
            no_proxy: None,
            depth: None,
            enable_lfs: false,
            enable_oci: false,
            insecure_oci_http: false,
            known_hosts: Arc::default(),
            addresses: Addresses::default(),
        }
    }

    /// Reads the data of a Secret that registers a repository.
    pub(crate) fn registered(data: &BTreeMap<String, Secret>) -> Result<Self, Unreadable> {
        read_secret(data, |repository| {
            let needs_name = repository.kind == RepositoryKind::Helm && !repository.enable_oci;
            (needs_name && repository.name.is_empty())
                .then_some("`name` is missing, which a helm repository needs")
        })
    }

    /// Reads the data of a Secret with credentials for all repositories below a URL.
    pub(crate) fn template(data: &BTreeMap<String, Secret>) -> Result<Self, Unreadable> {
        read_secret(data, |_| None)
    }

    /// Refuses to be read by a registration that says something else than it should: what it lacks
    /// may be the credentials, the proxy or whom to trust.
    pub(crate) fn usable(&self) -> Result<(), SourceError> {
        match &self.credentials {
            Credentials::Unreadable(error) => Err(SourceError::Registration {
                url: self.url.clone(),
                why: error.clone(),
            }),
            _ => Ok(()),
        }
    }

    /// On what terms it is reached over HTTP; a request may take `limit`.
    pub(crate) fn terms(&self, limit: Duration) -> Terms {
        let except = || self.no_proxy.clone();
        let at = |url: &Secret| Proxy::At {
            url: url.clone(),
            except: except(),
        };
        Terms {
            tls: self.tls.clone(),
            proxy: self.proxy.as_ref().map_or(Proxy::None, at),
            redirects: Redirects::Anywhere,
            reach: Reach::Within(self.addresses.clone()),
            limit,
        }
    }

    /// Every secret value, so that texts of others can be searched for them.
    pub fn secrets(&self) -> impl Iterator<Item = &Secret> {
        let credential = match &self.credentials {
            Credentials::Basic { password, .. } => Some(password),
            Credentials::Bearer(secret) | Credentials::SshKey(secret) => Some(secret),
            Credentials::GitHubApp(app) => Some(&app.key),
            Credentials::None | Credentials::Unsupported(_) | Credentials::Unreadable(_) => None,
        };
        let key = self.tls.client_certificate.as_ref().map(|(_, key)| key);
        credential.into_iter().chain(key).chain(self.proxy.as_ref())
    }

    /// The credentials as `what` is asked for with over HTTP.
    pub(super) fn registry_credentials(
        &self,
        what: &str,
    ) -> Result<argosy_registry::Credentials, SourceError> {
        use argosy_registry::Credentials as Shown;
        let unserved = |kind: &str| {
            Err(SourceError::Credentials {
                url: self.url.clone(),
                why: format!("{kind} is not for {what}; use a user and password"),
            })
        };
        self.usable()?;
        match &self.credentials {
            Credentials::None | Credentials::Unreadable(_) => Ok(Shown::None),
            Credentials::Basic { username, password } => Ok(Shown::Basic {
                username: username.clone(),
                password: password.clone(),
            }),
            Credentials::Bearer(token) => Ok(Shown::Bearer(token.clone())),
            Credentials::SshKey(_) => unserved("an ssh key"),
            Credentials::GitHubApp(_) => unserved("a GitHub App"),
            Credentials::Unsupported(what) => unserved(what),
        }
    }

    /// Removes every credential that a program or library may have quoted.
    pub(crate) fn redact(&self, text: String) -> String {
        Secret::redact(self.secrets(), text)
    }

    /// Names the registration: the normalised URL, and the project that it belongs to. What a
    /// project's own credentials fetched is not shown to others.
    pub(crate) fn key(&self) -> String {
        let url = argosy_engine::repo_url::normalise(&self.url);
        let url = if url.is_empty() { &self.url } else { &url };
        format!("{url}\n{}", self.project.as_deref().unwrap_or_default())
    }

    /// Tells registrations apart by everything that they say, without showing any of it.
    pub(crate) fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        // Secrets have no content here.
        hash.update(Sha256::digest(format!("{self:?}")));
        for secret in self.secrets() {
            hash.update(Sha256::digest(secret.expose()));
        }
        hex(&hash.finalize())
    }

    /// Whether this is the repository that `url` means.
    pub(crate) fn is_at(&self, url: &str) -> bool {
        argosy_engine::repo_url::same(&self.url, url) || self.url.trim() == url.trim()
    }

    fn trust(mut self, trusted: &TrustedHosts) -> Self {
        self.known_hosts = Arc::clone(&trusted.ssh);
        self.addresses.clone_from(&trusted.addresses);
        if let Some(host) = host(&self.url) {
            self.tls.authorities = trusted.tls.get(host).cloned();
        }
        self
    }
}
