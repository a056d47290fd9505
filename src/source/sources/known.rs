//! What is known of one repository: its refs for a while, the trees that are open, and whose turn it
//! is to talk to it.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::sync::OnceCell;
use tokio::time::Instant;

use super::{ERROR_LIFETIME, lock};
use crate::source::{GitTree, RemoteRefs, Sha, SourceError};

/// What is known of one repository.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) url: String,
    /// Held while the remote is talked to: one conversation at a time.
    pub(super) conversation: tokio::sync::Mutex<()>,
    /// How many wait for a conversation.
    pub(super) waiting: AtomicUsize,
    pub(super) listing: Mutex<Option<Listing>>,
    /// Counts refreshes; changed only while `listing` is locked.
    pub(super) generation: AtomicU64,
    pub(super) trees: Mutex<BTreeMap<Sha, Arc<OnceCell<GitTree>>>>,
    /// When somebody last asked for something of it.
    pub(super) asked: Mutex<Option<Instant>>,
}

#[derive(Clone, Debug)]
pub(super) struct Listing {
    pub(super) at: Instant,
    pub(super) answer: Result<Arc<RemoteRefs>, SourceError>,
    /// By which registration it was asked for; others do not get it.
    pub(super) asked_as: String,
}

/// How many trees of one repository are kept open: applications follow few revisions at a time.
const OPEN_TREES: usize = 8;

impl Known {
    /// Waits for this call's turn to talk to the remote.
    pub(super) async fn converse(&self) -> tokio::sync::MutexGuard<'_, ()> {
        let _waiting = Waiting::at(&self.waiting);
        self.conversation.lock().await
    }

    /// Where a tree is, or will be.
    pub(super) fn place_of(&self, sha: &Sha) -> Arc<OnceCell<GitTree>> {
        let mut trees = lock(&self.trees);
        if let Some(tree) = trees.get(sha) {
            return Arc::clone(tree);
        }
        while trees.len() >= OPEN_TREES {
            trees.pop_first();
        }
        Arc::clone(trees.entry(sha.clone()).or_default())
    }

    pub(super) fn listing(&self, asked_as: &str) -> Option<Listing> {
        lock(&self.listing)
            .clone()
            .filter(|listing| listing.asked_as == asked_as)
    }

    pub(super) fn fresh(
        &self,
        asked_as: &str,
        interval: Duration,
    ) -> Option<Result<Arc<RemoteRefs>, SourceError>> {
        let listing = self.listing(asked_as)?;
        let lifetime = match &listing.answer {
            Ok(_) => interval,
            Err(_) => ERROR_LIFETIME.min(interval),
        };
        (listing.at.elapsed() < lifetime).then_some(listing.answer)
    }
}

/// Somebody who waits, counted until this is dropped.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn at(waiting: &'a AtomicUsize) -> Self {
        waiting.fetch_add(1, Ordering::Relaxed);
        Self(waiting)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
