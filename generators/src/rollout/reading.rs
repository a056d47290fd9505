//! What an Application's status says, as far as a rollout believes it.

use std::fmt::Write as _;

use argosy_crds::Application;
use argosy_crds::application::{ApplicationStatus, Operation, OperationState, RevisionHistory};
use argosy_crds::codes::{
    BLOCKED_BY_WINDOW, HealthStatusCode, SyncStatusCode, condition, is_held_back,
};
use argosy_crds::{ApplicationSource, application::SyncOperation};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::INITIATOR;
use super::waits::Waits;

/// An Application as it was seen.
pub(super) struct Reading<'a> {
    pub(super) live: &'a Application,
    /// A digest of what it consists of and where it goes.
    pub(super) digest: String,
    /// The revisions that its status names; `None` while that is about another spec.
    pub(super) revisions: Option<Vec<String>>,
}

/// What is under way in an Application.
#[derive(Clone, Copy, Debug)]
pub(super) enum Activity<'a> {
    /// Nothing.
    Idle,
    /// An operation was asked for and has not begun, or something holds it back.
    Asked(&'a Operation),
    /// An operation runs.
    Running(&'a OperationState),
}

impl<'a> Reading<'a> {
    pub(super) fn new(live: &'a Application) -> Self {
        let sources = live.spec.sources();
        let revisions = live.status.as_ref().and_then(|status| {
            let compared = &status.sync.compared_to;
            let compared_sources = if compared.sources.is_empty() {
                compared.source.as_slice()
            } else {
                &compared.sources
            };
            let is_current =
                compared_sources == &*sources && compared.destination == live.spec.destination;
            let revisions = list(&status.sync.revision, &status.sync.revisions);
            (is_current && !revisions.is_empty()).then_some(revisions)
        });
        Self {
            live,
            digest: digest(&sources, live),
            revisions,
        }
    }

    fn status(&self) -> Option<&'a ApplicationStatus> {
        self.live.status.as_ref()
    }

    /// Whether its status names these revisions, and they are the ones of its spec.
    pub(super) fn is_at(&self, target: &[String]) -> bool {
        self.revisions.as_deref() == Some(target)
    }

    pub(super) fn sync(&self) -> SyncStatusCode {
        self.status()
            .map_or_else(SyncStatusCode::default, |status| status.sync.status)
    }

    pub(super) fn health(&self) -> HealthStatusCode {
        let health = self.status().and_then(|status| status.health.status);
        health.unwrap_or_default()
    }

    pub(super) fn is_healthy(&self) -> bool {
        self.health() == HealthStatusCode::Healthy
    }

    pub(super) fn health_since(&self) -> Option<Timestamp> {
        let health = &self.status()?.health;
        health.last_transition_time.as_ref().map(|at| at.0)
    }

    pub(super) fn reconciled_at(&self) -> Option<Timestamp> {
        self.status()?.reconciled_at.as_ref().map(|at| at.0)
    }

    /// Whether it was compared after its last operation had ended.
    pub(super) fn is_settled(&self) -> bool {
        let finished = self.state().and_then(|state| state.finished_at.as_ref());
        let is_compared_since =
            finished.is_none_or(|at| self.reconciled_at().is_some_and(|seen| seen >= at.0));
        is_compared_since && matches!(self.activity(), Activity::Idle)
    }

    /// The type of a condition that keeps it from being compared or synced.
    pub(super) fn obstacle(&self) -> Option<&'a str> {
        const OBSTACLES: [&str; 3] = [
            condition::INVALID_SPEC_ERROR,
            condition::COMPARISON_ERROR,
            condition::UNKNOWN_ERROR,
        ];
        let conditions = &self.status()?.conditions;
        let found = conditions
            .iter()
            .find(|one| OBSTACLES.contains(&one.type_.as_str()))?;
        (self.sync() == SyncStatusCode::Unknown).then_some(found.type_.as_str())
    }

    pub(super) fn activity(&self) -> Activity<'a> {
        let running = self.state().filter(|state| !state.phase.is_completed());
        match (&self.live.operation, running) {
            (Some(asked), Some(state)) if *asked != state.operation => Activity::Asked(asked),
            (_, Some(state)) if is_held_back(&state.message) => Activity::Asked(&state.operation),
            (_, Some(state)) => Activity::Running(state),
            (Some(asked), None) => Activity::Asked(asked),
            (None, None) => Activity::Idle,
        }
    }

    /// What keeps the rollout's own sync, which was asked for, from beginning.
    pub(super) fn held_back(&self) -> Option<Waits> {
        let activity = self.activity();
        if !matches!(activity, Activity::Asked(_)) || !activity.is_ours() {
            return None;
        }
        let running = self.state().filter(|state| !state.phase.is_completed());
        if running.is_some_and(|state| state.message == BLOCKED_BY_WINDOW) {
            return Some(Waits::Window);
        }
        let mut conditions = self.status()?.conditions.iter();
        conditions
            .any(|one| one.type_ == condition::APPROVAL_NEEDED)
            .then_some(Waits::Approval)
    }

    /// The state of the running or last operation.
    pub(super) fn state(&self) -> Option<&'a OperationState> {
        self.status()?.operation_state.as_ref()
    }

    /// The rollout's own sync to `target` that began at `since` or later, running or ended.
    pub(super) fn own_sync(
        &self,
        target: &[String],
        since: Option<Timestamp>,
    ) -> Option<&'a OperationState> {
        let since = since?;
        self.state().filter(|state| {
            is_ours_for(&state.operation, target)
                && self.is_of_spec(state)
                && state.started_at.as_ref().is_some_and(|at| at.0 >= since)
        })
    }

    /// Whether a sync of a rollout to these revisions was asked for or runs.
    pub(super) fn is_being_synced_to(&self, target: &[String]) -> bool {
        match self.activity() {
            Activity::Running(state) => {
                is_ours_for(&state.operation, target) && self.is_of_spec(state)
            }
            activity => activity.is_ours_for(target),
        }
    }

    /// Whether an operation is about the sources of the spec as it stands, or may be.
    fn is_of_spec(&self, state: &OperationState) -> bool {
        let result = state.sync_result.as_ref();
        result.is_none_or(|result| {
            let sources = if result.sources.is_empty() {
                result.source.as_slice()
            } else {
                &result.sources
            };
            sources == &*self.live.spec.sources()
        })
    }

    /// What was deployed last.
    pub(super) fn deployed(&self) -> Option<&'a RevisionHistory> {
        self.status()?.history.last()
    }
}

impl<'a> Activity<'a> {
    pub(super) fn operation(self) -> Option<&'a Operation> {
        match self {
            Self::Idle => None,
            Self::Asked(operation) => Some(operation),
            Self::Running(state) => Some(&state.operation),
        }
    }

    /// Whether a rollout began it.
    pub(super) fn is_ours(self) -> bool {
        self.operation().is_some_and(is_ours)
    }

    /// Whether a rollout began it, to these revisions.
    pub(super) fn is_ours_for(self, target: &[String]) -> bool {
        self.operation()
            .is_some_and(|operation| is_ours_for(operation, target))
    }
}

/// Whether a rollout asked for it.
pub(super) fn is_ours(operation: &Operation) -> bool {
    operation.initiated_by.username == INITIATOR
}

/// Whether a rollout asked for it as the sync to these revisions.
pub(super) fn is_ours_for(operation: &Operation, target: &[String]) -> bool {
    let sync = operation.sync.as_ref();
    is_ours(operation)
        && !is_rollback(operation)
        && sync.is_some_and(|sync| asked_revisions(sync) == target)
}

/// Whether a rollout asked for it as the way back. That alone names sources: those of then.
pub(super) fn is_rollback(operation: &Operation) -> bool {
    let sync = operation.sync.as_ref();
    is_ours(operation) && sync.is_some_and(|sync| sync.source.is_some() || !sync.sources.is_empty())
}

fn asked_revisions(sync: &SyncOperation) -> Vec<String> {
    list(&sync.revision, &sync.revisions)
}

/// The revisions of a deployment.
pub(super) fn deployed_revisions(deployment: &RevisionHistory) -> Vec<String> {
    list(&deployment.revision, &deployment.revisions)
}

/// The sources of a deployment.
pub(super) fn deployed_sources(deployment: &RevisionHistory) -> &[ApplicationSource] {
    if deployment.sources.is_empty() {
        deployment.source.as_slice()
    } else {
        &deployment.sources
    }
}

fn list(one: &str, many: &[String]) -> Vec<String> {
    if many.is_empty() && !one.is_empty() {
        vec![one.to_owned()]
    } else {
        many.to_vec()
    }
}

/// The first 64 bits of a digest over the sources and the destination.
fn digest(sources: &[ApplicationSource], live: &Application) -> String {
    let text = serde_json::to_vec(&(sources, &live.spec.destination)).unwrap_or_default();
    let mut digest = String::new();
    for byte in Sha256::digest(text).iter().take(8) {
        // Writing to a string cannot fail.
        let _ = write!(digest, "{byte:02x}");
    }
    digest
}
