//! Counts a pack while it comes, and stops the fetch when there is no room for it.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use gix::{
    Count, NestedProgress, Progress,
    odb::pack::bundle::write::ProgressId,
    progress::{Id, MessageLevel, Step, StepShared, UNKNOWN, Unit},
};

use super::Lease;

/// What git's library tells of its progress, of which the bytes of a pack count.
#[derive(Clone)]
pub(in crate::source::git) struct Meter {
    lease: Arc<Lease>,
    of: Id,
    received: StepShared,
    is_full: Arc<AtomicBool>,
    interrupt: Arc<AtomicBool>,
}

impl Meter {
    /// Raises `interrupt` when there is no room for more of the mirror.
    pub(in crate::source::git) fn new(lease: &Arc<Lease>, interrupt: &Arc<AtomicBool>) -> Self {
        Self {
            lease: Arc::clone(lease),
            of: UNKNOWN,
            received: Arc::new(AtomicUsize::new(0)),
            is_full: Arc::default(),
            interrupt: Arc::clone(interrupt),
        }
    }

    /// The bytes that have come, if there was no room for them.
    pub(in crate::source::git) fn overflow(&self) -> Option<u64> {
        let received = self.received.load(Ordering::Relaxed) as u64;
        self.is_full.load(Ordering::Relaxed).then_some(received)
    }
}

impl Count for Meter {
    fn set(&self, _: Step) {}

    fn step(&self) -> Step {
        self.received.load(Ordering::Relaxed)
    }

    fn inc_by(&self, more: Step) {
        if self.of != Id::from(ProgressId::ReadPackBytes) {
            return;
        }
        self.received.fetch_add(more, Ordering::Relaxed);
        if !self.lease.grow(more as u64) {
            self.is_full.store(true, Ordering::Relaxed);
            self.interrupt.store(true, Ordering::Relaxed);
        }
    }

    fn counter(&self) -> StepShared {
        // What counts by itself is told of nothing here.
        StepShared::default()
    }
}

impl Progress for Meter {
    fn init(&mut self, _: Option<Step>, _: Option<Unit>) {}

    fn set_name(&mut self, _: String) {}

    fn name(&self) -> Option<String> {
        None
    }

    fn id(&self) -> Id {
        self.of
    }

    fn message(&self, _: MessageLevel, _: String) {}
}

impl NestedProgress for Meter {
    type SubProgress = Self;

    fn add_child(&mut self, name: impl Into<String>) -> Self {
        self.add_child_with_id(name, UNKNOWN)
    }

    fn add_child_with_id(&mut self, _: impl Into<String>, of: Id) -> Self {
        Self { of, ..self.clone() }
    }
}
