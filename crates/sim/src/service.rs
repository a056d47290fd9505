//! The tower service: it counts, lets faults strike, and hands the request to `http`.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use argosy_facts::Secret;
use bytes::Bytes;
use http::{Request, Response};
use http_body::Frame;
use http_body_util::BodyExt as _;
use http_body_util::combinators::UnsyncBoxBody;

use crate::cluster::SimCluster;
use crate::faults::Fault;
use crate::http::{self as api, Route, auth};
use crate::store::Failure;

/// An answer's body: whole for most, a stream for a watch, which breaks when the cluster stops.
pub type SimBody = UnsyncBoxBody<Bytes, Refused>;

/// The connection was refused or broke, because a fault says so or the request was unreadable.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The cluster is stopped.
    #[error("connection to cluster `{0}` refused")]
    Stopped(String, #[source] io::Error),
    /// A fault broke the connection.
    #[error("connection to cluster `{0}` reset")]
    Reset(String, #[source] io::Error),
    /// The request's body could not be read.
    #[error("cannot read the request's body: {0}")]
    Body(String),
}

impl Refused {
    pub(crate) fn stopped(cluster: &str) -> Self {
        Self::Stopped(cluster.to_owned(), io::ErrorKind::ConnectionRefused.into())
    }

    pub(crate) fn reset(cluster: &str) -> Self {
        Self::Reset(cluster.to_owned(), io::ErrorKind::ConnectionReset.into())
    }
}

impl From<Infallible> for Refused {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

/// A client's way in. Cheap to clone.
#[derive(Clone)]
pub struct SimService {
    cluster: SimCluster,
    /// What a request must prove; in process nothing.
    token: Option<Secret>,
}

impl SimService {
    pub(crate) fn new(cluster: SimCluster) -> Self {
        Self {
            cluster,
            token: None,
        }
    }

    pub(crate) fn with_token(self, token: Secret) -> Self {
        Self {
            token: Some(token),
            ..self
        }
    }

    async fn answer<B>(self, request: Request<B>) -> Result<Response<SimBody>, Refused>
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: fmt::Display,
    {
        let Self { cluster, token } = self;
        let inner = &cluster.inner;
        if inner.faults.is_stopped() {
            return Err(Refused::stopped(cluster.name()));
        }
        cluster.drive();
        let (parts, body) = request.into_parts();
        let user = match token
            .as_ref()
            .map(|token| auth::authenticate(inner, token, &parts))
        {
            None => auth::User::admin(),
            Some(Some(user)) => user,
            Some(None) => return Ok(api::failure(&Failure::unauthorized())),
        };
        let route = Route::parse(parts.method.as_str(), parts.uri.path(), parts.uri.query());
        let (verb, resource) = route.counted();
        inner.requests.record(verb, &resource);
        if inner.faults.has_lost(route.group()) {
            let message = "the server is currently unable to handle the request".to_owned();
            return Ok(api::failure(&Failure::injected(503, message)));
        }
        let fault = inner.faults.strike(verb, route.resource());
        match &fault {
            None | Some(Fault::Lose) => {}
            Some(Fault::Slow(delay)) => {
                tokio::time::sleep(*delay).await;
                if inner.faults.is_stopped() {
                    return Err(Refused::stopped(cluster.name()));
                }
            }
            Some(Fault::Fail { code, message }) => {
                return Ok(api::failure(&Failure::injected(*code, message.clone())));
            }
            Some(Fault::Answer(text)) => return Ok(api::text(text.clone())),
            Some(Fault::Disconnect) => return Err(Refused::reset(cluster.name())),
        }
        let body = body
            .collect()
            .await
            .map_err(|e| Refused::Body(e.to_string()))?
            .to_bytes();
        let answer = api::handle(&cluster, &route, &parts.headers, &body, &user);
        inner.work.notify_one();
        if fault == Some(Fault::Lose) {
            return Err(Refused::reset(cluster.name()));
        }
        let requests = inner.requests.clone();
        let counted = move |frame: Frame<Bytes>| {
            let bytes = frame.data_ref().map_or(0, Bytes::len);
            requests.answer(verb, &resource, bytes);
            frame
        };
        Ok(answer.map(|body| body.map_frame(counted).boxed_unsync()))
    }
}

impl<B> tower::Service<Request<B>> for SimService
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: fmt::Display,
{
    type Response = Response<SimBody>;
    type Error = Refused;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Refused>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Refused>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        Box::pin(self.clone().answer(request))
    }
}
