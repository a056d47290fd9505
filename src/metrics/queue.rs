//! The queues of keys, and the workers that take from them.

use std::time::Duration;

use prometheus::{Histogram, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec};

use super::declaration::Families;
use super::snapshot::{Snapshot, count};
use super::{Momentary, counter, gauge, histogram};

const SECONDS: [f64; 10] = [0.001, 0.005, 0.025, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0];

/// What is counted of a queue; queues of one name share it.
pub struct QueueMetrics {
    name: &'static str,
    pub(crate) adds: IntCounter,
    pub(crate) retries: IntCounter,
    waited: Histogram,
    worked: Histogram,
    pub(crate) workers: IntGauge,
}

impl QueueMetrics {
    pub(super) fn declare<const N: usize>(
        families: &mut Families,
        names: [&'static str; N],
    ) -> prometheus::Result<[Self; N]> {
        let of_name = ["name"];
        let adds: IntCounterVec = families.declare(counter(
            "workqueue_adds_total",
            "Keys that were added to a queue.",
            &of_name,
        ))?;
        let retries: IntCounterVec = families.declare(counter(
            "workqueue_retries_total",
            "Keys that were added again because work on them failed.",
            &of_name,
        ))?;
        let waited: HistogramVec = families.declare(histogram(
            "workqueue_queue_duration_seconds",
            "How long keys waited for a worker.",
            &of_name,
            &SECONDS,
        ))?;
        let worked: HistogramVec = families.declare(histogram(
            "workqueue_work_duration_seconds",
            "How long workers took for a key.",
            &of_name,
            &SECONDS,
        ))?;
        let workers: IntGaugeVec = families.declare(gauge(
            "argosy_workers",
            "Workers that take keys from a queue.",
            &of_name,
        ))?;
        Ok(names.map(|name| Self {
            name,
            adds: adds.with_label_values(&[name]),
            retries: retries.with_label_values(&[name]),
            waited: waited.with_label_values(&[name]),
            worked: worked.with_label_values(&[name]),
            workers: workers.with_label_values(&[name]),
        }))
    }

    /// The queue's name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Counts a key that a worker takes after it waited so long.
    pub(crate) fn taken(&self, waited: Duration) {
        self.waited.observe(waited.as_secs_f64());
    }

    /// Counts a key that a worker hands back after so long.
    pub(crate) fn done(&self, worked: Duration) {
        self.worked.observe(worked.as_secs_f64());
    }
}

/// A queue at the moment of a scrape.
#[derive(Clone, Copy, Debug, Default)]
pub struct QueueLoad {
    /// Keys that wait for a worker.
    pub waiting: usize,
    /// Keys that are worked on.
    pub running: usize,
    /// How long the key is worked on that has been the longest.
    pub longest: Duration,
    /// The time that all of them have been worked on.
    pub unfinished: Duration,
}

impl QueueLoad {
    /// Both queues as one.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self {
            waiting: self.waiting + other.waiting,
            running: self.running + other.running,
            longest: self.longest.max(other.longest),
            unfinished: self.unfinished + other.unfinished,
        }
    }
}

/// The queues at the moment of a scrape.
pub struct QueueStates {
    depth: Snapshot,
    busy: Snapshot,
    longest: Snapshot,
    unfinished: Snapshot,
}

impl Default for QueueStates {
    /// Declares the gauges, empty.
    fn default() -> Self {
        let of_name = ["name"];
        Self {
            depth: Snapshot::gauge("workqueue_depth", "Keys that wait for a worker.", &of_name),
            busy: Snapshot::gauge(
                "argosy_workers_busy",
                "Workers that have taken a key and work on it.",
                &of_name,
            ),
            longest: Snapshot::gauge(
                "workqueue_longest_running_processor_seconds",
                "How long the worker that has been busy the longest has worked on its key.",
                &of_name,
            ),
            unfinished: Snapshot::gauge(
                "workqueue_unfinished_work_seconds",
                "The time that all workers have worked on keys that they have not handed back.",
                &of_name,
            ),
        }
    }
}

impl QueueStates {
    /// Adds a queue.
    pub fn add(&mut self, name: &str, load: QueueLoad) {
        let of_name = [name];
        self.depth.set(&of_name, count(load.waiting));
        self.busy.set(&of_name, count(load.running));
        self.longest.set(&of_name, load.longest.as_secs_f64());
        self.unfinished.set(&of_name, load.unfinished.as_secs_f64());
    }

    /// What is exposed.
    pub fn into_families(self) -> Vec<Momentary> {
        vec![
            self.depth.into(),
            self.busy.into(),
            self.longest.into(),
            self.unfinished.into(),
        ]
    }
}
