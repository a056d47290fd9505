//! What every worker does: take a key, reconcile it behind a fence, hand it back.

use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use super::queue::WorkQueue;
use crate::hub::Hub;

/// When a key wants to be looked at again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// When something wakes it.
    WhenWoken,
    /// After this long, or when something wakes it.
    After(Duration),
    /// It failed: after a growing wait.
    Backoff,
}

impl Next {
    /// The same, but at the latest after `delay`. What failed keeps its own wait.
    #[must_use]
    pub fn no_later_than(self, delay: Duration) -> Self {
        match self {
            Self::WhenWoken => Self::After(delay),
            Self::After(sooner) => Self::After(sooner.min(delay)),
            Self::Backoff => Self::Backoff,
        }
    }
}

/// Works off a queue for ever.
pub async fn work_off<K, F>(
    hub: &Hub,
    what: &'static str,
    queue: Arc<WorkQueue<K>>,
    reconcile: impl Fn(K) -> F,
) where
    K: Clone + Ord + Display + Send + 'static,
    F: Future<Output = Next> + Send + 'static,
{
    queue.has_worker();
    loop {
        let key = queue.next().await;
        // A task of its own is the fence: a panic ends the task and not the worker. A shutdown
        // ends the worker and waits for the task.
        let next = hub
            .fenced(reconcile(key.clone()))
            .await
            .unwrap_or_else(|failure| {
                tracing::error!(%key, %failure, "a reconcile of {what} did not come to its end");
                Next::Backoff
            });
        match next {
            Next::WhenWoken => queue.forget_failures(&key),
            Next::After(delay) => {
                queue.forget_failures(&key);
                queue.add_after(key.clone(), delay);
            }
            Next::Backoff => {
                queue.add_failed(key.clone());
            }
        }
        queue.done(&key);
    }
}
