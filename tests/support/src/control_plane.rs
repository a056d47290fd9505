//! etcd and kube-apiservers as processes, one etcd prefix for each server.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use kube::{Client, Config};
use serde_json::json;
use tempfile::TempDir;
use tokio::sync::Mutex;

use crate::credentials::{ADMIN_TOKEN, Credentials, NOBODY_TOKEN};
use crate::process::Process;
use crate::tool::{Tool, tool};

/// How long a server may take to become ready. It takes four seconds on an idle machine.
const READY_WITHIN: Duration = Duration::from_mins(2);

/// Who may do what on the servers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Authorization {
    /// Everybody everything.
    #[default]
    AlwaysAllow,
    /// What roles say.
    Rbac,
}

/// What a control plane is to be like.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How many clusters.
    pub servers: usize,
    /// Who may do what.
    pub authorization: Authorization,
}

/// A running control plane: clusters without nodes and controllers. Ends when it is dropped.
#[derive(Debug)]
pub struct ControlPlane {
    servers: Vec<ApiServer>,
    // Dropped after the servers, which complain when it goes first.
    _etcd: Process,
    _folder: TempDir,
}

/// One kube-apiserver: one cluster.
#[derive(Debug)]
pub struct ApiServer {
    process: Process,
    url: String,
    ca_pem: String,
    ca_der: Vec<u8>,
    client_certificate_pem: String,
    client_key_pem: String,
    kubeconfig: PathBuf,
}

impl ControlPlane {
    /// Starts a control plane of that many clusters where everybody may do everything.
    ///
    /// # Panics
    ///
    /// Panics with what the servers said when they do not become ready.
    pub async fn start(servers: usize) -> Self {
        Self::start_with(Options {
            servers,
            authorization: Authorization::AlwaysAllow,
        })
        .await
    }

    /// Starts a control plane.
    ///
    /// # Panics
    ///
    /// Panics with what the servers said when they do not become ready.
    pub async fn start_with(options: Options) -> Self {
        match Self::try_start(options).await {
            Ok(control_plane) => control_plane,
            Err(error) => panic!("cannot start a control plane: {error:#}"),
        }
    }

    /// Returns the control plane that tests of one binary share while any of them runs, with at
    /// least that many clusters. Tests keep apart by namespaces.
    pub async fn shared(servers: usize) -> Arc<Self> {
        static SHARED: Mutex<Weak<ControlPlane>> = Mutex::const_new(Weak::new());
        let mut shared = SHARED.lock().await;
        if let Some(running) = shared.upgrade()
            && running.servers.len() >= servers
        {
            return running;
        }
        let started = Arc::new(Self::start(servers).await);
        *shared = Arc::downgrade(&started);
        started
    }

    async fn try_start(options: Options) -> anyhow::Result<Self> {
        let program = tool(Tool::ControlPlane)?;
        let folder = tempfile::Builder::new()
            .prefix("argosy-controlplane-")
            .tempdir()?;
        let credentials = Credentials::create(folder.path())?;
        let (etcd, address) = start_etcd(&program, folder.path())?;
        let mut servers = Vec::new();
        for index in 0..options.servers {
            servers.push(ApiServer::start(
                &program,
                folder.path(),
                &credentials,
                &Cluster {
                    index,
                    etcd: &address,
                    authorization: options.authorization,
                },
            )?);
        }
        for server in &mut servers {
            server.wait_until_ready().await?;
        }
        Ok(Self {
            servers,
            _etcd: etcd,
            _folder: folder,
        })
    }

    /// Returns the clusters.
    pub fn servers(&self) -> &[ApiServer] {
        &self.servers
    }

    /// Returns an administrator's client of the cluster with that index.
    pub fn client(&self, index: usize) -> Client {
        self.servers[index].client()
    }
}

/// What distinguishes one cluster of a control plane.
struct Cluster<'a> {
    index: usize,
    etcd: &'a str,
    authorization: Authorization,
}

impl ApiServer {
    fn start(
        program: &Path,
        folder: &Path,
        credentials: &Credentials,
        cluster: &Cluster<'_>,
    ) -> anyhow::Result<Self> {
        let Cluster {
            index,
            etcd,
            authorization,
        } = *cluster;
        let port = free_port()?;
        let mode = match authorization {
            Authorization::AlwaysAllow => "AlwaysAllow",
            Authorization::Rbac => "RBAC",
        };
        let arguments = [
            "kube-apiserver".to_owned(),
            format!("--etcd-servers={etcd}"),
            format!("--etcd-prefix=/cluster-{index}"),
            "--bind-address=127.0.0.1".to_owned(),
            "--advertise-address=127.0.0.1".to_owned(),
            "--endpoint-reconciler-type=none".to_owned(),
            format!("--secure-port={port}"),
            format!(
                "--cert-dir={}",
                folder.join(format!("certs-{index}")).display()
            ),
            format!("--tls-cert-file={}", credentials.certificate.display()),
            format!("--tls-private-key-file={}", credentials.key.display()),
            format!("--token-auth-file={}", credentials.tokens.display()),
            format!("--client-ca-file={}", credentials.ca_file.display()),
            "--service-account-issuer=https://kubernetes.default.svc".to_owned(),
            format!(
                "--service-account-key-file={}",
                credentials.service_account_public_key.display()
            ),
            format!(
                "--service-account-signing-key-file={}",
                credentials.service_account_key.display()
            ),
            "--service-cluster-ip-range=10.0.0.0/24".to_owned(),
            format!("--authorization-mode={mode}"),
            // Nobody makes the service accounts that this plugin asks for.
            "--disable-admission-plugins=ServiceAccount".to_owned(),
            "--allow-privileged=true".to_owned(),
            // Tests send many requests at once from one user.
            "--enable-priority-and-fairness=false".to_owned(),
            "--max-requests-inflight=2000".to_owned(),
            "--max-mutating-requests-inflight=2000".to_owned(),
        ];
        let log = folder.join(format!("kube-apiserver-{index}.log"));
        let process = Process::start(program, &arguments, log)?;
        let url = format!("https://127.0.0.1:{port}");
        let kubeconfig = folder.join(format!("kubeconfig-{index}"));
        let (ca_pem, ca_der) = (credentials.ca_pem.clone(), credentials.ca_der.clone());
        let text = kubeconfig_text(&url, &credentials.ca_pem, ADMIN_TOKEN);
        std::fs::write(&kubeconfig, text)?;
        Ok(Self {
            process,
            url,
            ca_pem,
            ca_der,
            client_certificate_pem: credentials.client_certificate_pem.clone(),
            client_key_pem: credentials.client_key_pem.clone(),
            kubeconfig,
        })
    }

    /// Returns the address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the certificate authority as PEM.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// Returns the administrator's bearer token.
    pub fn token(&self) -> &'static str {
        ADMIN_TOKEN
    }

    /// Returns another administrator's certificate and key as PEM.
    pub fn client_certificate(&self) -> (&str, &str) {
        (&self.client_certificate_pem, &self.client_key_pem)
    }

    /// Returns the id of the process, by which its use of the machine can be read.
    pub fn process_id(&self) -> u32 {
        self.process.id()
    }

    /// Returns the path of the administrator's kubeconfig.
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// Returns a kubeconfig for whoever the bearer token belongs to.
    pub fn kubeconfig_as(&self, token: &str) -> String {
        kubeconfig_text(&self.url, &self.ca_pem, token)
    }

    /// Returns an administrator's client, made for the current runtime.
    pub fn client(&self) -> Client {
        self.client_as(ADMIN_TOKEN)
    }

    /// Returns the client of a user who has no rights but those that roles give to `nobody`.
    pub fn client_of_nobody(&self) -> Client {
        self.client_as(NOBODY_TOKEN)
    }

    /// Returns the client of whoever the bearer token belongs to.
    ///
    /// # Panics
    ///
    /// Panics when the token cannot be sent in a header.
    pub fn client_as(&self, token: &str) -> Client {
        // Another test may have installed the same provider already.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let mut config = Config::new(self.url.parse().expect("the address was built from a port"));
        config.root_cert = Some(vec![self.ca_der.clone()]);
        config.auth_info.token = Some(token.to_owned().into());
        Client::try_from(config).expect("the configuration holds a certificate and a token")
    }

    async fn wait_until_ready(&mut self) -> anyhow::Result<()> {
        let client = self.client();
        let since = Instant::now();
        loop {
            let request = http::Request::get("/readyz").body(Vec::new())?;
            if client
                .request_text(request)
                .await
                .is_ok_and(|answer| answer == "ok")
            {
                break;
            }
            if self.process.has_ended() || since.elapsed() > READY_WITHIN {
                bail!(
                    "{} is not ready; it said:\n{}",
                    self.url,
                    self.process.last_words()
                );
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        // The server makes its own namespaces after it calls itself ready.
        loop {
            let request = http::Request::get("/api/v1/namespaces/default").body(Vec::new())?;
            if client.request_text(request).await.is_ok() {
                return Ok(());
            }
            if since.elapsed() > READY_WITHIN {
                bail!("{} has no default namespace", self.url);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

fn start_etcd(program: &Path, folder: &Path) -> anyhow::Result<(Process, String)> {
    let client = format!("http://127.0.0.1:{}", free_port()?);
    let peer = format!("http://127.0.0.1:{}", free_port()?);
    let arguments = [
        "etcd".to_owned(),
        format!("--data-dir={}", folder.join("etcd").display()),
        format!("--listen-client-urls={client}"),
        format!("--advertise-client-urls={client}"),
        format!("--listen-peer-urls={peer}"),
        format!("--initial-advertise-peer-urls={peer}"),
        format!("--initial-cluster=default={peer}"),
        "--unsafe-no-fsync=true".to_owned(),
        "--log-level=error".to_owned(),
    ];
    let process = Process::start(program, &arguments, folder.join("etcd.log"))?;
    Ok((process, client))
}

fn free_port() -> anyhow::Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").context("find a free port")?;
    Ok(listener.local_addr()?.port())
}

fn kubeconfig_text(url: &str, ca_pem: &str, token: &str) -> String {
    let ca = BASE64.encode(ca_pem);
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "test", "cluster": {"server": url, "certificate-authority-data": ca}}],
        "users": [{"name": "user", "user": {"token": token}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "user"}}],
        "current-context": "test",
    })
    .to_string()
}
