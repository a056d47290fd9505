//! Requests to one provider with one set of credentials, and what makes an answer one.
//!
//! An answer counts only if it is JSON of the expected shape with the expected status. Everything
//! else is an error; nothing here makes a short or an empty list out of one. Next pages are asked
//! for at addresses made here, so that no answer sends the credentials elsewhere.

use std::fmt::Display;
use std::future::poll_fn;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, ETAG, IF_NONE_MATCH, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use jiff::Timestamp;
use serde::Serialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::error::Category;
use sha2::{Digest as _, Sha256};
use tower_service::Service;
use url::Url;

use crate::error::{Error, Problem, Result, spec};
use crate::limit::refused_until;
use crate::memory::{Identity, Memory, Remembered};

/// The most pages of one list, against one that never ends.
const PAGES: usize = 2_000;

/// Carries requests to their hosts: it bounds time and size, and follows no redirect to another
/// host.
pub trait Http:
    Service<Request<Bytes>, Response = Response<Bytes>, Error: Display + Send, Future: Send>
    + Clone
    + Send
    + Sync
{
}

impl<S> Http for S where
    S: Service<Request<Bytes>, Response = Response<Bytes>, Error: Display + Send, Future: Send>
        + Clone
        + Send
        + Sync
{
}

/// What a question to a provider is asked with.
#[derive(Clone)]
pub struct Session {
    /// What earlier questions left behind.
    pub memory: Arc<Memory>,
    /// The time.
    pub now: Timestamp,
}

/// A provider's API.
pub(crate) struct Api<S> {
    service: S,
    base: Url,
    headers: HeaderMap,
    identity: Sha256,
    session: Session,
}

/// A response, whatever its status.
pub(crate) struct Answer {
    request: String,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// Reads the address of an API.
pub(crate) fn base(address: &str) -> Result<Url> {
    let refuse = |why: &str| spec("the address of the API", why);
    let url = Url::parse(address).map_err(|error| refuse(&error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(refuse(
            "it must begin with https:// or http:// and name a host",
        ));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refuse("it must not hold credentials; refer to a Secret"));
    }
    Ok(url)
}

/// The address that lies under `base`; each segment is encoded.
pub(crate) fn below<'a>(base: &Url, segments: impl IntoIterator<Item = &'a str>) -> Url {
    let mut url = base.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(segments);
    }
    url
}

impl<S: Http> Api<S> {
    pub(crate) fn new(service: S, base: Url, session: &Session) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        let agent = concat!("argosy/", env!("CARGO_PKG_VERSION"));
        headers.insert(USER_AGENT, HeaderValue::from_static(agent));
        Self {
            service,
            base,
            headers,
            identity: Sha256::new(),
            session: session.clone(),
        }
    }

    /// Sends a header with every request.
    pub(crate) fn header(mut self, name: &'static str, value: &'static str) -> Self {
        let name = HeaderName::from_static(name);
        self.headers.insert(name, HeaderValue::from_static(value));
        self
    }

    /// Sends a credential with every request.
    pub(crate) fn credential(self, name: &'static str, value: &str) -> Result<Self> {
        self.known_by(value).fleeting(name, value)
    }

    /// Sends a credential that is soon replaced by another one of the same identity.
    pub(crate) fn fleeting(mut self, name: &'static str, value: &str) -> Result<Self> {
        let mut value = HeaderValue::from_str(value).map_err(|_| {
            spec(
                "the credentials",
                "they hold a line break or another character that no header may have",
            )
        })?;
        value.set_sensitive(true);
        self.headers.insert(HeaderName::from_static(name), value);
        Ok(self)
    }

    /// Tells what is remembered apart by an identity.
    pub(crate) fn known_by(mut self, credential: &str) -> Self {
        self.identity.update(credential.as_bytes());
        self
    }

    /// The address of something, by its path.
    pub(crate) fn url<'a>(&self, segments: impl IntoIterator<Item = &'a str>) -> Url {
        below(&self.base, segments)
    }

    pub(crate) fn session(&self) -> &Session {
        &self.session
    }

    /// A digest of the credentials.
    pub(crate) fn identity(&self) -> Identity {
        self.identity.clone().finalize().into()
    }

    /// A whole JSON value.
    pub(crate) async fn get<T: DeserializeOwned>(&self, url: Url) -> Result<T> {
        self.send(Method::GET, &url, Bytes::new(), HeaderMap::new())
            .await?
            .read()
    }

    /// A whole JSON value, or none where the provider says that there is none.
    pub(crate) async fn find<T: DeserializeOwned>(&self, url: Url) -> Result<Option<T>> {
        match self.get(url).await {
            Ok(value) => Ok(Some(value)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether something is there.
    pub(crate) async fn exists(&self, url: Url) -> Result<bool> {
        Ok(self.find::<IgnoredAny>(url).await?.is_some())
    }

    /// A part of something that may lack it. That the whole is there is made sure of: what the
    /// credentials may no longer see is not found, either.
    pub(crate) async fn part<T: DeserializeOwned>(
        &self,
        part: Url,
        whole: Url,
    ) -> Result<Option<T>> {
        let found = self.find(part).await?;
        if found.is_none() {
            self.get::<IgnoredAny>(whole).await?;
        }
        Ok(found)
    }

    /// Whether something is there, without its content.
    pub(crate) async fn head(&self, url: Url) -> Result<bool> {
        let answer = self
            .send(Method::HEAD, &url, Bytes::new(), HeaderMap::new())
            .await?;
        match answer.checked() {
            Ok(answer) if is_web_page(answer) => Err(answer.error(Problem::WebPage)),
            Ok(_) => Ok(true),
            Err(error) if error.is_not_found() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// What the API answers to a JSON value.
    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        url: Url,
        body: &(impl Serialize + Sync),
    ) -> Result<T> {
        let body =
            serde_json::to_vec(body).map_err(|error| spec("the request", error.to_string()))?;
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        self.send(Method::POST, &url, body.into(), headers)
            .await?
            .read()
    }

    /// A list to its end. `turn` takes a page's items and says where the next page is.
    pub(crate) async fn list<B: DeserializeOwned, T>(
        &self,
        first: Url,
        turn: impl Fn(B, &HeaderMap, &Url) -> std::result::Result<(Vec<T>, Option<Url>), Problem>,
    ) -> Result<Vec<T>> {
        let mut all = Vec::new();
        let mut next = Some(first);
        for _ in 0..PAGES {
            let Some(url) = next else { return Ok(all) };
            let answer = self
                .send(Method::GET, &url, Bytes::new(), HeaderMap::new())
                .await?;
            let page = answer.read()?;
            let (items, after) =
                turn(page, &answer.headers, &url).map_err(|problem| answer.error(problem))?;
            all.extend(items);
            next = after;
        }
        match next {
            None => Ok(all),
            Some(url) => Err(Error {
                request: shown(&Method::GET, &url),
                problem: Problem::Endless(PAGES),
            }),
        }
    }

    /// Sends a request, unless the provider wants none for now. What did not change since it was
    /// asked for last is not transferred again, and at GitHub it is not counted.
    pub(crate) async fn send(
        &self,
        method: Method,
        url: &Url,
        body: Bytes,
        headers: HeaderMap,
    ) -> Result<Answer> {
        let Session { memory, now } = &self.session;
        let error = |problem| Error {
            request: shown(&method, url),
            problem,
        };
        let (identity, origin) = (self.identity(), url.origin().ascii_serialization());
        if let Some(until) = memory.wait(identity, &origin, *now) {
            return Err(error(Problem::RateLimited { until }));
        }
        let known = (method == Method::GET)
            .then(|| memory.answer(identity, url.as_str()))
            .flatten();
        let mut request = Request::new(body);
        *request.method_mut() = method.clone();
        *request.uri_mut() = url
            .as_str()
            .parse()
            .map_err(|why: http::uri::InvalidUri| error(Problem::Spec(why.to_string())))?;
        request.headers_mut().extend(self.headers.clone());
        request.headers_mut().extend(headers);
        if let Some(known) = &known {
            request
                .headers_mut()
                .insert(IF_NONE_MATCH, known.etag.clone());
        }
        let response = call(self.service.clone(), request)
            .await
            .map_err(|why| error(Problem::Unreachable(why.to_string())))?;
        let (parts, body) = response.into_parts();
        if let Some(until) = refused_until(parts.status, &parts.headers, &body, *now) {
            memory.wait_until(identity, &origin, until);
            return Err(error(Problem::RateLimited { until }));
        }
        let mut answer = Answer {
            request: shown(&method, url),
            status: parts.status,
            headers: parts.headers,
            body,
        };
        if let (StatusCode::NOT_MODIFIED, Some(known)) = (answer.status, known) {
            answer.status = StatusCode::OK;
            answer.headers = known.headers.clone();
            answer.body = known.body.clone();
        } else if method == Method::GET
            && answer.status == StatusCode::OK
            && let Some(etag) = answer.headers.get(ETAG).cloned()
        {
            let remembered = Remembered {
                etag,
                headers: answer.headers.clone(),
                body: answer.body.clone(),
            };
            memory.keep(identity, url.as_str(), remembered);
        }
        Ok(answer)
    }
}

async fn call<S: Http>(
    mut service: S,
    request: Request<Bytes>,
) -> std::result::Result<Response<Bytes>, S::Error> {
    poll_fn(|context| service.poll_ready(context)).await?;
    service.call(request).await
}

impl Answer {
    /// The value, if the status is the one of an answer and the body is whole.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T> {
        self.checked()?;
        if is_web_page(self) {
            return Err(self.error(Problem::WebPage));
        }
        let mut reader = serde_json::Deserializer::from_slice(&self.body);
        let malformed = |why: String| self.error(Problem::Malformed(why));
        let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
            let path = error.path().to_string();
            malformed(what_is_wrong(error.inner(), &path))
        })?;
        reader
            .end()
            .map_err(|error| malformed(what_is_wrong(&error, ".")))?;
        Ok(value)
    }

    /// This answer, if its status is the one of an answer. A 203 was changed on the way, as Azure
    /// DevOps does with its login page; a 204 or 206 is not whole.
    pub(crate) fn checked(&self) -> Result<&Self> {
        Err(self.error(match self.status {
            StatusCode::OK | StatusCode::CREATED => return Ok(self),
            StatusCode::UNAUTHORIZED => Problem::Unauthorized,
            StatusCode::FORBIDDEN => Problem::Forbidden,
            StatusCode::NOT_FOUND => Problem::NotFound,
            StatusCode::NON_AUTHORITATIVE_INFORMATION => Problem::WebPage,
            other => Problem::Status(other.as_u16()),
        }))
    }

    pub(crate) fn error(&self, problem: Problem) -> Error {
        Error {
            request: self.request.clone(),
            problem,
        }
    }
}

/// Says what is wrong with a body without quoting it.
fn what_is_wrong(error: &serde_json::Error, path: &str) -> String {
    match error.classify() {
        Category::Data if path == "." => "it is of another shape than expected".to_owned(),
        Category::Data => format!("`{path}` is missing something or of another kind"),
        Category::Eof => "it is cut off".to_owned(),
        Category::Syntax | Category::Io => "it is not JSON".to_owned(),
    }
}

fn is_web_page(answer: &Answer) -> bool {
    let kind = answer.headers.get(CONTENT_TYPE);
    let is_html = kind
        .and_then(|kind| kind.to_str().ok())
        .is_some_and(|kind| kind.starts_with("text/html"));
    is_html || answer.body.trim_ascii_start().starts_with(b"<")
}

/// A request as it may be shown: a query holds page numbers and what a user searches for.
fn shown(method: &Method, url: &Url) -> String {
    format!(
        "{method} {}{}",
        url.origin().ascii_serialization(),
        url.path()
    )
}
