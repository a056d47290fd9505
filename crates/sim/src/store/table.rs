//! The objects of one resource, and the history of their changes that watches read.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde_json::Value;
use tokio::sync::watch;

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
    wake: watch::Sender<u64>,
}

impl Table {
    pub(super) fn new(compacted: u64) -> Self {
        let wake = watch::Sender::new(0);
        Self {
            objects: BTreeMap::new(),
            history: VecDeque::new(),
            compacted,
            wake,
        }
    }

    pub(super) fn record(&mut self, event: Event, limit: usize) {
        let version = event.version;
        self.history.push_back(Arc::new(event));
        while self.history.len() > limit {
            if let Some(forgotten) = self.history.pop_front() {
                self.compacted = forgotten.version;
            }
        }
        self.wake.send_replace(version);
    }

    /// Wakes those who watch, though no object changed.
    pub(super) fn nudge(&self) {
        self.wake.send_modify(|_| ());
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<u64> {
        self.wake.subscribe()
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
