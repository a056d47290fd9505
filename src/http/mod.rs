//! The seam below everything that speaks HTTP, clusters and git apart: charts and artifacts, SCM
//! providers, plugins and gates.
//!
//! A connection is a tower service that holds whom to trust, which proxy to take and how long to
//! wait. It never takes `Authorization` to another host, and never follows a redirect from https to
//! http. Where somebody else than whoever runs the hub names the host, each address that is connected
//! to is checked, after names were resolved.

mod connection;

use std::{fmt, sync::Arc, time::Duration};

use argosy_engine::addresses::Addresses;
use argosy_facts::Secret;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use tower::util::BoxCloneSyncService;

pub(crate) use connection::Connection;

/// Connections to any host, on one set of terms. Cloning is cheap and shares them.
pub type Http = BoxCloneSyncService<Request<Bytes>, Response<Body>, Failure>;

/// The body of an answer.
pub type Body = UnsyncBoxBody<Bytes, Failure>;

/// Why there is no answer, or no whole one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// It took longer than allowed.
    #[error("there was no whole answer in time")]
    Timeout,
    /// The chain of causes, without the URL, which may be signed.
    #[error("{0}")]
    Broken(String),
}

/// On what terms hosts are reached.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Whom to trust, and who we are.
    pub tls: Tls,
    /// By which way.
    pub proxy: Proxy,
    /// Where an answer may send us.
    pub redirects: Redirects,
    /// Which addresses may be reached.
    pub reach: Reach,
    /// How long a request may take from its first to its last byte.
    pub limit: Duration,
}

/// Whom to trust over TLS, and how to prove who we are.
#[derive(Clone, Debug, Default)]
pub struct Tls {
    /// Accepts any certificate, and with ssh any host key.
    pub insecure: bool,
    /// Further certificate authorities, PEM.
    pub authorities: Option<String>,
    /// A client certificate and its key, PEM.
    pub client_certificate: Option<(String, Secret)>,
}

/// Which proxy is taken.
#[derive(Clone, Debug)]
pub enum Proxy {
    /// None.
    None,
    /// The one that the environment names.
    Environment,
    /// This one, whose URL may hold a password, but for the hosts listed in `except`.
    At {
        /// Its URL.
        url: Secret,
        /// Hosts that are reached without it, separated by commas.
        except: Option<String>,
    },
}

/// Which addresses may be reached.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// All of them: whoever runs the hub named the host.
    #[default]
    Anywhere,
    /// Those that these are, whatever their names, and wherever redirects lead. Names that a proxy
    /// is asked for are the proxy's to resolve.
    Within(Addresses),
}

/// Which redirects are followed; others are the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redirects {
    /// None.
    Nowhere,
    /// To any host, which gets no `Authorization`, but for those from https to http.
    Anywhere,
    /// To the same host: credentials may stand in headers that nobody knows to take away.
    SameOrigin,
}

/// Opens connections.
#[derive(Clone)]
pub struct Network(Arc<Open>);

type Open = dyn Fn(&Terms) -> Result<Http, String> + Send + Sync;

impl Network {
    /// Sockets of this machine.
    pub fn system() -> Self {
        Self::from_fn(|terms| Connection::of(terms)?.service())
    }

    /// Services that `open` gives; its error says what of the terms cannot be used.
    pub fn from_fn(open: impl Fn(&Terms) -> Result<Http, String> + Send + Sync + 'static) -> Self {
        Self(Arc::new(open))
    }

    pub(crate) fn open(&self, terms: &Terms) -> Result<Http, String> {
        (self.0)(terms)
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Network")
    }
}
