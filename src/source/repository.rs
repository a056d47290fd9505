//! Repositories and credential templates, read from Argo CD's Secrets.
//!
//! Pure: Secrets in, values out. One Secret that cannot be read is reported and never hides the
//! others. What is a credential is an [`argosy_facts::Secret`] from the moment it is read.

use std::{collections::BTreeMap, num::NonZeroU32, sync::Arc, time::Duration};

use argosy_facts::Secret;
use argosy_scm::GitHubApp;
use k8s_openapi::api::core::v1 as core;
use sha2::{Digest as _, Sha256};

use super::{SourceError, hex};
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

/// How to show a remote who we are.
#[derive(Clone, Debug, Default)]
pub enum Credentials {
    /// Anonymously.
    #[default]
    None,
    /// User and password, or a token in the place of the password.
    Basic {
        /// The user.
        username: String,
        /// The password or token.
        password: Secret,
    },
    /// A token of its own scheme.
    Bearer(Secret),
    /// A private key in OpenSSH's or PEM form.
    SshKey(Secret),
    /// An App of GitHub, which makes tokens for git over https.
    GitHubApp(Arc<GitHubApp>),
    /// A form that Argosy does not serve, by its name for users.
    Unsupported(&'static str),
}

impl Credentials {
    /// What they are, without any secret.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::None => "none".to_owned(),
            Self::Basic { username, .. } => format!("user {username}"),
            Self::Bearer(_) => "token".to_owned(),
            Self::SshKey(_) => "ssh key".to_owned(),
            Self::GitHubApp(app) => format!("GitHub App {}", app.id),
            Self::Unsupported(what) => format!("{what}, which is not served"),
        }
    }

    /// Whether there are none.
    pub(crate) fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }
}

/// Certificates and host keys from Argo CD's ConfigMaps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedHosts {
    /// `argocd-tls-certs-cm`: PEM by host name.
    pub tls: BTreeMap<String, String>,
    /// `argocd-ssh-known-hosts-cm`: the text of `ssh_known_hosts`.
    pub ssh: Arc<str>,
}

impl TrustedHosts {
    /// Takes them from the data of the ConfigMaps, looked up by name.
    pub(crate) fn read(data: impl Fn(&str) -> BTreeMap<String, String>) -> Self {
        let ssh = data(Self::CONFIG_MAPS[0]).remove("ssh_known_hosts");
        Self {
            tls: data(Self::CONFIG_MAPS[1]),
            ssh: ssh.unwrap_or_default().into(),
        }
    }

    /// The ConfigMaps that hold them.
    pub(crate) const CONFIG_MAPS: [&str; 2] = ["argocd-ssh-known-hosts-cm", "argocd-tls-certs-cm"];
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
        }
    }

    /// Reads the data of a Secret that registers a repository.
    pub(crate) fn registered(data: &BTreeMap<String, Secret>) -> Result<Self, String> {
        let repository = read_secret(data)?;
        let needs_name = repository.kind == RepositoryKind::Helm && !repository.enable_oci;
        if needs_name && repository.name.is_empty() {
            return Err("`name` is missing, which a helm repository needs".into());
        }
        Ok(repository)
    }

    /// Reads the data of a Secret with credentials for all repositories below a URL.
    pub(crate) fn template(data: &BTreeMap<String, Secret>) -> Result<Self, String> {
        read_secret(data)
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
            reach: Reach::Anywhere,
            limit,
        }
    }

    /// Every secret value, so that texts of others can be searched for them.
    pub fn secrets(&self) -> impl Iterator<Item = &Secret> {
        let credential = match &self.credentials {
            Credentials::Basic { password, .. } => Some(password),
            Credentials::Bearer(secret) | Credentials::SshKey(secret) => Some(secret),
            Credentials::GitHubApp(app) => Some(&app.key),
            Credentials::None | Credentials::Unsupported(_) => None,
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
        match &self.credentials {
            Credentials::None => Ok(Shown::None),
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
    pub(crate) fn redact(&self, mut text: String) -> String {
        for secret in self.secrets().filter(|secret| !secret.is_empty()) {
            text = text.replace(secret.expose(), "***");
        }
        text
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
        if let Some(host) = host(&self.url) {
            self.tls.authorities = trusted.tls.get(host).cloned();
        }
        self
    }
}

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
}

impl Repositories {
    /// Reads Secrets, given as name, value of the type label, and decoded data.
    ///
    /// Secrets of other types are ignored. Returns what could be read, and why the rest could not.
    pub fn read<'a>(
        secrets: impl IntoIterator<Item = (&'a str, &'a str, &'a BTreeMap<String, Secret>)>,
        trusted: TrustedHosts,
    ) -> (Self, Vec<SecretError>) {
        let mut all = Self {
            trusted,
            ..Self::default()
        };
        let mut errors = Vec::new();
        for (name, kind, data) in secrets {
            let read = match kind {
                "repository" => Repository::registered(data),
                "repo-creds" => Repository::template(data),
                _ => continue,
            };
            match read {
                Ok(repository) if kind == "repository" => all.registered.push(repository),
                Ok(template) => all.templates.push(template),
                Err(why) => errors.push(SecretError {
                    secret: name.to_owned(),
                    why,
                }),
            }
        }
        (all, errors)
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

fn read_secret(data: &BTreeMap<String, Secret>) -> Result<Repository, String> {
    let secret = |key: &str| data.get(key).filter(|value| !value.is_empty()).cloned();
    let text = |key: &str| secret(key).map(|value| value.expose().trim().to_owned());
    let flag = |key: &str| flag(data, key);
    let url = text("url").ok_or("`url` is missing")?;
    let mut repository = Repository::public(&url);
    repository.kind = match text("type").as_deref() {
        None => repository.kind,
        Some("git") => RepositoryKind::Git,
        Some("helm") => RepositoryKind::Helm,
        Some("oci") => RepositoryKind::Oci,
        Some(other) => return Err(format!("`type` is `{other}`; use git, helm or oci")),
    };
    repository.project = text("project");
    repository.name = text("name").unwrap_or_default();
    repository.credentials = match read_credentials(data)? {
        Credentials::None => repository.credentials,
        given => given,
    };
    repository.tls.insecure = flag("insecure")? || flag("insecureIgnoreHostKey")?;
    repository.tls.client_certificate = text("tlsClientCertData").zip(secret("tlsClientCertKey"));
    repository.proxy = secret("proxy");
    repository.no_proxy = text("noProxy");
    repository.depth = match text("depth") {
        None => None,
        Some(depth) => NonZeroU32::new(
            depth
                .parse()
                .map_err(|_| "`depth` must be a whole number".to_owned())?,
        ),
    };
    repository.enable_lfs = flag("enableLfs")?;
    repository.enable_oci = flag("enableOCI")?;
    repository.insecure_oci_http = flag("insecureOCIForceHttp")?;
    Ok(repository)
}

/// A setting that is on or off.
fn flag(data: &BTreeMap<String, Secret>, key: &str) -> Result<bool, String> {
    match data.get(key).map_or("", |value| value.expose().trim()) {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "" | "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(format!("`{key}` must be `true` or `false`")),
    }
}

/// Argo CD's precedence: password or token, ssh key, then the clouds' own ways.
fn read_credentials(data: &BTreeMap<String, Secret>) -> Result<Credentials, String> {
    let secret = |key: &str| data.get(key).filter(|value| !value.is_empty()).cloned();
    if let Some(token) = secret("bearerToken") {
        return Ok(Credentials::Bearer(token));
    }
    if let Some(password) = secret("password") {
        let username = secret("username").map_or_else(String::new, |user| user.expose().to_owned());
        return Ok(Credentials::Basic { username, password });
    }
    if let Some(key) = secret("sshPrivateKey") {
        return Ok(Credentials::SshKey(key));
    }
    if let Some(key) = secret("githubAppPrivateKey") {
        return Ok(Credentials::GitHubApp(Arc::new(read_app(data, key)?)));
    }
    let identity = "useAzureWorkloadIdentity";
    let unsupported = [
        ("gcpServiceAccountKey", "a Google service account key"),
        (identity, "an Azure workload identity"),
        (
            "azureServicePrincipalClientSecret",
            "an Azure service principal",
        ),
    ];
    for (key, what) in unsupported {
        let is_given = match key {
            _ if key == identity => flag(data, key)?,
            _ => secret(key).is_some(),
        };
        if is_given {
            return Ok(Credentials::Unsupported(what));
        }
    }
    Ok(Credentials::None)
}

/// An App of GitHub, whose installation is looked for if none is named.
fn read_app(data: &BTreeMap<String, Secret>, key: Secret) -> Result<GitHubApp, String> {
    let text = |key: &str| data.get(key).map_or("", |value| value.expose().trim());
    let number = |key: &str| match text(key) {
        "" => Ok(None),
        text => {
            let number = text.parse().map(Some);
            number.map_err(|_| format!("`{key}` must be a whole number"))
        }
    };
    Ok(GitHubApp {
        id: number("githubAppID")?.ok_or("`githubAppID` is missing, whose key is given")?,
        installation: number("githubAppInstallationID")?,
        key,
        base: text("githubAppEnterpriseBaseUrl").to_owned(),
    })
}

/// The form in which URLs are compared: Argo CD's, which keeps a trailing slash.
fn normalise(url: &str) -> String {
    argosy_engine::repo_url::normalise(url)
}

/// The URL of a repository as it may be shown: without user and password.
pub fn shown_url(url: &str) -> String {
    let Ok(mut parsed) = url::Url::parse(url) else {
        return url.to_owned();
    };
    let names_somebody = parsed.password().is_some() || !parsed.username().is_empty();
    if !names_somebody || !matches!(parsed.scheme(), "http" | "https") {
        return url.to_owned();
    }
    // Neither fails for a URL with a host, as those of these schemes are.
    let _ = parsed.set_username("");
    let _ = parsed.set_password(None);
    parsed.to_string()
}

/// Takes user and password out of an http(s) URL, where any error message would print them.
fn split_userinfo(url: &str) -> (String, Option<Credentials>) {
    let Ok(mut parsed) = url::Url::parse(url) else {
        return (url.to_owned(), None);
    };
    if !matches!(parsed.scheme(), "http" | "https") {
        return (url.to_owned(), None);
    }
    let decode = |text: &str| percent_decode(text);
    let username = decode(parsed.username());
    let Some(password) = parsed.password().map(decode).map(Secret::new) else {
        return (url.to_owned(), None);
    };
    if parsed
        .set_username("")
        .and_then(|()| parsed.set_password(None))
        .is_err()
    {
        return (url.to_owned(), None);
    }
    let credentials = Credentials::Basic { username, password };
    (parsed.to_string(), Some(credentials))
}

fn percent_decode(text: &str) -> String {
    url::form_urlencoded::parse(format!("x={}", text.replace('+', "%2B")).as_bytes())
        .next()
        .map_or_else(String::new, |(_, value)| value.into_owned())
}

/// The host name of a URL or of an scp-like address.
fn host(url: &str) -> Option<&str> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let rest = rest.split('/').next()?;
    let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest);
    let host = rest.split(':').next()?;
    (!host.is_empty()).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(pairs: &[(&str, &str)]) -> BTreeMap<String, Secret> {
        pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), Secret::new(*value)))
            .collect()
    }

    fn read(secrets: &[(&str, BTreeMap<String, Secret>)]) -> (Repositories, Vec<SecretError>) {
        Repositories::read(
            secrets.iter().map(|(kind, data)| ("repo-1", *kind, data)),
            TrustedHosts::default(),
        )
    }

    fn user(repository: &Repository) -> &str {
        match &repository.credentials {
            Credentials::Basic { username, .. } => username,
            _ => "",
        }
    }

    #[test]
    fn the_longest_template_lends_its_credentials_to_who_has_none() {
        let template = |url, user| {
            let data = data(&[("url", url), ("username", user), ("password", "p")]);
            ("repo-creds", data)
        };
        let (all, errors) = read(&[
            template("https://git.example.com", "host"),
            template("https://git.example.com/org", "org"),
            (
                "repository",
                data(&[
                    ("url", "https://git.example.com/org/own.git"),
                    ("username", "own"),
                    ("password", "p"),
                ]),
            ),
        ]);
        assert_eq!(errors, []);
        let find = |url| user(&all.find(url, "default")).to_owned();
        assert_eq!(find("https://git.example.com/org/app"), "org");
        assert_eq!(find("https://git.example.com/other"), "host");
        assert_eq!(find("https://GIT.example.com/org/own"), "own");
        assert_eq!(find("https://elsewhere.example.com/x"), "");
    }

    #[test]
    fn a_projects_repository_is_its_own() {
        let scoped = |project, user| {
            let data = data(&[
                ("url", "https://git.example.com/a"),
                ("project", project),
                ("username", user),
                ("password", "p"),
            ]);
            ("repository", data)
        };
        let (all, _) = read(&[scoped("", "all"), scoped("red", "red")]);
        let find = |project| user(&all.find("https://git.example.com/a.git", project)).to_owned();
        assert_eq!(find("red"), "red");
        assert_eq!(find("blue"), "all");
    }

    #[test]
    fn one_bad_secret_hides_no_other() {
        let (all, errors) = read(&[
            ("repository", data(&[("username", "x")])),
            ("repository", data(&[("url", "https://git.example.com/a")])),
            ("cluster", data(&[])),
        ]);
        assert_eq!(all.iter().count(), 1);
        assert_eq!(
            errors[0].to_string(),
            "the repository Secret repo-1 cannot be used: `url` is missing"
        );
    }

    #[test]
    fn what_is_not_served_is_never_read_as_nothing() {
        for (key, value) in [
            ("gcpServiceAccountKey", "{}"),
            ("useAzureWorkloadIdentity", "true"),
            ("azureServicePrincipalClientSecret", "x"),
        ] {
            let url = ("url", "https://git.example.com/a");
            let (all, errors) = read(&[("repository", data(&[url, (key, value)]))]);
            assert_eq!(errors, []);
            let found = all.find("https://git.example.com/a", "default");
            assert!(
                matches!(found.credentials, Credentials::Unsupported(_)),
                "{key}"
            );
        }
    }

    #[test]
    fn dependencies_are_found_by_name_by_url_and_below_a_registry() {
        let (all, errors) = read(&[
            (
                "repository",
                data(&[
                    ("url", "https://charts.example.com"),
                    ("name", "stable"),
                    ("type", "helm"),
                    ("username", "helm"),
                    ("password", "p"),
                ]),
            ),
            (
                "repository",
                data(&[
                    ("url", "reg.example.com:5000/org"),
                    ("type", "helm"),
                    ("enableOCI", "true"),
                    ("username", "oci"),
                    ("password", "p"),
                ]),
            ),
        ]);
        assert_eq!(errors, []);
        let find = |address| all.of_dependency(address, "default");
        for name in ["@stable", "alias:stable", "https://charts.example.com"] {
            let found = find(name).unwrap();
            assert_eq!(
                (found.url.as_str(), user(&found)),
                ("https://charts.example.com", "helm")
            );
        }
        assert!(find("@other").is_none());
        let found = find("oci://reg.example.com:5000/org/team").unwrap();
        assert_eq!(
            (found.url.as_str(), user(&found)),
            ("oci://reg.example.com:5000/org/team", "oci")
        );
        assert_eq!(
            user(&find("oci://reg.example.com:5000/organic").unwrap()),
            ""
        );
        assert_eq!(user(&all.find("reg.example.com:5001/x", "default")), "");
    }

    /// CVE-2023-25163.
    #[test]
    fn a_password_in_the_url_is_taken_out_of_it() {
        let repository = Repository::public("https://bot:s3cr%40t@git.example.com/a.git");
        assert_eq!(repository.url, "https://git.example.com/a.git");
        assert_eq!(user(&repository), "bot");
        let secret = repository.secrets().next().unwrap();
        assert_eq!(secret.expose(), "s3cr@t");
        assert!(!format!("{repository:?}").contains("s3cr"));
    }
}
