//! What generators refer to: keys of Secrets and ConfigMaps, read when they are needed.
//!
//! They are read from the API server and not from the hub's index, which holds labelled ones alone.
//! The texts of failures name objects and keys and never a value.

use std::collections::BTreeMap;

use argosy_crds::application_set::generators::{ConfigMapKeyRef, SecretRef};
use argosy_crds::names::label;
use argosy_facts::Secret;
use argosy_scm::{AwsCredentials, Credentials, GitHubApp, Reference};
use k8s_openapi::api::core::v1 as core;
use kube::{Api, Client};

use super::aws;
use crate::surroundings::Surroundings;

/// Reads what is referred to from one namespace.
pub(super) struct References<'a> {
    pub(super) client: &'a Client,
    /// Where the set lives.
    pub(super) namespace: &'a str,
    /// The hub's own namespace.
    pub(super) hub: &'a str,
    /// Whether a Secret must be labelled as an SCM provider's.
    pub(super) strict: bool,
    /// Where the hub's own identity is found.
    pub(super) surroundings: &'a Surroundings,
}

impl References<'_> {
    /// The credentials that a generator refers to.
    pub(super) async fn credentials(
        &self,
        reference: &Reference<'_>,
    ) -> Result<Credentials, String> {
        Ok(match reference {
            Reference::None => Credentials::None,
            Reference::Token(at) => Credentials::Token(self.token(at).await?),
            Reference::Basic(user, at) => {
                Credentials::Basic((*user).to_owned(), self.token(at).await?)
            }
            Reference::GitHubApp(name) => Credentials::GitHubApp(Box::new(self.app(name).await?)),
            Reference::Aws => {
                let own: AwsCredentials = aws::credentials(self.surroundings)?;
                Credentials::Aws(Box::new(own))
            }
        })
    }

    /// A key of a Secret of the set's namespace.
    async fn token(&self, at: &SecretRef) -> Result<Secret, String> {
        let name = &at.secret_name;
        let secret = secret(self.client, self.namespace, name).await?;
        let labels = secret.metadata.labels.as_ref();
        let kind = labels.and_then(|labels| labels.get(label::SECRET_TYPE));
        if self.strict && kind.map(String::as_str) != Some(label::SECRET_TYPE_SCM_CREDS) {
            return Err(format!(
                "secret {}/{name} is not a valid SCM creds secret: secret must have label {:?}={:?}",
                self.namespace,
                label::SECRET_TYPE,
                label::SECRET_TYPE_SCM_CREDS
            ));
        }
        value(&secret, &at.key).ok_or_else(|| {
            format!(
                "key {:?} in secret {}/{name} not found",
                at.key, self.namespace
            )
        })
    }

    /// A GitHub App, which is registered in the hub's namespace.
    async fn app(&self, name: &str) -> Result<GitHubApp, String> {
        let secret = secret(self.client, self.hub, name).await?;
        let missing = |key: &str| format!("no github app found for {name}: {key} is missing");
        let text = |key: &str| value(&secret, key).map(|value| value.expose().trim().to_owned());
        let number = |key: &str| {
            let parse = |text: String| {
                let number = text.parse();
                number.map_err(|_| format!("{key} of the secret {name} must be a number"))
            };
            text(key).map(parse).transpose()
        };
        Ok(GitHubApp {
            id: number("githubAppID")?.ok_or_else(|| missing("githubAppID"))?,
            installation: number("githubAppInstallationID")?,
            key: value(&secret, "githubAppPrivateKey")
                .ok_or_else(|| missing("githubAppPrivateKey"))?,
            base: text("githubAppEnterpriseBaseUrl").unwrap_or_default(),
        })
    }

    /// A certificate authority of the set's namespace.
    pub(super) async fn authority(&self, at: &ConfigMapKeyRef) -> Result<String, String> {
        let mut data = config_map(self.client, self.namespace, &at.config_map_name).await?;
        data.remove(&at.key).ok_or_else(|| {
            format!(
                "key {} not found in ConfigMap {}",
                at.key, at.config_map_name
            )
        })
    }
}

/// A Secret; one that is not there is an error.
pub(super) async fn secret(
    client: &Client,
    namespace: &str,
    name: &str,
) -> Result<core::Secret, String> {
    let api: Api<core::Secret> = Api::namespaced(client.clone(), namespace);
    api.get(name)
        .await
        .map_err(|error| format!("error fetching secret {namespace}/{name}: {}", told(&error)))
}

/// A value of a Secret, without the line break that editors leave at its end.
pub(super) fn value(secret: &core::Secret, key: &str) -> Option<Secret> {
    let bytes = secret.data.as_ref()?.get(key)?;
    let text = std::str::from_utf8(&bytes.0).ok()?.trim_end();
    (!text.is_empty()).then(|| Secret::new(text))
}

/// The data of a ConfigMap; one that is not there is an error.
pub(crate) async fn config_map(
    client: &Client,
    namespace: &str,
    name: &str,
) -> Result<BTreeMap<String, String>, String> {
    let api: Api<core::ConfigMap> = Api::namespaced(client.clone(), namespace);
    let found = api.get(name).await.map_err(|error| {
        format!(
            "error fetching ConfigMap {namespace}/{name}: {}",
            told(&error)
        )
    })?;
    Ok(found.data.unwrap_or_default())
}

/// What the API server said, in a form that is the same each time.
pub(crate) fn told(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) => status.message.clone(),
        other => crate::diagnostic::chain(other),
    }
}
