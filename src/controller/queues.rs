//! One queue of applications a cluster, one of ApplicationSets, one of cluster information.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::queue::{Backoff, WorkQueue};
use crate::fleet::ObjectName;
use crate::metrics::{Metrics, QueueLoad, QueueMetrics};

/// Everything that waits for a worker.
pub struct Queues {
    /// ApplicationSets.
    pub application_sets: Arc<WorkQueue<ObjectName>>,
    applications: Mutex<BTreeMap<String, Arc<WorkQueue<ObjectName>>>>,
    application_metrics: Arc<QueueMetrics>,
}

impl Queues {
    /// Nothing waits.
    pub fn new(metrics: &Metrics) -> Self {
        let of_sets = Arc::clone(&metrics.application_set_queue);
        Self {
            application_sets: Arc::new(WorkQueue::new(Backoff::default(), of_sets)),
            applications: Mutex::default(),
            application_metrics: Arc::clone(&metrics.application_queue),
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
        let metrics = Arc::clone(&self.application_metrics);
        let queue = Arc::new(WorkQueue::new(Backoff::default(), metrics));
        new(&queue);
        queues.insert(server.to_owned(), Arc::clone(&queue));
        queue
    }

    /// What waits and what is worked on, by server.
    pub fn application_loads(&self) -> BTreeMap<String, QueueLoad> {
        let queues = self
            .applications
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        queues
            .iter()
            .map(|(server, queue)| (server.clone(), queue.load()))
            .collect()
    }
}
