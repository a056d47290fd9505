//! Renders: what they take, and how many were made and saved at the moment of a scrape.

use std::time::Duration;

use prometheus::{HistogramVec, IntCounter, IntCounterVec, IntGaugeVec};

use super::declaration::Families;
use super::{Momentary, counter, gauge, histogram};
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
    rendered: IntCounter,
    saved: IntCounter,
    hits: IntCounterVec,
    failures: IntCounter,
    cached: IntGaugeVec,
    revisions: IntCounter,
}

impl RenderStates {
    /// Takes the counts.
    pub fn new(counts: RenderCounts) -> prometheus::Result<Self> {
        let states = Self {
            rendered: IntCounter::new("argosy_renders_total", "Sources that were rendered.")?,
            saved: IntCounter::new(
                "argosy_renders_saved_total",
                "Renders that were not needed, because nothing that they read had changed.",
            )?,
            hits: counter(
                "argosy_render_cache_hits_total",
                "Renders that were not needed, by where their result was kept.",
                &["store"],
            )?,
            failures: IntCounter::new(
                "argosy_render_failures_cached_total",
                "Renders that were not tried again, because they had failed on the same files a short while before.",
            )?,
            cached: gauge(
                "argosy_cache_bytes",
                "What a cache in memory holds: `renders` or unpacked `charts`.",
                &["cache"],
            )?,
            revisions: IntCounter::new(
                "argosy_new_revisions_total",
                "How often what applications follow, a branch or a range of tags or charts, has moved on: new commits for the most part.",
            )?,
        };
        states.rendered.inc_by(counts.rendered);
        states.saved.inc_by(counts.memory + counts.disk);
        for (store, count) in [("memory", counts.memory), ("disk", counts.disk)] {
            states.hits.with_label_values(&[store]).inc_by(count);
        }
        states.failures.inc_by(counts.failures);
        Ok(states)
    }

    /// Adds the size of a cache.
    pub fn add_cache(&self, name: &str, bytes: u64) {
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        self.cached.with_label_values(&[name]).set(bytes);
    }

    /// Says how often what applications follow has moved on.
    pub fn count_revisions(&self, moves: u64) {
        self.revisions.inc_by(moves);
    }

    /// The collectors to expose.
    pub fn into_collectors(self) -> Vec<Momentary> {
        vec![
            Box::new(self.revisions),
            Box::new(self.rendered),
            Box::new(self.saved),
            Box::new(self.hits),
            Box::new(self.failures),
            Box::new(self.cached),
        ]
    }
}
