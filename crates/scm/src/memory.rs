//! What is kept between two polls: answers with their validators, waits, and short-lived tokens.
//!
//! Everything here is kept by credentials, of which only a digest is held: what one token may see
//! is never shown to another. All of it may be lost at any time, at the price of some requests.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use argosy_facts::Secret;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use jiff::{SignedDuration, Timestamp};
use moka::sync::Cache;

/// The most that kept answers may take, in bytes.
const ANSWERS: u64 = 64 << 20;

/// How long before its end a token is replaced.
const TOKEN_MARGIN: SignedDuration = SignedDuration::from_mins(5);

/// A digest of the credentials of a request.
pub(crate) type Identity = [u8; 32];

/// An answer that its validator can confirm.
#[derive(Clone)]
pub(crate) struct Remembered {
    pub(crate) etag: HeaderValue,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// What is remembered of all providers.
pub struct Memory {
    answers: Cache<(Identity, String), Arc<Remembered>>,
    waits: Mutex<BTreeMap<(Identity, String), Timestamp>>,
    tokens: Mutex<BTreeMap<Identity, (Secret, Timestamp)>>,
}

impl Default for Memory {
    fn default() -> Self {
        let size = |key: &(Identity, String), answer: &Arc<Remembered>| {
            u32::try_from(key.1.len() + answer.body.len() + 512).unwrap_or(u32::MAX)
        };
        Self {
            answers: Cache::builder().weigher(size).max_capacity(ANSWERS).build(),
            waits: Mutex::default(),
            tokens: Mutex::default(),
        }
    }
}

impl Memory {
    pub(crate) fn answer(&self, identity: Identity, url: &str) -> Option<Arc<Remembered>> {
        self.answers.get(&(identity, url.to_owned()))
    }

    pub(crate) fn keep(&self, identity: Identity, url: &str, answer: Remembered) {
        self.answers
            .insert((identity, url.to_owned()), Arc::new(answer));
    }

    /// Until when the API wants no requests with these credentials.
    pub(crate) fn wait(
        &self,
        identity: Identity,
        origin: &str,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let mut waits = lock(&self.waits);
        waits.retain(|_, until| *until > now);
        waits.get(&(identity, origin.to_owned())).copied()
    }

    pub(crate) fn wait_until(&self, identity: Identity, origin: &str, until: Timestamp) {
        lock(&self.waits).insert((identity, origin.to_owned()), until);
    }

    /// A token that was made for these credentials and lasts a while yet.
    pub(crate) fn token(&self, identity: Identity, now: Timestamp) -> Option<Secret> {
        let mut tokens = lock(&self.tokens);
        tokens.retain(|_, (_, end)| *end > now + TOKEN_MARGIN);
        tokens.get(&identity).map(|(token, _)| token.clone())
    }

    pub(crate) fn keep_token(&self, identity: Identity, token: Secret, end: Timestamp) {
        lock(&self.tokens).insert(identity, (token, end));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
