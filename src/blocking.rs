//! Where work runs that reads a disk, waits for a program or computes for long, so that it holds up
//! no other task.
//!
//! Nothing else in the hub may leave its tasks' threads: a simulation runs such work in turn with
//! everything else, so that the order of what happens is the same each time.

use tokio::task::JoinError;

/// Where such work runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blocking {
    /// On the runtime's pool of threads for it.
    Pool,
    /// In a task like all others: for a runtime of one thread, whose order is to repeat.
    InTurn,
}

impl Blocking {
    /// Runs `work` to its end; a panic in it is the error.
    pub async fn run<T: Send + 'static>(
        self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, JoinError> {
        match self {
            Self::Pool => tokio::task::spawn_blocking(work).await,
            Self::InTurn => tokio::spawn(async move { work() }).await,
        }
    }
}
