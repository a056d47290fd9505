//! Simulated controllers: what makes a Deployment available and a Job complete.

use std::sync::Weak;
use std::time::Duration;

use crate::cluster::{Inner, WorkloadConfig};
use crate::store::State;

/// Does what is due now.
pub(crate) fn run_due(state: &mut State, _config: &WorkloadConfig) {
    state.dirty.clear();
}

/// Runs the controllers until the cluster is dropped.
pub(crate) async fn drive(cluster: Weak<Inner>) {
    while let Some(inner) = cluster.upgrade() {
        drop(inner);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
