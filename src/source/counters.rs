//! What was asked of remotes, for the metrics.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use prometheus::Histogram;

use super::sources::lock;
use crate::metrics::request_seconds;

/// How many requests of one kind were made to one repository, and how long they took.
#[derive(Debug)]
pub struct RequestCount {
    /// Requests, failed ones included.
    pub requests: AtomicU64,
    /// Failed requests.
    pub failures: AtomicU64,
    /// How long they took, where that could be declared.
    pub seconds: Option<Histogram>,
}

/// Counters of what was asked of remotes, per kind (`ls-remote`, `fetch`, `lfs`) and repository.
#[derive(Debug)]
pub struct Counters {
    /// Whether the repositories hold charts and artifacts.
    registry: bool,
    by_repository: Mutex<BTreeMap<(&'static str, String), Arc<RequestCount>>>,
}

impl Counters {
    /// Nothing asked yet of git repositories, or of those that hold charts and artifacts.
    pub(super) fn new(registry: bool) -> Self {
        Self {
            registry,
            by_repository: Mutex::default(),
        }
    }

    /// Calls `visit` with the kind of request, the repository's URL and the counts.
    pub fn for_each(&self, mut visit: impl FnMut(&'static str, &str, &RequestCount)) {
        for ((kind, url), count) in lock(&self.by_repository).iter() {
            visit(kind, url, count);
        }
    }

    /// All requests of one kind, to all repositories.
    pub fn total(&self, kind: &str) -> u64 {
        let mut total = 0;
        self.for_each(|of, _, count| {
            if of == kind {
                total += count.requests.load(Ordering::Relaxed);
            }
        });
        total
    }

    pub(super) fn count(&self, kind: &'static str, url: &str, took: Duration, failed: bool) {
        let count = Arc::clone(
            lock(&self.by_repository)
                .entry((kind, url.to_owned()))
                .or_insert_with(|| {
                    Arc::new(RequestCount {
                        requests: AtomicU64::new(0),
                        failures: AtomicU64::new(0),
                        seconds: request_seconds(self.registry, kind, url).ok(),
                    })
                }),
        );
        count.requests.fetch_add(1, Ordering::Relaxed);
        count
            .failures
            .fetch_add(u64::from(failed), Ordering::Relaxed);
        if let Some(seconds) = &count.seconds {
            seconds.observe(took.as_secs_f64());
        }
    }
}
