//! A provider in the process: scripted answers by request, and what was asked.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt;
use std::future::{Ready, ready};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, Method, Request, Response};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tower_service::Service;

/// A scripted answer.
#[derive(Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn json(body: &Value) -> Self {
        Self {
            status: 200,
            headers: vec![("content-type", "application/json".to_owned())],
            body: body.to_string(),
        }
    }

    pub(crate) fn status(status: u16, body: &str) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: body.to_owned(),
        }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        self.headers.push((name, value.to_string()));
        self
    }
}

/// What goes wrong with one request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    Status(u16),
    /// A page for people, with the status of success.
    Html,
    /// Azure DevOps' login page.
    Html203,
    /// Half of the body.
    Cut,
    /// No answer at all.
    Lost,
}

/// A request as it was seen.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: Method,
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    pub(crate) status: u16,
}

#[derive(Default)]
struct State {
    routes: BTreeMap<String, Reply>,
    seen: Vec<Seen>,
    fault: Option<(usize, Fault)>,
    limited: bool,
}

/// A provider. Everything it answers carries an ETag and is confirmed by it.
#[derive(Clone, Default)]
pub(crate) struct Fake(Arc<Mutex<State>>);

/// No answer came.
#[derive(Debug)]
pub(crate) struct Lost;

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("connection reset")
    }
}

impl From<Infallible> for Lost {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl Fake {
    /// Answers a request, named by its method, path and query, and for AWS by its operation.
    pub(crate) fn on(self, request: &str, reply: Reply) -> Self {
        self.0
            .lock()
            .unwrap()
            .routes
            .insert(request.to_owned(), reply);
        self
    }

    /// Lets the request of this number, counted from 0, go wrong.
    pub(crate) fn fail(&self, number: usize, fault: Fault) {
        let mut state = self.0.lock().unwrap();
        let number = state.seen.len() + number;
        state.fault = Some((number, fault));
    }

    /// Wants no requests for 30 seconds, or takes them again.
    pub(crate) fn limit(&self, limited: bool) {
        self.0.lock().unwrap().limited = limited;
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.0.lock().unwrap().seen.clone()
    }
}

impl State {
    fn answer(&mut self, request: &Request<Bytes>) -> Result<Reply, Lost> {
        let fault = self.fault.filter(|(number, _)| *number == self.seen.len());
        if self.limited {
            return Ok(Reply::status(429, "{}").with("retry-after", 30));
        }
        let mut reply = match fault.map(|(_, fault)| fault) {
            Some(Fault::Status(status)) => {
                return Ok(Reply::status(status, "{\"message\": \"x\"}"));
            }
            Some(Fault::Html | Fault::Html203) => {
                let status = if matches!(fault, Some((_, Fault::Html))) {
                    200
                } else {
                    203
                };
                let page = Reply::status(status, "<!DOCTYPE html><title>Sign in</title>");
                return Ok(page.with("content-type", "text/html; charset=utf-8"));
            }
            Some(Fault::Lost) => return Err(Lost),
            Some(Fault::Cut) | None => {
                let known = self.routes.get(&name(request)).cloned();
                known.unwrap_or_else(|| Reply::status(404, r#"{"message": "Not Found"}"#))
            }
        };
        if fault.is_some() {
            reply.body.truncate(reply.body.len() / 2);
            return Ok(reply);
        }
        if request.method() == Method::GET && reply.status == 200 {
            let etag = format!("\"{:x}\"", Sha256::digest(&reply.body));
            let known = request.headers().get("if-none-match");
            if known.is_some_and(|known| known.as_bytes() == etag.as_bytes()) {
                return Ok(Reply::status(304, ""));
            }
            return Ok(reply.with("etag", etag));
        }
        Ok(reply)
    }
}

fn name(request: &Request<Bytes>) -> String {
    let target = request.uri().path_and_query().unwrap();
    match request.headers().get("x-amz-target") {
        Some(operation) => {
            let body = String::from_utf8_lossy(request.body());
            format!("{} {body}", operation.to_str().unwrap())
        }
        None => format!("{} {target}", request.method()),
    }
}

impl Service<Request<Bytes>> for Fake {
    type Response = Response<Bytes>;
    type Error = Lost;
    type Future = Ready<Result<Response<Bytes>, Lost>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Lost>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        let mut state = self.0.lock().unwrap();
        let answer = state.answer(&request);
        state.seen.push(Seen {
            method: request.method().clone(),
            target: name(&request),
            headers: request.headers().clone(),
            status: answer.as_ref().map_or(0, |reply| reply.status),
        });
        ready(answer.map(|reply| {
            let mut response = Response::new(Bytes::from(reply.body));
            *response.status_mut() = reply.status.try_into().unwrap();
            for (name, value) in reply.headers {
                let name = HeaderName::from_static(name);
                response.headers_mut().append(name, value.parse().unwrap());
            }
            response
        }))
    }
}
