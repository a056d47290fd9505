//! A client for one cluster, made from its credentials.
//!
//! Each cluster has a client of its own, so that no pool, limit or timeout is shared between two
//! clusters. Nothing here is ever printed: a configuration holds credentials.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use argosy_crds::names;
use argosy_facts::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use kube::config::{AuthInfo, ExecConfig, ExecInteractiveMode};
use kube::{Client, Config};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use super::guarded::{MayWrite, guarded};
use super::secret::{ClusterConfig, Credentials, ExecProvider};

/// How long a connection attempt may take: a dead host must not hold a worker for longer.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The longest silence on a connection; a watch that is idle for longer is re-established.
const READ_TIMEOUT: Duration = Duration::from_mins(5);

/// Why no client could be made.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    /// The URL is not one.
    #[error("the server `{server}` is not a URL")]
    Url {
        /// What stands there.
        server: String,
        /// Why it is not a URL.
        #[source]
        source: http::uri::InvalidUri,
    },
    /// The proxy is not a URL.
    #[error("the proxy is not a URL")]
    Proxy(#[source] http::uri::InvalidUri),
    /// The CA is not a list of PEM certificates.
    #[error("`tlsClientConfig.caData` holds no PEM certificate")]
    Ca,
    /// The metrics of the cluster cannot be declared.
    #[error("its metrics cannot be declared")]
    Metrics(#[from] prometheus::Error),
    /// kube's client refused the configuration.
    #[error("the credentials cannot be used")]
    Client(#[source] kube::Error),
}

/// Makes the clients of clusters.
#[derive(Clone)]
pub struct Dial(Arc<Make>);

type Make = dyn Fn(&ClusterConfig) -> Result<Client, Error> + Send + Sync;

impl Dial {
    /// Clients that connect over the network.
    pub fn network() -> Self {
        Self(Arc::new(|cluster| {
            Client::try_from(config(cluster)?).map_err(Error::Client)
        }))
    }

    /// Clients that `dial` makes.
    pub fn from_fn(dial: impl Fn(&ClusterConfig) -> Client + Send + Sync + 'static) -> Self {
        Self(Arc::new(move |cluster| Ok(dial(cluster))))
    }

    /// The same clients, which ask before they change anything.
    pub(crate) fn guarded(self, may_write: MayWrite) -> Self {
        Self(Arc::new(move |cluster| {
            (self.0)(cluster).map(|client| guarded(client, &may_write))
        }))
    }

    /// Makes a client for `cluster`.
    ///
    /// `hub` serves the cluster that the hub runs on when its Secret brings no credentials.
    pub(super) fn client(&self, cluster: &ClusterConfig, hub: &Client) -> Result<Client, Error> {
        let is_hub = cluster.server == names::IN_CLUSTER_SERVER;
        if is_hub && cluster.credentials == Credentials::default() {
            return Ok(hub.clone());
        }
        (self.0)(cluster)
    }
}

impl fmt::Debug for Dial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Dial")
    }
}

fn config(cluster: &ClusterConfig) -> Result<Config, Error> {
    let credentials = &cluster.credentials;
    let tls = &credentials.tls_client_config;
    let url = cluster.server.parse().map_err(|source| Error::Url {
        server: cluster.server.clone(),
        source,
    })?;
    let mut config = Config::new(url);
    config.connect_timeout = Some(CONNECT_TIMEOUT);
    config.read_timeout = Some(READ_TIMEOUT);
    config.accept_invalid_certs = tls.insecure;
    config.tls_server_name.clone_from(&tls.server_name);
    config.disable_compression = credentials.disable_compression;
    if let Some(ca) = &tls.ca_data {
        config.root_cert = Some(certificates(ca)?);
    }
    if let Some(proxy) = &credentials.proxy_url {
        config.proxy_url = Some(proxy.parse().map_err(Error::Proxy)?);
    }
    config.auth_info = auth(credentials);
    Ok(config)
}

fn certificates(base64_pem: &str) -> Result<Vec<Vec<u8>>, Error> {
    let pem = BASE64.decode(base64_pem).map_err(|_| Error::Ca)?;
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(&pem)
        .map(|certificate| certificate.map(|der| der.to_vec()))
        .collect::<Result<_, _>>()
        .map_err(|_| Error::Ca)?;
    if certificates.is_empty() {
        Err(Error::Ca)
    } else {
        Ok(certificates)
    }
}

fn auth(credentials: &Credentials) -> AuthInfo {
    let tls = &credentials.tls_client_config;
    let secret = |secret: &Option<Secret>| {
        secret
            .as_ref()
            .map(|secret| secret.expose().to_owned().into())
    };
    AuthInfo {
        username: credentials.username.clone(),
        password: secret(&credentials.password),
        token: secret(&credentials.bearer_token),
        client_certificate_data: tls.cert_data.clone(),
        client_key_data: secret(&tls.key_data),
        exec: credentials.exec_provider_config.as_ref().map(exec),
        ..AuthInfo::default()
    }
}

fn exec(provider: &ExecProvider) -> ExecConfig {
    let env = provider.env.iter().map(|(name, value)| {
        [
            ("name".to_owned(), name.clone()),
            ("value".to_owned(), value.clone()),
        ]
        .into()
    });
    ExecConfig {
        api_version: provider
            .api_version
            .clone()
            .or_else(|| Some("client.authentication.k8s.io/v1beta1".to_owned())),
        command: Some(provider.command.clone()),
        args: Some(provider.args.clone()),
        env: Some(env.collect()),
        drop_env: None,
        install_hint: provider.install_hint.clone(),
        interactive_mode: Some(ExecInteractiveMode::Never),
        provide_cluster_info: false,
        cluster: None,
        other: std::collections::BTreeMap::default(),
    }
}
