//! One request and its answer, within a limit.

use std::future::poll_fn;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body::Body;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use tower_service::Service;
use url::Url;

use crate::Error;

/// Why a service did not answer.
type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Any service that answers HTTP requests.
///
/// It follows redirects, if it does, without taking `Authorization` to another host.
pub trait Transport:
    Service<Request<Bytes>, Response = Response<Self::Body>, Error: Into<BoxError>>
{
    /// The body of its answers.
    type Body: Body<Data = Bytes, Error: Into<BoxError>>;
}

impl<S, B> Transport for S
where
    S: Service<Request<Bytes>, Response = Response<B>>,
    S::Error: Into<BoxError>,
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    type Body = B;
}

/// A `GET` of `url` with these headers; the answer's body may have `limit` bytes.
///
/// Every status is an answer; [`expect`] tells which are errors.
pub(crate) async fn get<T: Transport>(
    transport: &mut T,
    url: &Url,
    headers: impl IntoIterator<Item = (header::HeaderName, header::HeaderValue)>,
    limit: u64,
) -> Result<Response<Bytes>, Error> {
    send(transport, url, Request::new(Bytes::new()), headers, limit).await
}

/// As [`get`], a `POST` of `body`.
pub(crate) async fn post<T: Transport>(
    transport: &mut T,
    url: &Url,
    headers: impl IntoIterator<Item = (header::HeaderName, header::HeaderValue)>,
    body: Bytes,
    limit: u64,
) -> Result<Response<Bytes>, Error> {
    let mut request = Request::new(body);
    *request.method_mut() = Method::POST;
    send(transport, url, request, headers, limit).await
}

async fn send<T: Transport>(
    transport: &mut T,
    url: &Url,
    mut request: Request<Bytes>,
    headers: impl IntoIterator<Item = (header::HeaderName, header::HeaderValue)>,
    limit: u64,
) -> Result<Response<Bytes>, Error> {
    *request.uri_mut() = url.as_str().parse().map_err(|_| Error::Url {
        url: shown(url),
        why: "it is not a URI".to_owned(),
    })?;
    request.headers_mut().extend(headers);
    let broken = |error: BoxError| Error::Transport {
        url: shown(url),
        why: chain(error.as_ref()),
    };
    poll_fn(|context| transport.poll_ready(context))
        .await
        .map_err(|error| broken(error.into()))?;
    let answer = transport.call(request).await;
    let (parts, body) = answer.map_err(|error| broken(error.into()))?.into_parts();
    let too_large = || Error::TooLarge {
        url: shown(url),
        limit,
    };
    if body.size_hint().lower() > limit {
        return Err(too_large());
    }
    let limited = Limited::new(body, usize::try_from(limit).unwrap_or(usize::MAX));
    let whole = std::pin::pin!(limited).collect().await;
    let whole = whole.map_err(|error| {
        if error.is::<LengthLimitError>() {
            too_large()
        } else {
            broken(error)
        }
    })?;
    Ok(Response::from_parts(parts, whole.to_bytes()))
}

/// The answer, if its status is a success.
pub(crate) fn expect(url: &Url, answer: Response<Bytes>) -> Result<Response<Bytes>, Error> {
    let url = || shown(url);
    match answer.status() {
        status if status.is_success() => Ok(answer),
        status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => Err(Error::Unauthorized {
            url: url(),
            why: status.to_string(),
        }),
        StatusCode::NOT_FOUND => Err(Error::NotFound { url: url() }),
        status => Err(Error::Status { url: url(), status }),
    }
}

/// The URL as it may be shown: signed URLs carry their right in the query.
pub(crate) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    // Both fail only for URLs without a host, which have neither.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.to_string()
}

/// An error and its causes on one line.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = String::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let part = error.to_string().replace('\n', " ");
        if !text.contains(&part) {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&part);
        }
        next = error.source();
    }
    text
}
