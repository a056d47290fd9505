//! A Helm repository and an OCI registry in one server on this machine, with users and, where that is
//! wanted, TLS.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use crate::tls;

/// `ada:hunter2`
const ADA: &str = "Basic YWRhOmh1bnRlcjI=";

#[derive(Clone, Default)]
struct Shelf {
    /// What is served, by path.
    files: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
    /// How often each path was answered with content.
    served: Arc<Mutex<BTreeMap<String, u64>>>,
    /// How often it was said of each path that what is known is right.
    confirmed: Arc<Mutex<BTreeMap<String, u64>>>,
    /// Charts by name and version.
    index: Arc<Mutex<Value>>,
}

/// A running server.
pub(crate) struct ChartServer {
    scheme: &'static str,
    address: SocketAddr,
    shelf: Shelf,
    task: JoinHandle<()>,
}

impl ChartServer {
    pub(crate) async fn start() -> Self {
        Self::start_over(None).await
    }

    /// Serves over TLS if there is an acceptor.
    pub(crate) async fn start_over(acceptor: Option<TlsAcceptor>) -> Self {
        let scheme = acceptor.as_ref().map_or("http", |_| "https");
        let shelf = Shelf::default();
        *shelf.index.lock().unwrap() = json!({"apiVersion": "v1", "entries": {}});
        let app = Router::new().fallback(answer).with_state(shelf.clone());
        let (address, task) = tls::serve(app, acceptor).await;
        Self {
            scheme,
            address,
            shelf,
            task,
        }
    }

    /// The URL of the Helm repository.
    pub(crate) fn charts(&self) -> String {
        format!("{}://{}/charts", self.scheme, self.address)
    }

    /// Host and port of the registry.
    pub(crate) fn registry(&self) -> String {
        self.address.to_string()
    }

    /// The Secret that registers a repository at this server.
    pub(crate) fn secret(name: &str, more: &Value) -> Value {
        let mut data =
            json!({"name": name, "type": "helm", "username": "ada", "password": "hunter2"});
        for (key, value) in more.as_object().unwrap() {
            data[key] = value.clone();
        }
        json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": name, "labels": {"argocd.argoproj.io/secret-type": "repository"}},
            "stringData": data,
        })
    }

    /// Stops answering, for good.
    pub(crate) fn stop(&self) {
        self.task.abort();
    }

    /// How often the content at a path was sent.
    pub(crate) fn served(&self, path: &str) -> u64 {
        *self.shelf.served.lock().unwrap().get(path).unwrap_or(&0)
    }

    /// How often it was said of a path that what is known is right.
    pub(crate) fn confirmed(&self, path: &str) -> u64 {
        let confirmed = self.shelf.confirmed.lock().unwrap();
        *confirmed.get(path).unwrap_or(&0)
    }

    /// Publishes a chart in the Helm repository.
    pub(crate) fn publish(&self, name: &str, version: &str, files: &[(&str, &str)]) {
        let archive = packed(name, files);
        let digest = hex(&archive);
        let file = format!("{name}-{version}.tgz");
        self.put(&format!("/charts/{file}"), archive);
        let mut index = self.shelf.index.lock().unwrap();
        let entries = index["entries"].as_object_mut().unwrap();
        let versions = entries.entry(name).or_insert_with(|| json!([]));
        let version = json!({"name": name, "version": version, "urls": [file], "digest": digest});
        versions.as_array_mut().unwrap().push(version);
        self.put("/charts/index.yaml", index.to_string().into_bytes());
    }

    /// Publishes other content as a version that is published already.
    pub(crate) fn publish_anew(&self, name: &str, version: &str, files: &[(&str, &str)]) {
        let is_it = |one: &Value| one["version"] == version;
        let mut index = self.shelf.index.lock().unwrap();
        let versions = index["entries"][name].as_array_mut().unwrap();
        versions.retain(|one| !is_it(one));
        drop(index);
        self.publish(name, version, files);
    }

    /// Pushes a chart to the registry.
    pub(crate) fn push_chart(&self, repository: &str, tag: &str, files: &[(&str, &str)]) {
        let name = repository.rsplit('/').next().unwrap();
        let config = "application/vnd.cncf.helm.config.v1+json";
        let layer = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";
        self.push(repository, tag, config, layer, packed(name, files));
    }

    /// Pushes an artifact with files to the registry and returns its digest.
    pub(crate) fn push_files(&self, repository: &str, tag: &str, files: &[(&str, &str)]) -> String {
        let config = "application/vnd.oci.empty.v1+json";
        let layer = "application/vnd.oci.image.layer.v1.tar+gzip";
        self.push(repository, tag, config, layer, packed("", files))
    }

    fn push(
        &self,
        repository: &str,
        tag: &str,
        config: &str,
        layer: &str,
        content: Vec<u8>,
    ) -> String {
        let blob = format!("sha256:{}", hex(&content));
        let manifest = json!({
            "schemaVersion": 2,
            "config": {"mediaType": config, "digest": format!("sha256:{}", hex(b"{}")), "size": 2},
            "layers": [{"mediaType": layer, "digest": blob, "size": content.len()}],
        });
        let manifest = manifest.to_string().into_bytes();
        let digest = format!("sha256:{}", hex(&manifest));
        let base = format!("/v2/{repository}");
        self.put(&format!("{base}/blobs/{blob}"), content);
        self.put(&format!("{base}/manifests/{digest}"), manifest.clone());
        self.put(&format!("{base}/manifests/{tag}"), manifest);
        let list = format!("{base}/tags/list");
        let mut files = self.shelf.files.lock().unwrap();
        let known = files
            .get(&list)
            .map(|text| serde_json::from_slice(text).unwrap());
        let mut tags: Value = known.unwrap_or_else(|| json!({"name": repository, "tags": []}));
        tags["tags"].as_array_mut().unwrap().push(tag.into());
        files.insert(list, tags.to_string().into_bytes());
        digest
    }

    /// Serves a file.
    pub(crate) fn put(&self, path: &str, content: Vec<u8>) {
        self.shelf
            .files
            .lock()
            .unwrap()
            .insert(path.to_owned(), content);
    }
}

impl Drop for ChartServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(State(shelf): State<Shelf>, request: Request) -> Response {
    let host = request.headers().get(header::HOST);
    let host = host.map_or("", |host| host.to_str().unwrap()).to_owned();
    let path = request.uri().path().to_owned();
    let authorization = request.headers().get(header::AUTHORIZATION);
    let authorization = authorization.map_or("", |value| value.to_str().unwrap());
    if path == "/token" && authorization == ADA {
        return json!({"token": "t0ken"}).to_string().into_response();
    }
    let permitted = match path.split('/').nth(1) {
        Some("v2") => authorization == "Bearer t0ken",
        Some("public") => true,
        _ => authorization == ADA,
    };
    if !permitted {
        let challenge = format!("Bearer realm=\"http://{host}/token\",service=\"reg\"");
        return (
            StatusCode::UNAUTHORIZED,
            [(header::WWW_AUTHENTICATE, challenge)],
        )
            .into_response();
    }
    let content = shelf.files.lock().unwrap().get(&path).cloned();
    let Some(content) = content else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let tag = format!("\"{}\"", hex(&content));
    if request
        .headers()
        .get(header::IF_NONE_MATCH)
        .is_some_and(|known| *known == *tag)
    {
        *shelf.confirmed.lock().unwrap().entry(path).or_default() += 1;
        return StatusCode::NOT_MODIFIED.into_response();
    }
    *shelf.served.lock().unwrap().entry(path).or_default() += 1;
    ([(header::ETAG, tag)], Body::from(content)).into_response()
}

/// A packaged chart, or an archive without a directory of its own.
pub(crate) fn packed(base: &str, files: &[(&str, &str)]) -> Vec<u8> {
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (path, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        let path = std::path::Path::new(base).join(path);
        // The checked setter refuses what a hostile server sends.
        let path = path.to_str().unwrap().as_bytes();
        header.as_gnu_mut().unwrap().name[..path.len()].copy_from_slice(path);
        header.set_cksum();
        archive.append(&header, content.as_bytes()).unwrap();
    }
    archive.into_inner().unwrap().finish().unwrap()
}

/// The SHA-256 of a content, as digests spell it.
pub(crate) fn hex(content: &[u8]) -> String {
    use std::fmt::Write as _;
    Sha256::digest(content)
        .iter()
        .fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").unwrap();
            text
        })
}
