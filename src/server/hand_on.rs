//! What only the hub that leads can take, handed on to it by one that stands by.
//!
//! The payload goes on as it came: its signature is checked by whoever takes it.

use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::header::{CONNECTION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use tower_service::Service as _;

use crate::http::{Failure, Network, Proxy, Reach, Redirects, Terms, Tls};
use crate::hub::Hub;
use crate::leader::Leadership;

/// How long the hub that leads may take.
const LIMIT: Duration = Duration::from_secs(10);

/// How much of its answer is read.
const READ: usize = 64 * 1024;

/// Marks what was handed on once: it is not handed on again.
static HANDED_ON: HeaderName = HeaderName::from_static("argosy-handed-on");

/// What belongs to one connection and not to the message.
const OF_CONNECTION: [HeaderName; 4] = [HOST, CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING];

/// Posts `body` to `path` at the hub that leads, and answers as it does.
pub(super) async fn hand_on(
    hub: &Hub,
    path: &str,
    headers: &HeaderMap,
    body: Bytes,
) -> (StatusCode, String) {
    let leader = hub.leadership().and_then(Leadership::leader_address);
    let Some(leader) = leader.filter(|_| !headers.contains_key(&HANDED_ON)) else {
        let why = "this hub does not lead, and does not know where the one that does can be reached; try again";
        return (StatusCode::SERVICE_UNAVAILABLE, why.to_owned());
    };
    match post(hub.network(), leader, path, headers, body).await {
        Ok(answer) => answer,
        Err(why) => {
            let why = format!("the hub that leads, at {leader}, cannot take it: {why}; try again");
            (StatusCode::BAD_GATEWAY, why)
        }
    }
}

async fn post(
    network: &Network,
    leader: SocketAddr,
    path: &str,
    headers: &HeaderMap,
    body: Bytes,
) -> Result<(StatusCode, String), String> {
    let terms = Terms {
        tls: Tls::default(),
        proxy: Proxy::None,
        redirects: Redirects::Nowhere,
        reach: Reach::Anywhere,
        limit: LIMIT,
    };
    let mut request = Request::post(format!("http://{leader}{path}"))
        .body(body)
        .map_err(|error| error.to_string())?;
    let message = headers
        .iter()
        .filter(|(name, _)| !OF_CONNECTION.contains(name));
    for (name, value) in message {
        request.headers_mut().append(name, value.clone());
    }
    let once = HeaderValue::from_static("1");
    request.headers_mut().insert(HANDED_ON.clone(), once);
    let failed = |failure: Failure| failure.to_string();
    let answer = network.open(&terms)?.call(request).await.map_err(failed)?;
    let status = answer.status();
    let text = Limited::new(answer.into_body(), READ).collect().await;
    let text = text.map_err(|error| error.to_string())?.to_bytes();
    Ok((status, String::from_utf8_lossy(&text).into_owned()))
}
