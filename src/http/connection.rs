//! Connections of this machine, by reqwest.

use std::{
    net::IpAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use argosy_engine::addresses::{AddressRefused, Addresses};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt as _;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::{Action, Attempt, Policy};
use tower_service::Service;
use url::Host;

use super::{Body, Failure, Http, Proxy, Reach, Redirects, Terms, Tls};
use crate::diagnostic::chain;

/// How long opening a connection may take, and how long one may be silent.
const CONNECT: Duration = Duration::from_secs(15);
const SILENCE: Duration = Duration::from_secs(30);

/// How many redirects are followed.
const REDIRECTS: usize = 10;

/// Terms that were read, so that a bad certificate is an error before any connection.
pub(crate) struct Connection {
    insecure: bool,
    authorities: Vec<reqwest::Certificate>,
    identity: Option<reqwest::Identity>,
    uses_environment: bool,
    /// The first that takes a request has it.
    proxies: Vec<reqwest::Proxy>,
    redirects: Redirects,
    reach: Reach,
    limit: Duration,
}

/// Both kinds of builders have the same methods and nothing else in common.
macro_rules! with_terms {
    ($terms:expr, $builder:expr) => {{
        let mut builder = $builder.timeout($terms.limit);
        if $terms.insecure {
            builder = builder.danger_accept_invalid_certs(true);
        }
        for certificate in $terms.authorities {
            builder = builder.add_root_certificate(certificate);
        }
        if let Some(identity) = $terms.identity {
            builder = builder.identity(identity);
        }
        if let Reach::Within(addresses) = $terms.reach {
            builder = builder.dns_resolver(Arc::new(Guarded(addresses)));
        }
        if !$terms.uses_environment {
            builder = builder.no_proxy();
        }
        for proxy in $terms.proxies {
            builder = builder.proxy(proxy);
        }
        builder
    }};
}

impl Connection {
    /// Reads the terms; the error says what of them cannot be used.
    pub(crate) fn of(terms: &Terms) -> Result<Self, String> {
        let refuse = |what: &str, error: reqwest::Error| format!("{what}: {}", chain(&error));
        let Tls {
            insecure,
            authorities,
            client_certificate,
        } = &terms.tls;
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
        let proxies = match &terms.proxy {
            Proxy::At { url, except } => {
                let at = url::Url::parse(url.expose()).ok();
                if let (Reach::Within(addresses), Some(at)) = (&terms.reach, at) {
                    let refused = |error| format!("the proxy: {error}");
                    literal(&at)
                        .map_or(Ok(()), |at| addresses.check(at))
                        .map_err(refused)?;
                }
                let proxy = reqwest::Proxy::all(url.expose())
                    .map_err(|error| refuse("the proxy is not a URL", error.without_url()))?;
                let except = except.as_deref().and_then(reqwest::NoProxy::from_string);
                vec![proxy.no_proxy(except)]
            }
            Proxy::None | Proxy::Environment => Vec::new(),
        };
        Ok(Self {
            insecure: *insecure,
            authorities,
            identity,
            uses_environment: matches!(terms.proxy, Proxy::Environment),
            proxies,
            redirects: terms.redirects,
            reach: terms.reach.clone(),
            limit: terms.limit,
        })
    }

    /// A builder for git, which asks from its own threads and follows redirects in its own way.
    ///
    /// Nobody is asked for an address that stands in the URL of a request or redirect itself, and
    /// git's library lets nobody see its redirects. But which proxy is taken is asked for each: one
    /// that is refused is sent to a proxy that does not exist, whose name says why.
    pub(crate) fn blocking(
        mut self,
        builder: reqwest::blocking::ClientBuilder,
    ) -> reqwest::blocking::ClientBuilder {
        if let Reach::Within(addresses) = self.reach.clone() {
            let refused = reqwest::Proxy::custom(move |url| {
                let at = literal(url)?;
                addresses.check(at).err().map(|_| nowhere(at))
            });
            self.proxies.insert(0, refused);
        }
        with_terms!(self, builder)
    }

    /// Where a `GET` of `url` ends on the host that it begins with, asked by whoever may block.
    pub(crate) fn lands_at(self, url: &str, authorization: &str) -> Result<url::Url, Failure> {
        let reach = self.reach.clone();
        let redirects =
            Policy::custom(move |attempt| follow(attempt, Redirects::SameOrigin, &reach));
        let client = self
            .blocking(reqwest::blocking::Client::builder())
            .redirect(redirects)
            .connect_timeout(CONNECT)
            .build()?;
        // It goes along to the same scheme, host and port, and nowhere else.
        let asked = client.get(url).header("Authorization", authorization);
        Ok(asked.send()?.url().clone())
    }

    /// A service on these terms.
    pub(super) fn service(self) -> Result<Http, String> {
        let (redirects, reach) = (self.redirects, self.reach.clone());
        let within = reach.clone();
        let redirects = Policy::custom(move |attempt| follow(attempt, redirects, &within));
        let client = with_terms!(self, reqwest::Client::builder())
            .user_agent(concat!("argosy/", env!("CARGO_PKG_VERSION")))
            .redirect(redirects)
            .connect_timeout(CONNECT)
            .read_timeout(SILENCE)
            .build()
            .map_err(|error| format!("cannot make a client: {}", chain(&error)))?;
        Ok(Http::new(Client { client, reach }))
    }
}

fn follow(attempt: Attempt<'_>, redirects: Redirects, reach: &Reach) -> Action {
    let from = attempt.previous().last();
    let is_downgrade =
        from.map(reqwest::Url::scheme) == Some("https") && attempt.url().scheme() != "https";
    let is_elsewhere = from.map(reqwest::Url::origin) != Some(attempt.url().origin());
    if attempt.previous().len() > REDIRECTS {
        attempt.error("too many redirects")
    } else if redirects == Redirects::Nowhere || is_elsewhere && redirects == Redirects::SameOrigin
    {
        attempt.stop()
    } else if is_downgrade {
        attempt.error("a redirect leads from https to http")
    } else if let Err(refused) = check(attempt.url(), reach) {
        attempt.error(refused)
    } else {
        attempt.follow()
    }
}

#[derive(Clone)]
struct Client {
    client: reqwest::Client,
    reach: Reach,
}

impl Service<Request<Bytes>> for Client {
    type Response = Response<Body>;
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Failure>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        let client = self.client.clone();
        let reach = self.reach.clone();
        Box::pin(async move {
            let request = reqwest::Request::try_from(request)?;
            let refused = |error: AddressRefused| Failure::Broken(error.to_string());
            check(request.url(), &reach).map_err(refused)?;
            let answer: Response<reqwest::Body> = client.execute(request).await?.into();
            Ok(answer.map(|body| body.map_err(Failure::from).boxed_unsync()))
        })
    }
}

impl From<reqwest::Error> for Failure {
    fn from(error: reqwest::Error) -> Self {
        if error.is_timeout() {
            return Self::Timeout;
        }
        // A URL may be signed, and errors are shown.
        Self::Broken(chain(&error.without_url()))
    }
}

/// The address that a URL names, if it is not a name.
fn literal(url: &reqwest::Url) -> Option<IpAddr> {
    match url.host()? {
        Host::Ipv4(address) => Some(address.into()),
        Host::Ipv6(address) => Some(address.into()),
        Host::Domain(_) => None,
    }
}

/// Refuses an address that stands in a URL itself, which nobody resolves.
fn check(url: &reqwest::Url, reach: &Reach) -> Result<(), AddressRefused> {
    match (reach, literal(url)) {
        (Reach::Within(addresses), Some(address)) => addresses.check(address),
        _ => Ok(()),
    }
}

/// What the name of the proxy ends in that stands for an address that is refused. Nobody has such
/// a name (RFC 6761).
const NOWHERE: &str = ".refused.invalid";

/// The proxy that stands for an address that is refused.
fn nowhere(address: IpAddr) -> String {
    let address = match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped(),
        IpAddr::V6(v6) => v6,
    };
    format!("http://{:032x}{NOWHERE}", address.to_bits())
}

/// The address for which a proxy of this name stands.
fn refused_by(name: &str) -> Option<IpAddr> {
    let bits = u128::from_str_radix(name.strip_suffix(NOWHERE)?, 16).ok()?;
    Some(IpAddr::V6(bits.into()))
}

/// Resolves names to the addresses that may be reached.
struct Guarded(Addresses);

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let addresses = self.0.clone();
        Box::pin(async move {
            if let Some(address) = refused_by(name.as_str()) {
                addresses.check(address)?;
            }
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let (mut kept, mut refused) = (Vec::new(), None::<AddressRefused>);
            for address in found {
                match addresses.check(address.ip()) {
                    Ok(()) => kept.push(address),
                    Err(why) => refused = Some(why),
                }
            }
            match refused {
                Some(why) if kept.is_empty() => Err(why.into()),
                _ => Ok(Box::new(kept.into_iter()) as Addrs),
            }
        })
    }
}
