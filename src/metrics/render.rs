//! Renders: what they take, and how many were made and saved at the moment of a scrape.

use std::time::Duration;

use prometheus::{HistogramVec, IntCounter};

use super::declaration::Families;
use super::snapshot::{Snapshot, number};
use super::{Momentary, histogram};
use crate::controller::application::RenderCounts;

/// What is counted of renders as they are made.
pub struct RenderMetrics {
    seconds: HistogramVec,
    failures: IntCounter,
}

impl RenderMetrics {
    pub(super) fn declare(families: &mut Families) -> prometheus::Result<Self> {
        Ok(Self {
            seconds: families.declare(histogram(
                "argosy_render_duration_seconds",
                "How long renders took, by the kind of source; `failed` for those that failed.",
                &["source_type"],
                &[0.001, 0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 5.0, 15.0, 60.0],
            ))?,
            failures: families.declare(IntCounter::new(
                "argosy_render_failures_total",
                "Renders that failed.",
            ))?,
        })
    }

    /// Counts a render that was made.
    pub(crate) fn rendered(&self, source_type: &str, took: Duration) {
        self.seconds
            .with_label_values(&[source_type])
            .observe(took.as_secs_f64());
    }

    /// Counts a render that failed.
    pub(crate) fn failed(&self, took: Duration) {
        self.rendered("failed", took);
        self.failures.inc();
    }
}

/// How many renders were made and saved, and what is kept of them.
pub struct RenderStates {
    rendered: Snapshot,
    saved: Snapshot,
    hits: Snapshot,
    failures: Snapshot,
    cached: Snapshot,
    revisions: Snapshot,
}

impl RenderStates {
    /// Takes the counts.
    pub fn new(counts: RenderCounts) -> Self {
        let mut states = Self {
            rendered: Snapshot::counter("argosy_renders_total", "Sources that were rendered.", &[]),
            saved: Snapshot::counter(
                "argosy_renders_saved_total",
                "Renders that were not needed, because nothing that they read had changed.",
                &[],
            ),
            hits: Snapshot::counter(
                "argosy_render_cache_hits_total",
                "Renders that were not needed, by where their result was kept.",
                &["store"],
            ),
            failures: Snapshot::counter(
                "argosy_render_failures_cached_total",
                "Renders that were not tried again, because they had failed on the same files a short while before.",
                &[],
            ),
            cached: Snapshot::gauge(
                "argosy_cache_bytes",
                "What a cache in memory holds: `renders` or unpacked `charts`.",
                &["cache"],
            ),
            revisions: Snapshot::counter(
                "argosy_new_revisions_total",
                "How often what applications follow, a branch or a range of tags or charts, has moved on: new commits for the most part.",
                &[],
            ),
        };
        states.rendered.set(&[], number(counts.rendered));
        let saved = number(counts.memory + counts.disk);
        states.saved.set(&[], saved);
        for (store, count) in [("memory", counts.memory), ("disk", counts.disk)] {
            states.hits.set(&[store], number(count));
        }
        states.failures.set(&[], number(counts.failures));
        states
    }

    /// Adds the size of a cache.
    pub fn add_cache(&mut self, name: &str, bytes: u64) {
        self.cached.set(&[name], number(bytes));
    }

    /// Says how often what applications follow has moved on.
    pub fn count_revisions(&mut self, moves: u64) {
        self.revisions.set(&[], number(moves));
    }

    /// What is exposed.
    pub fn into_families(self) -> Vec<Momentary> {
        vec![
            self.revisions.into(),
            self.rendered.into(),
            self.saved.into(),
            self.hits.into(),
            self.failures.into(),
            self.cached.into(),
        ]
    }
}
