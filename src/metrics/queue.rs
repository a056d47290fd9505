//! The queues at the moment of a scrape.

use prometheus::core::Collector;
use prometheus::{IntGaugeVec, Opts};

/// How many keys wait in each queue.
pub struct QueueStates {
    depth: IntGaugeVec,
}

impl QueueStates {
    /// Declares the gauge, empty.
    pub fn new() -> prometheus::Result<Self> {
        let depth = IntGaugeVec::new(
            Opts::new("workqueue_depth", "Keys that wait for a worker."),
            &["name"],
        )?;
        Ok(Self { depth })
    }

    /// Adds a queue.
    pub fn add(&self, name: &str, depth: usize) {
        self.depth
            .with_label_values(&[name])
            .set(i64::try_from(depth).unwrap_or(i64::MAX));
    }

    /// The collector to expose.
    pub fn into_collectors(self) -> Vec<Box<dyn Collector>> {
        vec![Box::new(self.depth)]
    }
}
