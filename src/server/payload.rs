//! The bodies of webhooks: how much of one is read, and how much of all is held at once.
//!
//! Anybody may post one before its signature can be checked, so that nothing is kept on the word of a
//! header: room is taken as bytes arrive, and given back when the payload is done with.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_LENGTH, RETRY_AFTER};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt as _;
use thiserror::Error;

/// What all payloads may hold at once, unless a single one may hold more.
const TOTAL: usize = 50 * 1024 * 1024;

/// How long a payload may take to arrive.
const PATIENCE: Duration = Duration::from_secs(30);

/// After how many seconds a sender may find room again.
const AGAIN: &str = "10";

/// Why a payload is not taken.
#[derive(Debug, Error, PartialEq, Eq)]
pub(super) enum Refusal {
    #[error(
        "the payload is larger than the {} MiB of `webhook.maxPayloadSizeMB` in argocd-cm",
        limit >> 20
    )]
    TooLarge { limit: usize },
    #[error("too many payloads arrive at once; send it again later")]
    Full,
    #[error("the payload did not arrive within {} s", PATIENCE.as_secs())]
    Slow,
    #[error("the payload broke off")]
    Broken,
}

impl Refusal {
    fn status(&self) -> StatusCode {
        match self {
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Full => StatusCode::SERVICE_UNAVAILABLE,
            Self::Slow => StatusCode::REQUEST_TIMEOUT,
            Self::Broken => StatusCode::BAD_REQUEST,
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let again = (self == Self::Full).then_some([(RETRY_AFTER, AGAIN)]);
        (self.status(), again, self.to_string()).into_response()
    }
}

/// What the payloads hold that are here now. Cloning shares it.
#[derive(Clone, Debug, Default)]
pub(super) struct Room {
    held: Arc<AtomicUsize>,
}

impl Room {
    /// Reads a payload of at most `limit` bytes.
    pub(super) async fn receive(
        &self,
        headers: &HeaderMap,
        body: Body,
        limit: usize,
    ) -> Result<Payload, Refusal> {
        let told = headers
            .get(CONTENT_LENGTH)
            .and_then(|told| told.to_str().ok());
        let told: Option<usize> = told.and_then(|told| told.parse().ok());
        if told.is_some_and(|told| told > limit) {
            return Err(Refusal::TooLarge { limit });
        }
        let received = tokio::time::timeout(PATIENCE, self.collect(body, limit)).await;
        received.unwrap_or(Err(Refusal::Slow))
    }

    async fn collect(&self, mut body: Body, limit: usize) -> Result<Payload, Refusal> {
        let mut share = Share {
            room: self.clone(),
            bytes: 0,
        };
        let mut parts = Vec::new();
        while let Some(frame) = body.frame().await {
            let Ok(part) = frame.map_err(|_| Refusal::Broken)?.into_data() else {
                continue;
            };
            if share.bytes + part.len() > limit {
                return Err(Refusal::TooLarge { limit });
            }
            share.grow(part.len(), limit.max(TOTAL))?;
            parts.push(part);
        }
        let bytes = match parts.as_mut_slice() {
            [only] => std::mem::take(only),
            parts => parts.concat().into(),
        };
        Ok(Payload {
            bytes,
            _share: share,
        })
    }
}

/// A payload, which takes room for as long as this lives.
#[derive(Debug)]
pub(super) struct Payload {
    pub(super) bytes: Bytes,
    _share: Share,
}

/// What one payload takes of the room.
#[derive(Debug)]
struct Share {
    room: Room,
    bytes: usize,
}

impl Share {
    fn grow(&mut self, more: usize, total: usize) -> Result<(), Refusal> {
        let held = &self.room.held;
        let grown = |held: usize| held.checked_add(more).filter(|held| *held <= total);
        held.fetch_update(Ordering::AcqRel, Ordering::Acquire, grown)
            .map_err(|_| Refusal::Full)?;
        self.bytes += more;
        Ok(())
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.room.held.fetch_sub(self.bytes, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures::{FutureExt as _, StreamExt as _, stream};

    use super::*;

    const MIB: usize = 1024 * 1024;

    fn of(parts: impl IntoIterator<Item = usize, IntoIter: Send + 'static>) -> Body {
        let parts = parts
            .into_iter()
            .map(|size| Ok::<_, Infallible>(vec![0; size]));
        Body::from_stream(stream::iter(parts))
    }

    fn held(room: &Room) -> usize {
        room.held.load(Ordering::Acquire)
    }

    /// CVE-2024-40634.
    #[tokio::test]
    async fn what_all_payloads_hold_is_bounded_whatever_their_headers_say() {
        let room = Room::default();
        let limit = 50 * MIB;
        let receive = |body| room.collect(body, limit);
        let large = receive(of([20 * MIB, 15 * MIB])).await.unwrap();
        assert_eq!((large.bytes.len(), held(&room)), (35 * MIB, 35 * MIB));
        let endless = (0..).map(|_| MIB);
        assert_eq!(receive(of(endless)).await.unwrap_err(), Refusal::Full);
        assert_eq!(held(&room), 35 * MIB);
        let small = receive(of([10])).await.unwrap();
        drop(large);
        assert_eq!(held(&room), 10);
        drop(small);
        let too_large = receive(of((0..).map(|_| MIB))).await.unwrap_err();
        assert_eq!(too_large, Refusal::TooLarge { limit });
        assert_eq!(held(&room), 0);
        // One that may be larger than all has room when it is alone.
        let one = room.collect(of([70 * MIB]), 80 * MIB).await;
        assert_eq!(one.unwrap().bytes.len(), 70 * MIB);
    }

    #[tokio::test]
    async fn a_sender_that_gives_up_gives_its_room_back() {
        let room = Room::default();
        let unfinished = stream::iter([Ok::<_, Infallible>(vec![0; MIB])]).chain(stream::pending());
        let mut receiving = Box::pin(room.collect(Body::from_stream(unfinished), 50 * MIB));
        assert!((&mut receiving).now_or_never().is_none());
        assert_eq!(held(&room), MIB);
        drop(receiving);
        assert_eq!(held(&room), 0);
    }

    #[test]
    fn who_finds_no_room_is_told_when_to_come_again() {
        let answer = Refusal::Full.into_response();
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answer.headers()[RETRY_AFTER], AGAIN);
        assert!(
            !Refusal::Slow
                .into_response()
                .headers()
                .contains_key(RETRY_AFTER)
        );
    }
}
