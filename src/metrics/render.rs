//! Renders at the moment of a scrape.

use prometheus::core::Collector;
use prometheus::{IntCounter, Opts};

/// How many renders were made and saved.
pub struct RenderStates {
    rendered: IntCounter,
    saved: IntCounter,
}

impl RenderStates {
    /// Takes the counts: renders made, renders saved.
    pub fn new((rendered, saved): (u64, u64)) -> prometheus::Result<Self> {
        let states = Self {
            rendered: IntCounter::with_opts(Opts::new(
                "argosy_renders_total",
                "Sources that were rendered.",
            ))?,
            saved: IntCounter::with_opts(Opts::new(
                "argosy_renders_saved_total",
                "Renders that were not needed, because nothing that they read had changed.",
            ))?,
        };
        states.rendered.inc_by(rendered);
        states.saved.inc_by(saved);
        Ok(states)
    }

    /// The collectors to expose.
    pub fn into_collectors(self) -> Vec<Box<dyn Collector>> {
        vec![Box::new(self.rendered), Box::new(self.saved)]
    }
}
