//! How requests reach providers and plugins: over TLS, bounded in time and size.
//!
//! A redirect is followed only to the host that it came from, so that credentials stay where they
//! were meant to go. Proxies are those of the environment.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use argosy_scm::Quota;
use axum::body::Bytes;
use http::{Request, Response};
use reqwest::redirect::{Attempt, Policy};
use tower_service::Service;

use crate::metrics::ScmMetrics;

/// The time to make a connection.
const CONNECT: Duration = Duration::from_secs(10);

/// The time from a request to the end of its answer, as in Argo CD's plugins.
const REQUEST: Duration = Duration::from_secs(30);

/// The largest body; a page of a hundred repositories has about half a megabyte.
const BODY: usize = 32 << 20;

/// The most redirects.
const REDIRECTS: usize = 5;

/// Whom to trust.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Trust {
    /// Accepts any certificate.
    pub(super) insecure: bool,
    /// Further certificate authorities, PEM.
    pub(super) authorities: Vec<String>,
}

/// Makes a client that others share.
pub(super) fn client(trust: &Trust) -> Result<reqwest::Client, String> {
    let mut builder = reqwest::Client::builder()
        .connect_timeout(CONNECT)
        .redirect(Policy::custom(same_host))
        .danger_accept_invalid_certs(trust.insecure);
    for pem in &trust.authorities {
        let certificates = reqwest::Certificate::from_pem_bundle(pem.as_bytes())
            .map_err(|error| format!("the certificate authority is not PEM: {error}"))?;
        for certificate in certificates {
            builder = builder.add_root_certificate(certificate);
        }
    }
    builder
        .build()
        .map_err(|error| format!("cannot make a client: {}", crate::diagnostic::chain(&error)))
}

fn same_host(attempt: Attempt<'_>) -> reqwest::redirect::Action {
    let before = attempt.previous();
    let is_same = before
        .last()
        .is_some_and(|before| before.origin() == attempt.url().origin());
    if is_same && before.len() <= REDIRECTS {
        attempt.follow()
    } else {
        attempt.stop()
    }
}

/// Carries requests to one provider and counts them.
#[derive(Clone)]
pub(super) struct Carrier {
    client: reqwest::Client,
    provider: &'static str,
    timeout: Duration,
    metrics: Arc<ScmMetrics>,
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
    pub(super) fn new(
        client: reqwest::Client,
        provider: &'static str,
        timeout: Option<Duration>,
        metrics: Arc<ScmMetrics>,
    ) -> Self {
        Self {
            client,
            provider,
            timeout: timeout.unwrap_or(REQUEST),
            metrics,
        }
    }

    async fn carry(self, request: Request<Bytes>) -> Result<Response<Bytes>, Failure> {
        let mut request =
            reqwest::Request::try_from(request).map_err(|error| self.failure(error))?;
        *request.timeout_mut() = Some(self.timeout);
        let host = request.url().host_str().unwrap_or_default().to_owned();
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

    async fn exchange(&self, request: reqwest::Request) -> Result<Response<Bytes>, Failure> {
        let too_large = || Failure(format!("the answer has more than {BODY} bytes"));
        let mut answer = self
            .client
            .execute(request)
            .await
            .map_err(|error| self.failure(error))?;
        let is_over = |length: u64| usize::try_from(length).is_ok_and(|length| length > BODY);
        if answer.content_length().is_some_and(is_over) {
            return Err(too_large());
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| self.failure(error))? {
            if body.len() + chunk.len() > BODY {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        let mut response = Response::new(Bytes::from(body));
        *response.status_mut() = answer.status();
        *response.headers_mut() = std::mem::take(answer.headers_mut());
        Ok(response)
    }

    /// Without the address, whose query changes from page to page.
    fn failure(&self, error: reqwest::Error) -> Failure {
        if error.is_timeout() {
            return Failure(format!("not within {} s", self.timeout.as_secs()));
        }
        Failure(crate::diagnostic::chain(&error.without_url()))
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
