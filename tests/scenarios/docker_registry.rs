//! Debian's OCI registry, over TLS and with users.

use std::process::Stdio;

use reqwest::Client;
use serde_json::json;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::chart_server::{hex, packed};
use crate::tls::Authority;

/// `ada` with `hunter2`, as cheap to check as can be.
const USERS: &str = "ada:$2y$04$abcdefghijklmnopqrstuuV3duMsC0HpUex6N9qapiuOHHWkwRXVm\n";

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// A running registry; ends when this is dropped.
pub(crate) struct DockerRegistry {
    address: String,
    client: Client,
    _process: Child,
    _folder: TempDir,
}

impl DockerRegistry {
    /// Starts one for which an authority vouches.
    pub(crate) async fn start(authority: &Authority) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let server = authority.server();
        let config = json!({
            "version": "0.1",
            "storage": {"filesystem": {"rootdirectory": folder.path().join("data")}},
            "http": {"addr": "127.0.0.1:0", "tls": {
                "certificate": write("server.crt", &server.certificate),
                "key": write("server.key", &server.key),
            }},
            "auth": {"htpasswd": {"realm": "test", "path": write("users", USERS)}},
        });
        let mut process = Command::new("docker-registry")
            .arg("serve")
            .arg(write("config.yml", &config.to_string()))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let mut said = Vec::new();
        let address = loop {
            let Some(line) = lines.next_line().await.unwrap() else {
                panic!("the registry has ended: {said:?}");
            };
            if let Some((_, rest)) = line.split_once("listening on ") {
                break rest.split([',', '"']).next().unwrap().to_owned();
            }
            said.push(line);
        };
        // What it goes on to say is taken from it, so that it never waits for a reader.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let root = reqwest::Certificate::from_pem(authority.pem().as_bytes()).unwrap();
        let client = Client::builder().no_proxy().add_root_certificate(root);
        Self {
            address,
            client: client.build().unwrap(),
            _process: process,
            _folder: folder,
        }
    }

    /// Host and port.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Pushes a chart.
    pub(crate) async fn push_chart(&self, repository: &str, tag: &str, files: &[(&str, &str)]) {
        let name = repository.rsplit('/').next().unwrap();
        let config = "application/vnd.cncf.helm.config.v1+json";
        let layer = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";
        self.push(repository, tag, [config, layer], packed(name, files))
            .await;
    }

    /// Pushes an artifact with files and returns its digest.
    pub(crate) async fn push_files(
        &self,
        repository: &str,
        tag: &str,
        files: &[(&str, &str)],
    ) -> String {
        let config = "application/vnd.oci.empty.v1+json";
        let layer = "application/vnd.oci.image.layer.v1.tar+gzip";
        self.push(repository, tag, [config, layer], packed("", files))
            .await
    }

    async fn push(
        &self,
        repository: &str,
        tag: &str,
        [config, layer]: [&str; 2],
        content: Vec<u8>,
    ) -> String {
        let size = content.len();
        let blob = self.upload(repository, content).await;
        let empty = self.upload(repository, b"{}".to_vec()).await;
        let manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": {"mediaType": config, "digest": empty, "size": 2},
            "layers": [{"mediaType": layer, "digest": blob, "size": size}],
        });
        let manifest = manifest.to_string();
        let digest = format!("sha256:{}", hex(manifest.as_bytes()));
        let url = format!("https://{}/v2/{repository}/manifests/{tag}", self.address);
        let put = self.client.put(url).header("Content-Type", MANIFEST);
        let put = put.basic_auth("ada", Some("hunter2")).body(manifest);
        put.send().await.unwrap().error_for_status().unwrap();
        digest
    }

    async fn upload(&self, repository: &str, content: Vec<u8>) -> String {
        let digest = format!("sha256:{}", hex(&content));
        let url = format!("https://{}/v2/{repository}/blobs/uploads/", self.address);
        let begun = self.client.post(url).basic_auth("ada", Some("hunter2"));
        let begun = begun.send().await.unwrap().error_for_status().unwrap();
        let place = begun.headers()["location"].to_str().unwrap();
        let put = self.client.put(format!("{place}&digest={digest}"));
        let put = put.basic_auth("ada", Some("hunter2")).body(content);
        put.send().await.unwrap().error_for_status().unwrap();
        digest
    }
}
