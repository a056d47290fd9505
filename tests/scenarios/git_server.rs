//! A git server over HTTP or HTTPS: the real one's answers, or what a broken one gives instead.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, Response, StatusCode, Uri};
use futures::stream;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use crate::lfs_server::LargeFiles;
use crate::tls;

/// What the server does with requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answers {
    /// As git does.
    Well,
    /// With this status and nothing else.
    Status(u16),
    /// With a page for people, as a proxy that asks for a login does.
    Html,
    /// With the beginning of what git says.
    Half,
    /// With so many bytes of what git says, after which the connection breaks.
    Cut(usize),
    /// Never.
    Not,
}

/// A running server; ends when this is dropped.
pub(crate) struct GitServer {
    url: String,
    former_url: String,
    shared: Arc<Shared>,
    serving: JoinHandle<()>,
}

struct Shared {
    root: std::path::PathBuf,
    answers: Mutex<Answers>,
    /// The `Authorization` that requests need.
    admitted: Mutex<Option<String>>,
    asked: AtomicU64,
    /// The `Authorization` of each request that had one.
    shown: Mutex<Vec<String>>,
    /// What all requests are sent to.
    elsewhere: Mutex<Option<String>>,
    /// What git said to whoever asked the same before, where that is cut.
    said: Mutex<BTreeMap<(String, Bytes), Response<Bytes>>>,
    large: Mutex<LargeFiles>,
}

impl GitServer {
    /// Serves the repository of a work tree to everybody.
    pub(crate) async fn serve(work_tree: &Path) -> Self {
        Self::serve_over(work_tree, None).await
    }

    /// Serves the repository of a work tree, over TLS if there is an acceptor.
    pub(crate) async fn serve_over(work_tree: &Path, acceptor: Option<TlsAcceptor>) -> Self {
        let scheme = acceptor.as_ref().map_or("http", |_| "https");
        let shared = Arc::new(Shared {
            root: work_tree.parent().unwrap().to_owned(),
            answers: Mutex::new(Answers::Well),
            admitted: Mutex::default(),
            asked: AtomicU64::new(0),
            shown: Mutex::default(),
            elsewhere: Mutex::default(),
            said: Mutex::default(),
            large: Mutex::default(),
        });
        let router = Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&shared));
        let (address, serving) = tls::serve(router, acceptor).await;
        let name = work_tree.file_name().unwrap().to_str().unwrap();
        Self {
            url: format!("{scheme}://{address}/{name}/.git"),
            former_url: format!("{scheme}://{address}{FORMER}/{name}/.git"),
            shared,
            serving,
        }
    }

    /// Answers only requests with this `Authorization` from here on.
    pub(crate) fn admits(&self, authorization: &str) {
        *self.shared.admitted.lock().unwrap() = Some(authorization.to_owned());
    }

    /// Serves the contents of large files besides.
    pub(crate) fn large(&self) -> std::sync::MutexGuard<'_, LargeFiles> {
        self.shared.large.lock().unwrap()
    }

    /// How many requests have come.
    pub(crate) fn asked(&self) -> u64 {
        self.shared.asked.load(Ordering::Relaxed)
    }

    /// What requests had in `Authorization`.
    pub(crate) fn shown(&self) -> Vec<String> {
        self.shared.shown.lock().unwrap().clone()
    }

    /// Redirects everybody to another server from here on.
    pub(crate) fn sends_to(&self, other: &Self) {
        let elsewhere = other.url.split("/repo").next().unwrap();
        *self.shared.elsewhere.lock().unwrap() = Some(elsewhere.to_owned());
    }

    /// A URL from which the server redirects to the repository's own.
    pub(crate) fn former_url(&self) -> &str {
        &self.former_url
    }

    /// The repository's URL.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Decides what is answered from here on.
    pub(crate) fn answers(&self, answers: Answers) {
        *self.shared.answers.lock().unwrap() = answers;
    }
}

/// What the paths of a repository that has moved begin with.
const FORMER: &str = "/former";

impl Drop for GitServer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn answer(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let answers = *shared.answers.lock().unwrap();
    let plain = |status: u16, kind: &str, text: &str| {
        let response = Response::builder()
            .status(status)
            .header("Content-Type", kind);
        response.body(Body::from(text.to_owned())).unwrap()
    };
    shared.asked.fetch_add(1, Ordering::Relaxed);
    if let Some(now) = uri.to_string().strip_prefix(FORMER) {
        let moved = Response::builder().status(301).header("Location", now);
        return moved.body(Body::empty()).unwrap();
    }
    let elsewhere = shared.elsewhere.lock().unwrap().clone();
    if let Some(elsewhere) = elsewhere {
        let moved = Response::builder().status(302);
        let moved = moved.header("Location", format!("{elsewhere}{uri}"));
        return moved.body(Body::empty()).unwrap();
    }
    let admitted = shared.admitted.lock().unwrap().clone();
    let shown = headers.get("authorization");
    if let Some(shown) = shown {
        let shown = String::from_utf8_lossy(shown.as_bytes()).into_owned();
        shared.shown.lock().unwrap().push(shown);
    }
    if admitted.is_some_and(|admitted| shown.is_none_or(|shown| *shown != *admitted)) {
        let refused = Response::builder().status(401);
        let refused = refused.header("WWW-Authenticate", "Basic realm=\"git\"");
        return refused.body(Body::from("who are you?")).unwrap();
    }
    if let Some(answer) = shared.large.lock().unwrap().answer(&uri, &body) {
        return answer;
    }
    match answers {
        Answers::Status(status) => plain(status, "text/plain", "the server is not well"),
        Answers::Html => plain(200, "text/html", "<html><body>Please sign in</body></html>"),
        Answers::Not => std::future::pending().await,
        Answers::Well => backend(&shared, &method, &uri, &headers, &body, false).await,
        Answers::Half => backend(&shared, &method, &uri, &headers, &body, true).await,
        Answers::Cut(length) => {
            let asked = (uri.to_string(), body.clone());
            let known = shared.said.lock().unwrap().get(&asked).cloned();
            let said = if let Some(said) = known {
                said
            } else {
                let answer = backend(&shared, &method, &uri, &headers, &body, false).await;
                let (head, body) = answer.into_parts();
                let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
                Response::from_parts(head, body)
            };
            let kept = said.clone();
            shared.said.lock().unwrap().insert(asked, kept);
            said.map(|whole| cut(&whole, length))
        }
    }
}

/// The beginning of a body, after which the connection breaks unless that was all.
fn cut(whole: &Bytes, length: usize) -> Body {
    if whole.len() <= length {
        return Body::from(whole.clone());
    }
    let lost = std::io::Error::other("lost");
    Body::from_stream(stream::iter([Ok(whole.slice(..length)), Err(lost)]))
}

/// What git's own server program answers, or the first half of it.
async fn backend(
    shared: &Shared,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    body: &[u8],
    half: bool,
) -> Response<Body> {
    let header = |name: &str| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    let mut child = Command::new("git")
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", &shared.root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("REQUEST_METHOD", method.as_str())
        .env("PATH_INFO", uri.path())
        .env("QUERY_STRING", uri.query().unwrap_or_default())
        .env("CONTENT_TYPE", header("content-type"))
        .env("HTTP_CONTENT_ENCODING", header("content-encoding"))
        .env("GIT_PROTOCOL", header("git-protocol"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(body).await.unwrap();
    drop(stdin);
    let output = child.wait_with_output().await.unwrap().stdout;
    let end = output
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .unwrap();
    let (head, content) = (&output[..end], &output[end + 4..]);
    let content = if half {
        &content[..content.len() / 2]
    } else {
        content
    };
    let mut response = Response::builder().status(StatusCode::OK);
    for line in std::str::from_utf8(head).unwrap().lines() {
        let (name, value) = line.split_once(": ").unwrap();
        response = match name {
            "Status" => response.status(value[..3].parse::<u16>().unwrap()),
            _ => response.header(name, value),
        };
    }
    response.body(Body::from(content.to_vec())).unwrap()
}
