//! The clusters of a benchmark, real or simulated: the first is the hub's.

use anyhow::Context as _;
use argosy_sim::{RunningServer, ServeOptions, SimCluster, SimConfig, SimServer};
use argosy_test_support::ControlPlane;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde_json::{Value, json};

/// One cluster and how to reach it.
pub(crate) struct Cluster {
    pub(crate) url: String,
    pub(crate) client: Client,
    /// The process of its API server, where it has one of its own.
    pub(crate) process: Option<u32>,
    ca_pem: String,
    token: String,
}

/// All of them; they end when this is dropped.
pub(crate) struct Clusters {
    pub(crate) all: Vec<Cluster>,
    _real: Option<ControlPlane>,
    _simulated: Vec<RunningServer>,
}

impl Clusters {
    /// Starts kube-apiservers with etcd.
    pub(crate) async fn real(count: usize) -> anyhow::Result<Self> {
        let plane = ControlPlane::start(count).await;
        let mut all = Vec::new();
        for server in plane.servers() {
            let mut cluster = Cluster::new(server.url(), server.ca_pem(), server.token()).await?;
            cluster.process = Some(server.process_id());
            all.push(cluster);
        }
        Ok(Self {
            all,
            _real: Some(plane),
            _simulated: Vec::new(),
        })
    }

    /// Starts simulated API servers inside this process.
    pub(crate) async fn simulated(count: usize) -> anyhow::Result<Self> {
        let (mut all, mut servers) = (Vec::new(), Vec::new());
        for index in 0..count {
            let sim = SimCluster::new(SimConfig::new(format!("bench-{index}")))?;
            let token = format!("token-of-{index}");
            let options = ServeOptions {
                token: token.clone().into(),
            };
            let server = SimServer::serve(sim, "127.0.0.1:0".parse()?, options).await?;
            all.push(Cluster::new(&server.url(), &server.ca_pem, &token).await?);
            servers.push(server);
        }
        Ok(Self {
            all,
            _real: None,
            _simulated: servers,
        })
    }

    pub(crate) fn hub(&self) -> &Cluster {
        &self.all[0]
    }

    pub(crate) fn workloads(&self) -> &[Cluster] {
        &self.all[1..]
    }
}

impl Cluster {
    async fn new(url: &str, ca_pem: &str, token: &str) -> anyhow::Result<Self> {
        let text = kubeconfig(url, ca_pem, token).to_string();
        let parsed = Kubeconfig::from_yaml(&text)?;
        let config = Config::from_custom_kubeconfig(parsed, &KubeConfigOptions::default())
            .await
            .with_context(|| format!("configure a client for {url}"))?;
        Ok(Self {
            url: url.to_owned(),
            client: Client::try_from(config)?,
            process: None,
            ca_pem: ca_pem.to_owned(),
            token: token.to_owned(),
        })
    }

    pub(crate) fn kubeconfig(&self) -> String {
        kubeconfig(&self.url, &self.ca_pem, &self.token).to_string()
    }

    /// The Secret that registers it at a hub.
    pub(crate) fn secret(&self, name: &str) -> Value {
        let tls = json!({"caData": BASE64.encode(&self.ca_pem)});
        let config = json!({"bearerToken": self.token, "tlsClientConfig": tls});
        json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": format!("cluster-{name}"), "namespace": "argocd",
                "labels": {"argocd.argoproj.io/secret-type": "cluster"}},
            "stringData": {"name": name, "server": self.url, "config": config.to_string()},
        })
    }
}

fn kubeconfig(url: &str, ca_pem: &str, token: &str) -> Value {
    let cluster = json!({"server": url, "certificate-authority-data": BASE64.encode(ca_pem)});
    json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "bench",
        "clusters": [{"name": "bench", "cluster": cluster}],
        "users": [{"name": "bench", "user": {"token": token}}],
        "contexts": [{"name": "bench", "context": {"cluster": "bench", "user": "bench"}}],
    })
}
