//! Renders at the moment of a scrape.

use prometheus::core::Collector;
use prometheus::{IntCounter, IntCounterVec, Opts};

use crate::controller::application::RenderCounts;

/// How many renders were made and saved.
pub struct RenderStates {
    rendered: IntCounter,
    saved: IntCounter,
    hits: IntCounterVec,
    failures: IntCounter,
}

impl RenderStates {
    /// Takes the counts.
    pub fn new(counts: RenderCounts) -> prometheus::Result<Self> {
        let counter = |name: &str, help: &str| IntCounter::with_opts(Opts::new(name, help));
        let states = Self {
            rendered: counter("argosy_renders_total", "Sources that were rendered.")?,
            saved: counter(
                "argosy_renders_saved_total",
                "Renders that were not needed, because nothing that they read had changed.",
            )?,
            hits: IntCounterVec::new(
                Opts::new(
                    "argosy_render_cache_hits_total",
                    "Renders that were not needed, by where their result was kept.",
                ),
                &["store"],
            )?,
            failures: counter(
                "argosy_render_failures_cached_total",
                "Renders that were not tried again, because they had failed on the same files a short while before.",
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

    /// The collectors to expose.
    pub fn into_collectors(self) -> Vec<Box<dyn Collector>> {
        vec![
            Box::new(self.rendered),
            Box::new(self.saved),
            Box::new(self.hits),
            Box::new(self.failures),
        ]
    }
}
