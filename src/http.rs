//! HTTP as a tower service: how clients that bring no connections of their own reach the world.
//!
//! A service holds whom to trust, which proxy to take and how long to wait. It never takes
//! `Authorization` to another host, and never follows a redirect from https to http.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use reqwest::redirect;
use tower_service::Service;

/// How long opening a connection may take, and how long one may be silent.
const CONNECT: Duration = Duration::from_secs(15);
const SILENCE: Duration = Duration::from_secs(30);

/// How many redirects are followed.
const REDIRECTS: usize = 10;

/// Connections to any host, on one set of terms. Cloning is cheap and shares them.
#[derive(Clone, Debug)]
pub struct Http(reqwest::Client);

/// Where redirects may lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redirects {
    /// To any host, which gets no `Authorization`.
    Anywhere,
    /// To the same host: credentials may stand in headers that nobody knows to take away.
    SameOrigin,
}

impl Http {
    /// On the terms of `builder`; a request may take `limit` from its first to its last byte.
    pub fn new(
        builder: reqwest::ClientBuilder,
        redirects: Redirects,
        limit: Duration,
    ) -> reqwest::Result<Self> {
        let policy = redirect::Policy::custom(move |attempt| follow(attempt, redirects));
        let client = builder
            .user_agent(concat!("argosy/", env!("CARGO_PKG_VERSION")))
            .redirect(policy)
            .connect_timeout(CONNECT)
            .read_timeout(SILENCE)
            .timeout(limit)
            .build()?;
        Ok(Self(client))
    }
}

fn follow(attempt: redirect::Attempt<'_>, redirects: Redirects) -> redirect::Action {
    let from = attempt.previous().last();
    let is_downgrade =
        from.map(reqwest::Url::scheme) == Some("https") && attempt.url().scheme() != "https";
    let is_elsewhere = from.map(reqwest::Url::origin) != Some(attempt.url().origin());
    if attempt.previous().len() > REDIRECTS {
        attempt.error("too many redirects")
    } else if is_elsewhere && redirects == Redirects::SameOrigin {
        attempt.stop()
    } else if is_downgrade {
        attempt.error("a redirect leads from https to http")
    } else {
        attempt.follow()
    }
}

impl Service<Request<Bytes>> for Http {
    type Response = Response<reqwest::Body>;
    type Error = reqwest::Error;
    type Future = Pin<Box<dyn Future<Output = reqwest::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<reqwest::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        let client = self.0.clone();
        Box::pin(async move {
            let request = reqwest::Request::try_from(request)?;
            let answer = client.execute(request).await;
            // A URL may be signed, and errors are shown.
            Ok(answer.map_err(reqwest::Error::without_url)?.into())
        })
    }
}
