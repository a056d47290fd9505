//! What a connection to a repository over HTTP is made with: whom to trust, who we are to TLS, and
//! which proxy to take.

use std::time::Duration;

use super::{Repository, SourceError, Tls};
use crate::http::{Http, Redirects};

/// The terms of one repository, read once, so that a bad certificate is an error before any
/// connection.
pub(crate) struct Connection {
    insecure: bool,
    authorities: Vec<reqwest::Certificate>,
    identity: Option<reqwest::Identity>,
    proxy: Option<reqwest::Proxy>,
}

/// Both kinds of builders have the same methods and nothing else in common.
macro_rules! with_terms {
    ($terms:expr, $builder:expr) => {{
        let mut builder = $builder.no_proxy();
        if $terms.insecure {
            builder = builder.danger_accept_invalid_certs(true);
        }
        for certificate in $terms.authorities {
            builder = builder.add_root_certificate(certificate);
        }
        if let Some(identity) = $terms.identity {
            builder = builder.identity(identity);
        }
        if let Some(proxy) = $terms.proxy {
            builder = builder.proxy(proxy);
        }
        builder
    }};
}

impl Connection {
    /// Reads the terms of `repository`.
    pub(crate) fn of(repository: &Repository) -> Result<Self, SourceError> {
        let refuse = |what: &str, error: reqwest::Error| SourceError::Credentials {
            url: repository.url.clone(),
            why: format!("{what}: {}", crate::diagnostic::chain(&error)),
        };
        let Tls {
            insecure,
            authorities,
            client_certificate,
        } = &repository.tls;
        let authorities = match authorities {
            Some(pem) => reqwest::Certificate::from_pem_bundle(pem.as_bytes())
                .map_err(|error| refuse("the certificate authority is not PEM", error))?,
            None => Vec::new(),
        };
        let identity = match client_certificate {
            Some((certificate, key)) => {
                let pem = format!("{certificate}\n{}\n", key.expose());
                let identity = reqwest::Identity::from_pem(pem.as_bytes());
                Some(identity.map_err(|error| {
                    refuse("the client certificate or its key is not PEM", error)
                })?)
            }
            None => None,
        };
        let proxy = match &repository.proxy {
            Some(proxy) => {
                let no_proxy = repository.no_proxy.as_deref();
                let proxy = reqwest::Proxy::all(proxy.expose())
                    .map_err(|error| refuse("the proxy is not a URL", error.without_url()))?;
                Some(proxy.no_proxy(no_proxy.and_then(reqwest::NoProxy::from_string)))
            }
            None => None,
        };
        Ok(Self {
            insecure: *insecure,
            authorities,
            identity,
            proxy,
        })
    }

    /// A builder for git, which asks from its own threads.
    pub(crate) fn blocking(
        self,
        builder: reqwest::blocking::ClientBuilder,
    ) -> reqwest::blocking::ClientBuilder {
        with_terms!(self, builder)
    }

    /// A service for one repository; a request may take `limit`.
    pub(crate) fn service(self, limit: Duration) -> reqwest::Result<Http> {
        let builder = with_terms!(self, reqwest::Client::builder());
        Http::new(builder, Redirects::Anywhere, limit)
    }
}
