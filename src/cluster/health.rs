//! Whether a cluster can be reached, and since when not.
//!
//! One small request at an interval, and at once when another request failed. While the state is
//! `Failed` nobody else sends anything to the cluster: the probe is what closes the circuit again.

use std::sync::Arc;
use std::time::Duration;

use argosy_crds::names::annotation::CLUSTER_UID;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Namespace;
use kube::{Api, Client};
use tokio::sync::Notify;

use super::signal::Signal;
use crate::clock::Clock;

/// How often a reachable cluster is asked, as Argo CD refreshes its cluster information.
const INTERVAL: Duration = Duration::from_secs(10);

/// How soon an unreachable cluster is asked again; doubles up to [`INTERVAL`], because the question
/// costs no more than that to a cluster that answers.
const RETRY: Duration = Duration::from_secs(1);

/// After how many attempts a reachable cluster is identified again; always when it was lost.
const IDENTIFY_EVERY: u32 = 30;

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
    /// The uid of its namespace `kube-system`, by which it is told from another cluster; none where
    /// it may not be read.
    pub uid: Option<String>,
}

/// Tries the connection of one cluster.
pub(super) struct Health {
    clock: Clock,
    state: Signal<ConnectionState>,
    suspected: Notify,
}

impl Health {
    /// `uid` is that of the cluster that is expected; the first one that answers, where none is.
    pub(super) fn new(clock: Clock, uid: Option<String>) -> Self {
        let state = ConnectionState {
            status: ConnectionStatus::Unknown,
            message: String::new(),
            version: None,
            last_contact: None,
            attempted_at: None,
            uid,
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
        let mut rounds = 0_u32;
        loop {
            let mut answer = ask(&client).await;
            let was_well = self.state().status == ConnectionStatus::Successful;
            if answer.is_ok() && (!was_well || rounds.is_multiple_of(IDENTIFY_EVERY)) {
                answer = self.identified(&client, answer).await;
            }
            rounds = rounds.wrapping_add(1);
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
                () = self.suspected.notified(), if !failed => rounds = 0,
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// Makes sure that it is the cluster that was there before.
    async fn identified(
        &self,
        client: &Client,
        answer: Result<String, String>,
    ) -> Result<String, String> {
        let namespaces: Api<Namespace> = Api::all(client.clone());
        let found = tokio::time::timeout(PATIENCE, namespaces.get_metadata("kube-system")).await;
        // Whoever may not read it is trusted as before.
        let Ok(Ok(found)) = found else {
            return answer;
        };
        let found = found.metadata.uid.unwrap_or_default();
        let expected = self.state().uid;
        match expected {
            Some(expected) if expected != found => Err(format!(
                "another cluster answers at this address: its namespace kube-system has the uid \
                 {found} where {expected} is expected; if that is intended, set the annotation \
                 {CLUSTER_UID}: {found} on the cluster's Secret"
            )),
            _ => {
                self.state.change(|state| state.uid = Some(found));
                answer
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
