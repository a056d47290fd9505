//! A conversation with a server, written down.

use std::sync::Mutex;
use std::time::Duration;

use futures::StreamExt as _;
use http::{Method, Request};
use http_body_util::BodyExt as _;
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};

use super::normal::Normaliser;

/// How long a watch waits for its events.
const WATCH_WITHIN: Duration = Duration::from_secs(10);

/// A request and its answer, normalised.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// Method and path, with a number that tells repeated requests apart.
    pub request: String,
    /// The HTTP status.
    pub status: u16,
    /// The body, or what the case looks at of it.
    pub body: Value,
}

/// A conversation that a case holds.
pub(crate) struct Session {
    client: Client,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    transcript: Vec<Exchange>,
    normaliser: Normaliser,
    focus: Option<Vec<&'static str>>,
}

impl Session {
    pub(crate) fn new(client: Client) -> Self {
        Self {
            client,
            state: Mutex::default(),
        }
    }

    pub(crate) fn into_transcript(self) -> Vec<Exchange> {
        self.state
            .into_inner()
            .expect("a case does not panic while it writes")
            .transcript
    }

    /// From here on, only these places of answers (JSON pointers) are written down.
    pub(crate) fn focus(&self, pointers: &[&'static str]) {
        self.state().focus = Some(pointers.to_vec());
    }

    /// From here on, answers are written down as a whole.
    pub(crate) fn unfocus(&self) {
        self.state().focus = None;
    }

    /// Writes `shown` for a text that no server can repeat.
    pub(crate) fn hide(&self, text: &str, shown: &str) {
        self.state().normaliser.hide(text, shown);
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        self.send(Method::GET, path, None, Value::Null).await
    }

    /// Gets an answer in another form, such as a table.
    pub(crate) async fn get_as(&self, accept: &str, path: &str) -> Value {
        let request = Request::get(path).header("Accept", accept);
        let request = request
            .body(Body::empty())
            .expect("cases write valid paths");
        self.exchange(format!("GET {path} as {accept}"), request)
            .await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Value {
        self.send(Method::POST, path, Some("application/json"), body)
            .await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Value {
        self.send(Method::PUT, path, Some("application/json"), body)
            .await
    }

    pub(crate) async fn delete(&self, path: &str) -> Value {
        self.send(Method::DELETE, path, None, Value::Null).await
    }

    pub(crate) async fn delete_with(&self, path: &str, options: Value) -> Value {
        self.send(Method::DELETE, path, Some("application/json"), options)
            .await
    }

    pub(crate) async fn merge(&self, path: &str, body: Value) -> Value {
        self.send(
            Method::PATCH,
            path,
            Some("application/merge-patch+json"),
            body,
        )
        .await
    }

    pub(crate) async fn json_patch(&self, path: &str, body: Value) -> Value {
        self.send(
            Method::PATCH,
            path,
            Some("application/json-patch+json"),
            body,
        )
        .await
    }

    pub(crate) async fn strategic(&self, path: &str, body: Value) -> Value {
        self.send(
            Method::PATCH,
            path,
            Some("application/strategic-merge-patch+json"),
            body,
        )
        .await
    }

    /// Applies on the server's side. The path's query names the field manager.
    pub(crate) async fn apply(&self, path: &str, body: Value) -> Value {
        self.send(
            Method::PATCH,
            path,
            Some("application/apply-patch+yaml"),
            body,
        )
        .await
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        content_type: Option<&str>,
        body: Value,
    ) -> Value {
        let label = format!("{method} {path}");
        let mut request = Request::builder().method(method).uri(path);
        let body = match content_type {
            Some(content_type) => {
                request = request.header("Content-Type", content_type);
                Body::from(body.to_string().into_bytes())
            }
            None => Body::empty(),
        };
        self.exchange(label, request.body(body).expect("cases write valid paths"))
            .await
    }

    async fn exchange(&self, label: String, request: Request<Body>) -> Value {
        let (status, body) = match self.client.send(request).await {
            Ok(response) => {
                let status = response.status().as_u16();
                match response.into_body().collect().await {
                    Ok(body) => (status, read(&body.to_bytes())),
                    Err(error) => (0, json!({"message": error.to_string()})),
                }
            }
            Err(error) => (0, json!({"message": error.to_string()})),
        };
        self.write(&label, status, &body);
        body
    }

    /// Watches until that many events came, and writes them down as a list.
    pub(crate) async fn watch(&self, path: &str, events: usize) -> Vec<Value> {
        let label = format!("WATCH {path}");
        let request = Request::get(path)
            .body(Body::empty())
            .expect("cases write valid paths");
        let mut seen = Vec::new();
        let status = match tokio::time::timeout(WATCH_WITHIN, async {
            let response = self.client.send(request).await?;
            let status = response.status().as_u16();
            let mut stream = response.into_body().into_data_stream();
            let mut rest = Vec::new();
            while seen.len() < events {
                let Some(chunk) = stream.next().await else {
                    break;
                };
                rest.extend_from_slice(&chunk?);
                while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
                    let line: Vec<u8> = rest.drain(..=end).collect();
                    seen.push(read(&line));
                }
            }
            if !rest.is_empty() && seen.is_empty() {
                seen.push(read(&rest));
            }
            Ok::<u16, kube::Error>(status)
        })
        .await
        {
            Ok(Ok(status)) => status,
            Ok(Err(_)) => 0,
            Err(_) => 1,
        };
        seen.truncate(events);
        self.write(&label, status, &Value::Array(seen.clone()));
        seen
    }

    /// Asks until an answer satisfies, without writing anything down.
    pub(crate) async fn wait(&self, path: &str, until: impl Fn(u16, &Value) -> bool) {
        for _ in 0..200 {
            let request = Request::get(path)
                .body(Body::empty())
                .expect("cases write valid paths");
            if let Ok(response) = self.client.send(request).await {
                let status = response.status().as_u16();
                if let Ok(body) = response.into_body().collect().await
                    && until(status, &read(&body.to_bytes()))
                {
                    return;
                }
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Makes a namespace, without writing it down, and returns its path.
    pub(crate) async fn namespace(&self, name: &str) -> String {
        let body = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        let request = Request::post("/api/v1/namespaces")
            .header("Content-Type", "application/json")
            .body(Body::from(body.to_string().into_bytes()))
            .expect("the path is valid");
        // A server that cannot even do this says so at the next request.
        let _ = self.client.send(request).await;
        format!("/api/v1/namespaces/{name}")
    }

    /// Writes down something that the case made of answers.
    pub(crate) fn note(&self, name: &str, value: &Value) {
        let mut state = self.state();
        let body = state.normaliser.body(value);
        let request = format!("{} {name}", state.transcript.len() + 1);
        state.transcript.push(Exchange {
            request,
            status: 200,
            body,
        });
    }

    fn write(&self, label: &str, status: u16, body: &Value) {
        let mut state = self.state();
        let body = state.normaliser.body(body);
        let body = match &state.focus {
            Some(pointers) if status < 300 && status > 1 => focused(&body, pointers),
            _ => body,
        };
        let number = state.transcript.len() + 1;
        let label = state.normaliser.text(label);
        let request = format!("{number} {label}");
        state.transcript.push(Exchange {
            request,
            status,
            body,
        });
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state
            .lock()
            .expect("a case does not panic while it writes")
    }
}

/// Keeps the places that a case looks at; in lists and events, those of each element.
fn focused(body: &Value, pointers: &[&str]) -> Value {
    if let Value::Array(events) = body {
        let one = |event: &Value| json!({"type": event["type"], "object": focused(&event["object"], pointers)});
        return events.iter().map(one).collect();
    }
    if let Some(items) = body["items"].as_array() {
        return items.iter().map(|item| focused(item, pointers)).collect();
    }
    let kept = pointers.iter().map(|pointer| {
        (
            (*pointer).to_owned(),
            body.pointer(pointer).cloned().unwrap_or_default(),
        )
    });
    Value::Object(kept.collect())
}

fn read(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes)
        .unwrap_or_else(|_| json!({"text": String::from_utf8_lossy(bytes).trim()}))
}
