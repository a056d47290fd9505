//! Whether a cluster can be reached, and since when not.
//!
//! One small request at an interval, and at once when another request failed. While the state is
//! `Failed` nobody else sends anything to the cluster: the probe is what closes the circuit again.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use kube::Client;
use tokio::sync::Notify;

use super::signal::Signal;
use crate::clock::Clock;

/// How often a reachable cluster is asked, as Argo CD refreshes its cluster information.
const INTERVAL: Duration = Duration::from_secs(10);

/// How soon an unreachable cluster is asked again; doubles up to [`INTERVAL`], because the question
/// costs no more than that to a cluster that answers.
const RETRY: Duration = Duration::from_secs(1);

/// How long the cluster may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Argo CD's connection states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionStatus {
    /// Not tried yet.
    Unknown,
    /// It answered.
    Successful,
    /// It did not.
    Failed,
}

impl ConnectionStatus {
    /// The name in Argo CD's API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "Unknown",
            Self::Successful => "Successful",
            Self::Failed => "Failed",
        }
    }
}

/// What the last attempt brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionState {
    /// Whether it answered.
    pub status: ConnectionStatus,
    /// Why it did not.
    pub message: String,
    /// The version of its API server, when it last answered.
    pub version: Option<String>,
    /// When it last answered.
    pub last_contact: Option<Timestamp>,
    /// When it was last tried.
    pub attempted_at: Option<Timestamp>,
}

/// Tries the connection of one cluster.
pub(super) struct Health {
    clock: Clock,
    state: Signal<ConnectionState>,
    suspected: Notify,
}

impl Health {
    pub(super) fn new(clock: Clock) -> Self {
        let state = ConnectionState {
            status: ConnectionStatus::Unknown,
            message: String::new(),
            version: None,
            last_contact: None,
            attempted_at: None,
        };
        Self {
            clock,
            state: Signal::new(state),
            suspected: Notify::new(),
        }
    }

    pub(super) fn state(&self) -> ConnectionState {
        self.state.get()
    }

    pub(super) fn suspect(&self) {
        self.suspected.notify_one();
    }

    pub(super) async fn tried(&self) -> ConnectionState {
        self.state
            .wait_for(|state| state.status != ConnectionStatus::Unknown)
            .await
    }

    /// Tries forever; tells `changed` when the verdict changes, the first one excepted.
    pub(super) async fn probe(self: Arc<Self>, client: Client, changed: impl Fn()) {
        let mut retry = RETRY;
        loop {
            let answer = ask(&client).await;
            if self.take(answer) {
                changed();
            }
            let failed = self.state().status == ConnectionStatus::Failed;
            let wait = if failed { retry } else { INTERVAL };
            retry = if failed {
                (retry * 2).min(INTERVAL)
            } else {
                RETRY
            };
            tokio::select! {
                biased;
                // A cluster that is known to be down is not asked more often because of it.
                () = self.suspected.notified(), if !failed => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    fn take(&self, answer: Result<String, String>) -> bool {
        let now = self.clock.now();
        self.state.change(|state| {
            let before = state.status;
            state.attempted_at = Some(now);
            match answer {
                Ok(version) => {
                    state.status = ConnectionStatus::Successful;
                    state.message.clear();
                    state.version = Some(version);
                    state.last_contact = Some(now);
                }
                Err(why) => {
                    state.status = ConnectionStatus::Failed;
                    state.message = why;
                }
            }
            // Whoever was there before the first attempt waits for its outcome anyway.
            state.status != before && before != ConnectionStatus::Unknown
        })
    }
}

async fn ask(client: &Client) -> Result<String, String> {
    match tokio::time::timeout(PATIENCE, client.apiserver_version()).await {
        Ok(Ok(version)) => Ok(version.git_version),
        Ok(Err(error)) => Err(crate::diagnostic::chain(&error)),
        Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
    }
}
