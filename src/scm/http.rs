//! How requests reach providers and plugins: bounded in time and size, and counted.
//!
//! A redirect is followed only to the host that it came from, so that credentials stay where they
//! were meant to go. Proxies are those of the environment.

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use argosy_scm::Quota;
use axum::http::{Request, Response};
use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use tokio::time::Instant;
use tower::ServiceExt as _;
use tower_service::Service;

use crate::http::{self, Http, Network, Proxy, Redirects, Tls};
use crate::metrics::ScmMetrics;

/// The largest body; a page of a hundred repositories has about half a megabyte.
const BODY: usize = 32 << 20;

/// Whom to trust, and how long.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Terms {
    /// Accepts any certificate.
    pub(super) insecure: bool,
    /// Further certificate authorities, PEM.
    pub(super) authorities: Vec<String>,
    /// Which addresses may be reached.
    pub(super) reach: http::Reach,
    /// The time from a request to the end of its answer.
    pub(super) timeout: Duration,
}

impl Terms {
    /// Makes connections that others share.
    pub(super) fn connections(&self, network: &Network) -> Result<Http, String> {
        let authorities = self.authorities.join("\n");
        network.open(&http::Terms {
            tls: Tls {
                insecure: self.insecure,
                authorities: Some(authorities).filter(|pem| !pem.is_empty()),
                client_certificate: None,
            },
            proxy: Proxy::Environment,
            redirects: Redirects::SameOrigin,
            reach: self.reach.clone(),
            limit: self.timeout,
        })
    }
}

/// Carries requests to one provider and counts them.
#[derive(Clone)]
pub(super) struct Carrier {
    pub(super) http: Http,
    pub(super) provider: &'static str,
    pub(super) timeout: Duration,
    pub(super) metrics: Arc<ScmMetrics>,
}

/// Why no answer came.
#[derive(Debug)]
pub(super) struct Failure(String);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Carrier {
    async fn carry(self, request: Request<Bytes>) -> Result<Response<Bytes>, Failure> {
        let host = request.uri().host().unwrap_or_default().to_owned();
        let started = Instant::now();
        let outcome = self.exchange(request).await;
        let code = outcome
            .as_ref()
            .map_or(0, |answer| answer.status().as_u16());
        self.metrics.asked(self.provider, code, started.elapsed());
        let quota = outcome
            .as_ref()
            .ok()
            .and_then(|answer| Quota::of(answer.headers()));
        if let Some(quota) = quota {
            self.metrics.quota(self.provider, &host, &quota);
        }
        outcome
    }

    async fn exchange(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Failure> {
        let answer = self.http.clone().oneshot(request).await;
        let (head, body) = answer.map_err(|error| self.failure(&error))?.into_parts();
        let body = Limited::new(body, BODY).collect().await;
        let body = body.map_err(|error| self.failure(error.as_ref()))?;
        Ok(Response::from_parts(head, body.to_bytes()))
    }

    fn failure(&self, error: &(dyn Error + 'static)) -> Failure {
        Failure(if error.is::<LengthLimitError>() {
            format!("the answer has more than {BODY} bytes")
        } else if error.downcast_ref() == Some(&http::Failure::Timeout) {
            format!("not within {} s", self.timeout.as_secs())
        } else {
            crate::diagnostic::chain(error)
        })
    }
}

impl Service<Request<Bytes>> for Carrier {
    type Response = Response<Bytes>;
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Bytes>, Failure>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        Box::pin(self.clone().carry(request))
    }
}
