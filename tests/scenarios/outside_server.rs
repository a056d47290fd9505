//! GitHub and a plugin in one, on this machine: what they answer, or what they give instead.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Response, StatusCode, Uri};
use futures::stream;
use serde_json::{Value, json};

/// What is wrong with the service.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fault {
    Status(u16),
    Html,
    /// The connection breaks in the middle of an answer.
    Cut,
    /// The first page of a list is there, the second fails; what is no list is cut.
    SecondPage,
    /// Wants no requests for a second.
    Limited,
    /// Never answers.
    Hangs,
}

#[derive(Default)]
struct State {
    answers: BTreeMap<String, Value>,
    fault: Option<Fault>,
    asked: BTreeMap<String, u64>,
    tokens: Vec<String>,
}

/// GitHub and a plugin in one, on this machine.
#[derive(Clone, Default)]
pub(crate) struct Service(Arc<Mutex<State>>);

impl Service {
    pub(crate) async fn serve(&self) -> SocketAddr {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let app = self.router();
        tokio::spawn(async move { axum::serve(listener, app).await });
        address
    }

    /// What answers, for whoever serves it.
    pub(crate) fn router(&self) -> axum::Router {
        let service = self.clone();
        let answer = move |uri: Uri, headers: HeaderMap| {
            let service = service.clone();
            async move {
                if service.0.lock().unwrap().fault == Some(Fault::Hangs) {
                    service.note(&uri, &headers);
                    std::future::pending::<()>().await;
                }
                service.answer(&uri, &headers)
            }
        };
        axum::Router::new().fallback(answer)
    }

    fn note(&self, uri: &Uri, headers: &HeaderMap) {
        let mut state = self.0.lock().unwrap();
        *state.asked.entry(uri.path().to_owned()).or_default() += 1;
        let token = headers
            .get("authorization")
            .and_then(|token| token.to_str().ok());
        state.tokens.extend(token.map(str::to_owned));
    }

    fn answer(&self, uri: &Uri, headers: &HeaderMap) -> Response<Body> {
        self.note(uri, headers);
        let state = self.0.lock().unwrap();
        let reply = |status: u16, body: Body| {
            let mut response = Response::new(body);
            *response.status_mut() = StatusCode::from_u16(status).unwrap();
            for (name, value) in [
                ("x-ratelimit-limit", 5000),
                ("x-ratelimit-remaining", 4999),
                ("x-ratelimit-reset", 4_000_000_000_u64),
            ] {
                response.headers_mut().insert(name, value.into());
            }
            response
        };
        let Some(whole) = state.answers.get(uri.path()) else {
            return reply(404, Body::from("{}"));
        };
        let body = whole.to_string();
        let fault = match (state.fault, whole) {
            (Some(Fault::SecondPage), Value::Object(_)) => Some(Fault::Cut),
            (fault, _) => fault,
        };
        match fault {
            Some(Fault::Status(status)) => reply(status, Body::from("{\"message\": \"id 4711\"}")),
            Some(Fault::Html) => reply(200, Body::from("<html>Sign in</html>")),
            Some(Fault::Cut) => {
                let half = Bytes::from(body[..body.len() / 2].to_owned());
                let lost = std::io::Error::other("lost");
                reply(200, Body::from_stream(stream::iter([Ok(half), Err(lost)])))
            }
            Some(Fault::SecondPage)
                if uri.query().is_some_and(|query| query.contains("&page=")) =>
            {
                reply(502, Body::from("{}"))
            }
            Some(Fault::SecondPage) => {
                let first = whole.as_array().map(|all| &all[..all.len().min(1)]);
                let mut response = reply(200, Body::from(json!(first).to_string()));
                let next = format!("<http://127.0.0.1{}?page=2>; rel=\"next\"", uri.path());
                response.headers_mut().insert("link", next.parse().unwrap());
                response
            }
            Some(Fault::Limited) => {
                let mut response = reply(429, Body::from("{}"));
                response
                    .headers_mut()
                    .insert("retry-after", "1".parse().unwrap());
                response
            }
            Some(Fault::Hangs) | None => reply(200, Body::from(body)),
        }
    }

    pub(crate) fn put(&self, path: &str, answer: Value) {
        self.0
            .lock()
            .unwrap()
            .answers
            .insert(path.to_owned(), answer);
    }

    pub(crate) fn break_with(&self, fault: Option<Fault>) {
        self.0.lock().unwrap().fault = fault;
    }

    pub(crate) fn asked(&self, path: &str) -> u64 {
        self.0
            .lock()
            .unwrap()
            .asked
            .get(path)
            .copied()
            .unwrap_or_default()
    }

    /// The credentials that were shown.
    pub(crate) fn tokens(&self) -> Vec<String> {
        self.0.lock().unwrap().tokens.clone()
    }

    /// An organisation with these repositories.
    pub(crate) fn repositories(&self, names: &[&str]) {
        let list: Vec<_> = names
            .iter()
            .map(|name| {
                self.put(
                    &format!("/api/v3/repos/shop/{name}/branches/main"),
                    json!({"name": "main", "commit": {"sha": "a".repeat(40)}}),
                );
                json!({"id": 1_296_269, "name": name, "owner": {"login": "shop"}, "default_branch": "main",
                       "ssh_url": "x", "clone_url": "y"})
            })
            .collect();
        self.put("/api/v3/orgs/shop/repos", json!(list));
    }

    /// A repository with these pull requests.
    pub(crate) fn pulls(&self, repository: &str, numbers: &[i64]) {
        let list: Vec<_> = numbers
            .iter()
            .map(|number| {
                json!({"number": number, "title": "t", "head": {"ref": "x", "sha": "s"},
                       "base": {"ref": "main", "sha": "t"}, "user": {"login": "ada"}})
            })
            .collect();
        self.put(
            &format!("/api/v3/repos/shop/{repository}/pulls"),
            json!(list),
        );
    }

    pub(crate) fn plugin(&self, names: &[&str]) {
        let sets: Vec<_> = names.iter().map(|name| json!({"app": name})).collect();
        self.put(
            "/api/v1/getparams.execute",
            json!({"output": {"parameters": sets}}),
        );
    }
}
