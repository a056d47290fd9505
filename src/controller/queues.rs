//! One queue of applications a cluster, one of ApplicationSets, one of cluster information.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::queue::{Backoff, WorkQueue};
use crate::fleet::ObjectName;

/// Everything that waits for a worker.
pub struct Queues {
    /// ApplicationSets.
    pub application_sets: Arc<WorkQueue<ObjectName>>,
    applications: Mutex<BTreeMap<String, Arc<WorkQueue<ObjectName>>>>,
}

impl Queues {
    /// Nothing waits.
    pub fn new() -> Self {
        Self {
            application_sets: Arc::new(WorkQueue::new(Backoff::default())),
            applications: Mutex::default(),
        }
    }

    /// The queue of the applications on `server`; `new` is called for one that was not there yet.
    pub fn of_cluster(
        &self,
        server: &str,
        new: impl FnOnce(&Arc<WorkQueue<ObjectName>>),
    ) -> Arc<WorkQueue<ObjectName>> {
        let mut queues = self
            .applications
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(queue) = queues.get(server) {
            return Arc::clone(queue);
        }
        let queue = Arc::new(WorkQueue::new(Backoff::default()));
        new(&queue);
        queues.insert(server.to_owned(), Arc::clone(&queue));
        queue
    }

    /// How many applications wait, by server.
    pub fn application_depths(&self) -> Vec<(String, usize)> {
        let queues = self
            .applications
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        queues
            .iter()
            .map(|(server, queue)| (server.clone(), queue.depth()))
            .collect()
    }
}

impl Default for Queues {
    fn default() -> Self {
        Self::new()
    }
}
