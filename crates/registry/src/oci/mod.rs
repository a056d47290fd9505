//! A repository in an OCI registry: tags, manifests, blobs.
//!
//! The subset of the OCI distribution specification that reading artifacts takes.

mod challenge;
mod manifest;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use serde::Deserialize;
use url::Url;

pub use manifest::{Descriptor, HELM_CHART_LAYER, Manifest};

use crate::{
    Credentials, Digest, Error, Transport,
    credentials::sensitive,
    exchange::{expect, get, shown},
    helm::{ARCHIVE_LIMIT, verified},
};
use challenge::Challenge;

/// The largest manifest: what registries accept.
const MANIFEST_LIMIT: u64 = 4 * 1024 * 1024;

/// The largest page of tags, and the most pages of one repository.
const TAGS_LIMIT: u64 = 16 * 1024 * 1024;
const PAGES: usize = 1000;

/// The largest answer of a token service.
const TOKEN_LIMIT: u64 = 1024 * 1024;

/// A repository in a registry.
pub struct OciRepository<T> {
    transport: T,
    registry: Url,
    name: String,
    credentials: Credentials,
    /// What the registry accepted last.
    authorization: Option<HeaderValue>,
}

#[derive(Deserialize)]
struct Tags {
    tags: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Token {
    #[serde(default)]
    token: String,
    #[serde(default)]
    access_token: String,
}

impl<T: Transport> OciRepository<T> {
    /// The repository at `address`: host, port if need be, and name, with or without `oci://`.
    /// Without a name only [`Self::ping`] can be asked.
    pub fn new(
        transport: T,
        address: &str,
        plain_http: bool,
        credentials: Credentials,
    ) -> Result<Self, Error> {
        let refuse = |why: String| Error::Url {
            url: address.to_owned(),
            why,
        };
        let bare = address.strip_prefix("oci://").unwrap_or(address);
        let (host, name) = bare.split_once('/').unwrap_or((bare, ""));
        let name = name.trim_matches('/');
        if !name.is_empty() && !name.split('/').all(is_component) {
            return Err(refuse(format!("{name:?} is not the name of a repository")));
        }
        let host = if host == "docker.io" {
            "registry-1.docker.io"
        } else {
            host
        };
        let scheme = if plain_http { "http" } else { "https" };
        let registry = Url::parse(&format!("{scheme}://{host}/"))
            .map_err(|error| refuse(error.to_string()))?;
        if registry.path() != "/"
            || !registry.username().is_empty()
            || registry.password().is_some()
        {
            return Err(refuse(format!("{host:?} is not a host")));
        }
        Ok(Self {
            transport,
            registry,
            name: name.to_owned(),
            credentials,
            authorization: None,
        })
    }

    /// Asks whether the registry accepts the credentials.
    pub async fn ping(&mut self) -> Result<(), Error> {
        let url = self.join("v2/")?;
        self.get(&url, None, TOKEN_LIMIT).await.map(drop)
    }

    /// All tags.
    pub async fn tags(&mut self) -> Result<Vec<String>, Error> {
        let mut url = self.url("tags/list?n=1000")?;
        let mut tags = Vec::new();
        for _ in 0..PAGES {
            let answer = self.get(&url, None, TAGS_LIMIT).await?;
            let page: Tags =
                serde_json::from_slice(answer.body()).map_err(|error| malformed(&url, &error))?;
            tags.extend(page.tags.unwrap_or_default());
            match next_page(&url, &answer)? {
                Some(next) => url = next,
                None => return Ok(tags),
            }
        }
        Err(Error::Malformed {
            url: shown(&url),
            why: format!("there are more than {PAGES} pages of tags"),
        })
    }

    /// The manifest behind a tag or digest, and its digest.
    pub async fn manifest(&mut self, reference: &str) -> Result<(Digest, Manifest), Error> {
        if !is_reference(reference) {
            return Err(Error::Url {
                url: reference.to_owned(),
                why: "it is neither a tag nor a sha256 digest".to_owned(),
            });
        }
        let url = self.url(&format!("manifests/{reference}"))?;
        let answer = self
            .get(&url, Some(manifest::ACCEPT), MANIFEST_LIMIT)
            .await?;
        let digest = Digest::of(answer.body());
        if let Some(expected) = reference
            .contains(':')
            .then(|| Digest::parse(reference))
            .flatten()
        {
            verified(&url, answer.body().clone(), &expected)?;
        }
        let manifest = Manifest::parse(answer.body()).map_err(|why| Error::Malformed {
            url: shown(&url),
            why,
        })?;
        Ok((digest, manifest))
    }

    /// The content that a descriptor describes.
    pub async fn blob(&mut self, descriptor: &Descriptor) -> Result<Bytes, Error> {
        let url = self.url(&format!("blobs/{}", descriptor.digest))?;
        if descriptor.size > ARCHIVE_LIMIT {
            return Err(Error::TooLarge {
                url: shown(&url),
                limit: ARCHIVE_LIMIT,
            });
        }
        let answer = self.get(&url, None, descriptor.size).await?;
        verified(&url, answer.into_body(), &descriptor.digest)
    }

    fn url(&self, rest: &str) -> Result<Url, Error> {
        if self.name.is_empty() {
            return Err(Error::Url {
                url: shown(&self.registry),
                why: "it names a registry and no repository in it".to_owned(),
            });
        }
        self.join(&format!("v2/{}/{rest}", self.name))
    }

    fn join(&self, path: &str) -> Result<Url, Error> {
        self.registry.join(path).map_err(|error| Error::Url {
            url: path.to_owned(),
            why: error.to_string(),
        })
    }

    /// Asks with what was accepted last, and, if that is refused, as the registry tells how.
    async fn get(
        &mut self,
        url: &Url,
        accept: Option<&'static str>,
        limit: u64,
    ) -> Result<Response<Bytes>, Error> {
        let answer = self.ask(url, accept, limit).await?;
        if answer.status() != StatusCode::UNAUTHORIZED {
            return expect(url, answer);
        }
        let challenge = Challenge::of(answer.headers()).ok_or_else(|| Error::Unauthorized {
            url: shown(url),
            why: "the registry does not say how to authenticate".to_owned(),
        })?;
        self.authorization = match challenge {
            Challenge::Basic => self.credentials.header(&shown(url))?,
            Challenge::Bearer {
                realm,
                service,
                scope,
            } => Some(
                self.token(&realm, service.as_deref(), scope.as_deref())
                    .await?,
            ),
        };
        if self.authorization.is_none() {
            return Err(Error::Unauthorized {
                url: shown(url),
                why: "the registry asks for user and password".to_owned(),
            });
        }
        let answer = self.ask(url, accept, limit).await?;
        expect(url, answer)
    }

    async fn ask(
        &mut self,
        url: &Url,
        accept: Option<&'static str>,
        limit: u64,
    ) -> Result<Response<Bytes>, Error> {
        let accept = accept.map(|types| (header::ACCEPT, HeaderValue::from_static(types)));
        let authorization = self.authorization.clone();
        let headers = accept
            .into_iter()
            .chain(authorization.map(|value| (header::AUTHORIZATION, value)));
        get(&mut self.transport, url, headers, limit).await
    }

    /// A token from the service that the registry names.
    async fn token(
        &mut self,
        realm: &str,
        service: Option<&str>,
        scope: Option<&str>,
    ) -> Result<HeaderValue, Error> {
        let mut url = Url::parse(realm).map_err(|error| Error::Url {
            url: realm.to_owned(),
            why: format!("the registry names it as its token service: {error}"),
        })?;
        if let Credentials::Bearer(token) = &self.credentials {
            return sensitive(
                &format!("Bearer {}", token.expose()),
                &shown(&self.registry),
            );
        }
        if let Some(service) = service {
            url.query_pairs_mut().append_pair("service", service);
        }
        if let Some(scope) = scope {
            url.query_pairs_mut().append_pair("scope", scope);
        } else if !self.name.is_empty() {
            let scope = format!("repository:{}:pull", self.name);
            url.query_pairs_mut().append_pair("scope", &scope);
        }
        let mut headers: Vec<(HeaderName, HeaderValue)> = Vec::new();
        if challenge::may_see_credentials(&self.registry, &url)
            && let Some(value) = self.credentials.header(&shown(&url))?
        {
            headers.push((header::AUTHORIZATION, value));
        }
        let answer = get(&mut self.transport, &url, headers, TOKEN_LIMIT).await?;
        let answer = expect(&url, answer)?;
        let token: Token =
            serde_json::from_slice(answer.body()).map_err(|error| malformed(&url, &error))?;
        let token = if token.token.is_empty() {
            token.access_token
        } else {
            token.token
        };
        sensitive(&format!("Bearer {token}"), &shown(&url))
    }
}

/// Where the next page is, which must be at the same registry.
fn next_page(url: &Url, answer: &Response<Bytes>) -> Result<Option<Url>, Error> {
    let link = answer
        .headers()
        .get(header::LINK)
        .and_then(|link| link.to_str().ok());
    let next = link.and_then(|link| {
        let (target, parameters) = link.strip_prefix('<')?.split_once('>')?;
        parameters.contains("next").then_some(target)
    });
    let Some(next) = next else { return Ok(None) };
    match url.join(next) {
        Ok(next) if next.origin() == url.origin() => Ok(Some(next)),
        _ => Err(Error::Malformed {
            url: shown(url),
            why: "the next page of tags is not at this registry".to_owned(),
        }),
    }
}

fn malformed(url: &Url, error: &serde_json::Error) -> Error {
    Error::Malformed {
        url: shown(url),
        why: format!("the answer is not of the specified form: {error}"),
    }
}

/// Whether `text` is one part of a repository's name.
fn is_component(text: &str) -> bool {
    let is_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    text.bytes()
        .all(|byte| is_name(byte) || b"._-".contains(&byte))
        && text.bytes().next().is_some_and(is_name)
        && text.bytes().last().is_some_and(is_name)
}

/// Whether `text` is a tag or a digest.
fn is_reference(text: &str) -> bool {
    if text.contains(':') {
        return text.starts_with("sha256:") && Digest::parse(text).is_some();
    }
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    (1..=128).contains(&text.len())
        && text.bytes().next().is_some_and(is_word)
        && text
            .bytes()
            .all(|byte| is_word(byte) || b".-".contains(&byte))
}
