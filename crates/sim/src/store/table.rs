//! The objects of one resource, and the history of their changes that watches read.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde_json::Value;
use tokio::sync::Notify;

/// One committed change.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) version: u64,
    pub(crate) old: Option<Arc<Value>>,
    /// The object after the change; for a deletion its last state, with the deletion's version.
    pub(crate) new: Arc<Value>,
    pub(crate) deleted: bool,
}

/// All objects of a resource, by namespace and name.
pub(super) struct Table {
    pub(super) objects: BTreeMap<(String, String), Arc<Value>>,
    history: VecDeque<Arc<Event>>,
    /// Changes up to this version are forgotten.
    compacted: u64,
    /// Wakes those who watch, in the order in which they wait: what is woken by chance does not
    /// repeat.
    wake: Arc<Notify>,
}

impl Table {
    pub(super) fn new(compacted: u64) -> Self {
        Self {
            objects: BTreeMap::new(),
            history: VecDeque::new(),
            compacted,
            wake: Arc::default(),
        }
    }

    pub(super) fn record(&mut self, event: Event, limit: usize) {
        self.history.push_back(Arc::new(event));
        while self.history.len() > limit {
            if let Some(forgotten) = self.history.pop_front() {
                self.compacted = forgotten.version;
            }
        }
        self.wake.notify_waiters();
    }

    /// Wakes those who watch, though no object changed.
    pub(super) fn nudge(&self) {
        self.wake.notify_waiters();
    }

    pub(super) fn wake(&self) -> Arc<Notify> {
        Arc::clone(&self.wake)
    }

    /// The changes after `version`, or what the oldest known version is where some are forgotten.
    pub(super) fn since(&self, version: u64) -> Result<Vec<Arc<Event>>, u64> {
        if version < self.compacted {
            return Err(self.compacted);
        }
        let from = self
            .history
            .partition_point(|event| event.version <= version);
        Ok(self.history.range(from..).cloned().collect())
    }
}
