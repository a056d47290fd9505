//! How a remote is shown who asks, from the entries of a Secret.

use std::collections::BTreeMap;
use std::sync::Arc;

use argosy_facts::Secret;
use argosy_scm::GitHubApp;

use super::{SecretError, secret::flag};

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
    /// Nobody knows: the Secret cannot be read.
    Unreadable(SecretError),
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
            Self::Unreadable(_) => "unreadable".to_owned(),
        }
    }

    /// Whether there are none.
    pub(crate) fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }
}
/// Argo CD's precedence: password or token, ssh key, then the clouds' own ways.
pub(super) fn read_credentials(data: &BTreeMap<String, Secret>) -> Result<Credentials, String> {
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
