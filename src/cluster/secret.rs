//! Argo CD's cluster Secret, read into what the hub connects with.
//!
//! The format is Argo CD's: `data.name`, `data.server`, `data.config` (JSON), `data.namespaces`,
//! `data.clusterResources`, `data.shard`, `data.project`, and the Secret's labels and annotations.
//! Nothing here connects anywhere, and no credential leaves [`Credentials`].

use std::collections::BTreeMap;

use argosy_crds::names;
use argosy_facts::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD as BASE64, URL_SAFE_NO_PAD as BASE64_URL};
use jiff::Timestamp;
use k8s_openapi::api::core::v1 as core;
use serde::Deserialize;

/// A registered cluster, as its Secret describes it.
#[derive(Clone, Debug, PartialEq)]
pub struct ClusterConfig {
    /// The display name; the server's URL when the Secret names none.
    pub name: String,
    /// The API server's URL without a trailing slash; what destinations and metrics call it.
    pub server: String,
    /// The Secret's labels, less the one that makes it a cluster.
    pub labels: BTreeMap<String, String>,
    /// The Secret's annotations.
    pub annotations: BTreeMap<String, String>,
    /// The namespaces that are managed; `None` for the whole cluster.
    pub namespaces: Option<Vec<String>>,
    /// Whether cluster-scoped resources are managed although `namespaces` is set.
    pub cluster_resources: bool,
    /// The project that alone may use it.
    pub project: Option<String>,
    /// How to connect.
    pub credentials: Credentials,
}

/// What a connection authenticates with.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Credentials {
    /// Basic authentication.
    pub username: Option<String>,
    /// Basic authentication.
    pub password: Option<Secret>,
    /// A bearer token.
    pub bearer_token: Option<Secret>,
    /// Certificates.
    pub tls_client_config: TlsClientConfig,
    /// A command that prints an `ExecCredential`.
    pub exec_provider_config: Option<ExecProvider>,
    /// A proxy for this cluster alone.
    pub proxy_url: Option<String>,
    /// Whether answers are asked for uncompressed.
    pub disable_compression: bool,
}

impl Credentials {
    /// When the bearer token ends, where it is a JSON web token that says so. A client's certificate
    /// is not looked at.
    pub fn expire(&self) -> Option<Timestamp> {
        #[derive(Deserialize)]
        struct Claims {
            exp: i64,
        }
        let token = self.bearer_token.as_ref()?.expose();
        let claims = token.split('.').nth(1)?;
        let claims: Claims = serde_json::from_slice(&BASE64_URL.decode(claims).ok()?).ok()?;
        Timestamp::from_second(claims.exp).ok()
    }
}

/// The TLS part of a cluster's `config`; certificates and keys are PEM in base64.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TlsClientConfig {
    /// Whether the server's certificate is believed unseen.
    pub insecure: bool,
    /// The name that the server's certificate must carry, where it is not the URL's host.
    pub server_name: Option<String>,
    /// The client's certificate.
    pub cert_data: Option<String>,
    /// The client's key.
    pub key_data: Option<Secret>,
    /// The authority that signed the server's certificate.
    pub ca_data: Option<String>,
}

/// A credential plugin, run without a terminal.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ExecProvider {
    /// The program.
    pub command: String,
    /// Its arguments.
    pub args: Vec<String>,
    /// Its environment.
    pub env: BTreeMap<String, String>,
    /// The version of `ExecCredential` that it speaks.
    pub api_version: Option<String>,
    /// What to tell a person who lacks the program.
    pub install_hint: Option<String>,
}

/// Why a Secret does not describe a cluster.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// `data.server` is absent.
    #[error("key `server` is missing; set it to the API server's URL")]
    NoServer,
    /// A value is not text.
    #[error("key `{key}` is not UTF-8 text")]
    NotText {
        /// The key.
        key: &'static str,
    },
    /// `data.config` cannot be read.
    #[error("key `config` is not the JSON that Argo CD defines (line {line}, column {column})")]
    // serde's own text may quote what it read, and what it read is a credential.
    Config {
        /// Where reading ended.
        line: usize,
        /// Where reading ended.
        column: usize,
    },
    /// Basic authentication and a bearer token, or insecure and a CA.
    #[error("key `config` sets both {first} and {second}; keep one")]
    Conflict {
        /// One of them.
        first: &'static str,
        /// The other.
        second: &'static str,
    },
    /// Not base64.
    #[error("key `config`: `tlsClientConfig.{field}` is not base64")]
    NotBase64 {
        /// The field.
        field: &'static str,
    },
}

impl ClusterConfig {
    /// The cluster that the hub runs on, which needs no Secret.
    pub fn in_cluster() -> Self {
        Self {
            name: names::IN_CLUSTER_NAME.to_owned(),
            server: names::IN_CLUSTER_SERVER.to_owned(),
            labels: BTreeMap::new(),
            annotations: BTreeMap::new(),
            namespaces: None,
            cluster_resources: false,
            project: None,
            credentials: Credentials::default(),
        }
    }

    /// Reads a cluster Secret.
    pub fn from_secret(secret: &core::Secret) -> Result<Self, Error> {
        let text = |key| text(secret, key);
        let server = text("server")?.ok_or(Error::NoServer)?;
        let server = server.trim_end_matches('/').to_owned();
        let credentials = match text("config")? {
            Some(config) => Credentials::parse(&config)?,
            None => Credentials::default(),
        };
        let mut labels = secret.metadata.labels.clone().unwrap_or_default();
        labels.remove(names::label::SECRET_TYPE);
        Ok(Self {
            name: text("name")?.unwrap_or_else(|| server.clone()),
            server,
            labels,
            annotations: secret.metadata.annotations.clone().unwrap_or_default(),
            namespaces: text("namespaces")?.map(|list| split_list(&list)),
            cluster_resources: text("clusterResources")?.as_deref() == Some("true"),
            project: text("project")?,
            credentials,
        })
    }
}

impl Credentials {
    fn parse(config: &str) -> Result<Self, Error> {
        let credentials: Self = serde_json::from_str(config).map_err(|error| Error::Config {
            line: error.line(),
            column: error.column(),
        })?;
        let tls = &credentials.tls_client_config;
        if tls.insecure && tls.ca_data.is_some() {
            return Err(Error::Conflict {
                first: "tlsClientConfig.insecure",
                second: "tlsClientConfig.caData",
            });
        }
        if credentials.username.is_some() && credentials.bearer_token.is_some() {
            return Err(Error::Conflict {
                first: "username",
                second: "bearerToken",
            });
        }
        for (field, value) in [
            ("certData", tls.cert_data.as_deref()),
            ("keyData", tls.key_data.as_ref().map(Secret::expose)),
            ("caData", tls.ca_data.as_deref()),
        ] {
            if value.is_some_and(|value| BASE64.decode(value).is_err()) {
                return Err(Error::NotBase64 { field });
            }
        }
        Ok(credentials)
    }
}

fn text(secret: &core::Secret, key: &'static str) -> Result<Option<String>, Error> {
    let Some(bytes) = secret.data.as_ref().and_then(|data| data.get(key)) else {
        return Ok(None);
    };
    let text = String::from_utf8(bytes.0.clone()).map_err(|_| Error::NotText { key })?;
    Ok(Some(text).filter(|text| !text.is_empty()))
}

fn split_list(list: &str) -> Vec<String> {
    list.split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::ByteString;

    fn secret(data: &[(&str, &str)]) -> core::Secret {
        core::Secret {
            data: Some(
                data.iter()
                    .map(|(key, value)| ((*key).to_owned(), ByteString(value.as_bytes().to_vec())))
                    .collect(),
            ),
            ..core::Secret::default()
        }
    }

    #[test]
    fn reads_what_argo_cd_writes() {
        let config = ClusterConfig::from_secret(&secret(&[
            ("name", "prod"),
            ("server", "https://10.0.0.1:6443/"),
            ("namespaces", "web, , db"),
            (
                "config",
                r#"{"bearerToken":"t0ken","tlsClientConfig":{"insecure":true}}"#,
            ),
        ]))
        .unwrap();
        assert_eq!(config.server, "https://10.0.0.1:6443");
        assert_eq!(
            config.namespaces,
            Some(vec!["web".to_owned(), "db".to_owned()])
        );
        assert!(config.credentials.tls_client_config.insecure);
        assert!(!format!("{config:?}").contains("t0ken"));
    }

    #[test]
    fn a_token_may_say_when_it_ends() {
        let of = |token: &str| Credentials {
            bearer_token: Some(Secret::new(token)),
            ..Credentials::default()
        };
        let end = Timestamp::from_second(4_000_000_000).ok();
        assert_eq!(of("e30.eyJleHAiOjQwMDAwMDAwMDB9.x").expire(), end);
        for opaque in ["", "t0ken", "a.b.c", "e30.e30.x"] {
            assert_eq!(of(opaque).expire(), None, "{opaque}");
        }
    }

    #[test]
    fn a_broken_config_is_not_quoted() {
        let error = ClusterConfig::from_secret(&secret(&[
            ("server", "https://10.0.0.1"),
            ("config", r#"{"bearerToken": hunter2}"#),
        ]))
        .unwrap_err();
        assert!(error.to_string().contains("line 1"));
        assert!(!error.to_string().contains("hunter2"));
    }

    #[test]
    fn insecure_with_a_ca_is_refused() {
        let error = ClusterConfig::from_secret(&secret(&[
            ("server", "https://10.0.0.1"),
            (
                "config",
                r#"{"tlsClientConfig":{"insecure":true,"caData":"Zm9v"}}"#,
            ),
        ]))
        .unwrap_err();
        assert!(error.to_string().contains("keep one"));
    }
}
