//! The hub itself: its version, its process and memory, its own API server.

use std::path::Path;

use prometheus::process_collector::ProcessCollector;
use prometheus::{HistogramOpts, IntCounterVec, IntGauge, IntGaugeVec, Opts};

use super::cluster::Requests;
use super::declaration::Families;
use super::{counter, gauge};
use crate::surroundings::Surroundings;

/// What is counted of the hub itself.
pub struct HubMetrics {
    /// Requests to its own API server.
    pub requests: Requests,
    memory_limit: IntGaugeVec,
    events: IntCounterVec,
    spans: IntCounterVec,
    ready: IntGauge,
    leads: IntGauge,
    malformed: IntGaugeVec,
}

/// What became of a Kubernetes Event.
#[derive(Clone, Copy)]
pub(crate) enum EventResult {
    /// It was written.
    Sent,
    /// It was refused.
    Failed,
    /// Too many waited already.
    Dropped,
}

/// What became of spans of traces.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum SpanResult {
    /// A collector has them.
    Sent,
    /// No collector took them.
    Failed,
    /// Too many waited already.
    Dropped,
}

impl HubMetrics {
    pub(super) fn declare(families: &mut Families) -> prometheus::Result<Self> {
        let info = families.declare(gauge(
            "argocd_info",
            "The hub's version and what it was built for.",
            &["version", "arch", "os"],
        ))?;
        info.with_label_values(&[
            env!("CARGO_PKG_VERSION"),
            std::env::consts::ARCH,
            std::env::consts::OS,
        ])
        .set(1);
        families.adopt(ProcessCollector::for_self())?;
        // Without a series until it is known: a limit of zero would be one that is always reached.
        let memory_limit = families.declare(gauge(
            "argosy_memory_limit_bytes",
            "The memory that the hub may use: the limit of its container, or the memory of its machine.",
            &[],
        ))?;
        let spans = families.declare(counter(
            "argosy_spans_total",
            "Spans of traces by what became of them: `sent`, `failed` because the collector did not take them, or `dropped` because too many waited.",
            &["result"],
        ))?;
        for result in [SpanResult::Sent, SpanResult::Failed, SpanResult::Dropped] {
            result.count(&spans, 0);
        }
        let requests = Requests::new(
            Opts::new(
                "argosy_hub_requests_total",
                "Requests to the hub's own API server; code 0 is no answer.",
            ),
            HistogramOpts::new(
                "argosy_hub_request_duration_seconds",
                "Time until the hub's own API server answered.",
            ),
        )?;
        let (total, seconds) = requests.clone().into_parts();
        families.adopt(total)?;
        families.adopt(seconds)?;
        Ok(Self {
            requests,
            memory_limit,
            spans,
            events: families.declare(counter(
                "argosy_kubernetes_events_total",
                "Kubernetes Events by what became of them: `sent`, `failed`, or `dropped` because too many waited.",
                &["result"],
            ))?,
            ready: families.declare(IntGauge::new(
                "argosy_ready",
                "Whether everything in the hub's API server has been listed, so that it works.",
            ))?,
            leads: families.declare(IntGauge::new(
                "argosy_leader",
                "Whether the hub works; of several hubs the others stand by and tell nothing of applications and clusters.",
            ))?,
            malformed: families.declare(gauge(
                "argosy_malformed_objects",
                "Objects that cannot be read and are left alone.",
                &["kind"],
            ))?,
        })
    }

    /// Says how much memory the hub may use, where its machine tells.
    pub(crate) fn set_memory_limit(&self, surroundings: &Surroundings) {
        if let Some(bytes) = memory_limit(surroundings) {
            self.memory_limit
                .with_label_values(&[] as &[&str])
                .set(bytes);
        }
    }

    /// Says whether the hub knows enough to work.
    pub(crate) fn set_ready(&self, ready: bool) {
        self.ready.set(i64::from(ready));
    }

    /// Says whether the hub works or stands by.
    pub(crate) fn set_leads(&self, leads: bool) {
        self.leads.set(i64::from(leads));
    }

    /// Says how many objects of a kind cannot be read.
    pub(crate) fn set_malformed(&self, kind: &str, objects: usize) {
        self.malformed
            .with_label_values(&[kind])
            .set(i64::try_from(objects).unwrap_or(i64::MAX));
    }

    /// Where Kubernetes Events are counted.
    pub(crate) fn events(&self) -> IntCounterVec {
        self.events.clone()
    }

    /// Where spans of traces are counted.
    pub(crate) fn spans(&self) -> IntCounterVec {
        self.spans.clone()
    }
}

impl EventResult {
    pub(crate) fn count(self, events: &IntCounterVec) {
        let result = match self {
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Dropped => "dropped",
        };
        events.with_label_values(&[result]).inc();
    }
}

impl SpanResult {
    pub(crate) fn count(self, spans: &IntCounterVec, how_many: usize) {
        let result = match self {
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Dropped => "dropped",
        };
        let how_many = u64::try_from(how_many).unwrap_or(u64::MAX);
        spans.with_label_values(&[result]).inc_by(how_many);
    }
}

/// The limit of the control group, version 2 or 1, or the memory of the machine; `None` where
/// neither can be read.
fn memory_limit(surroundings: &Surroundings) -> Option<i64> {
    let groups = [
        "/sys/fs/cgroup/memory.max",
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
    ];
    let read = |path: &str| surroundings.file(Path::new(path)).ok();
    let limits = groups.into_iter().filter_map(read);
    let limits = limits.filter_map(|text| text.trim().parse().ok());
    let memory = read("/proc/meminfo").and_then(|text| {
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix("MemTotal:"))?;
        let kibibytes: i64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
        Some(kibibytes * 1024)
    });
    // A group without a limit may say so with a number that no machine has.
    limits.chain(memory).min()
}
