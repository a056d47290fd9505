//! One attempt at an operation: what was asked, and what came of it before it began.

use argosy_crds::Application;
use argosy_crds::application::{Operation, SyncOperation, SyncOperationResult};
use argosy_crds::codes::OperationPhase;
use argosy_engine::operation::SUPERSEDED;
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::begin::{Begun, Told};
use super::results;

/// What ends an operation for the sake of newer revisions.
pub(super) fn superseded(newest: &[String]) -> String {
    format!("{SUPERSEDED} {}", newest.join(","))
}

/// One attempt at an operation.
pub(super) struct Attempt {
    /// What was asked.
    pub(super) operation: Operation,
    /// When it began.
    pub(super) started_at: Timestamp,
    /// How often it was retried.
    pub(super) retries: i64,
    /// What is recorded of it, where another process began it.
    pub(super) going_on: Option<SyncOperationResult>,
}

impl Attempt {
    pub(super) fn new(operation: Operation, started_at: Timestamp) -> Self {
        Self {
            operation,
            started_at,
            retries: 0,
            going_on: None,
        }
    }

    /// The revisions that it has to use: those that it began with, or those that it names.
    pub(super) fn pinned(&self, sync: &SyncOperation) -> Vec<String> {
        match &self.going_on {
            Some(begun) if !begun.revisions.is_empty() => begun.revisions.clone(),
            Some(begun) if !begun.revision.is_empty() => vec![begun.revision.clone()],
            _ if self.takes_the_newest() => Vec::new(),
            _ => pinned(sync),
        }
    }

    /// Whether a retry goes to the newest revision, whatever the operation names.
    fn takes_the_newest(&self) -> bool {
        let retry = self.operation.retry.as_ref();
        self.retries > 0 && retry.is_some_and(|retry| retry.refresh)
    }

    /// What its hooks are marked with, so that they are known again after a restart. A status tells
    /// times by the second, in which two operations can begin, but not the same one twice.
    pub(super) fn stamp(&self) -> String {
        let operation = serde_json::to_vec(&self.operation).unwrap_or_default();
        let digest = format!("{:x}", Sha256::digest(&operation));
        format!("{:.0}/{}/{:.8}", self.started_at, self.retries, digest)
    }

    pub(super) fn refused(
        &self,
        end: (OperationPhase, &str),
        attempted: Option<SyncOperationResult>,
        now: Timestamp,
    ) -> Begun {
        let begun = (self.started_at, self.retries);
        let state = results::refused(&self.operation, end, attempted, begun, Some(now));
        Begun::Refused(Box::new(state))
    }

    /// It may not begin yet; `condition` is to say why, if anything is.
    pub(super) fn blocked(
        &self,
        message: &str,
        condition: Told,
        attempted: Option<SyncOperationResult>,
    ) -> Begun {
        let phase = (OperationPhase::Running, message);
        let begun = (self.started_at, self.retries);
        let state = results::refused(&self.operation, phase, attempted, begun, None);
        Begun::Blocked(Box::new(state), condition)
    }
}

pub(super) fn sources(
    application: &Application,
    sync: &SyncOperation,
) -> Vec<argosy_crds::ApplicationSource> {
    if !sync.sources.is_empty() {
        return sync.sources.clone();
    }
    match &sync.source {
        Some(source) => vec![source.clone()],
        None => application.spec.sources().into_owned(),
    }
}

/// The revisions that an operation names.
pub(super) fn pinned(sync: &SyncOperation) -> Vec<String> {
    if !sync.revisions.is_empty() {
        return sync.revisions.clone();
    }
    if sync.revision.is_empty() {
        Vec::new()
    } else {
        vec![sync.revision.clone()]
    }
}
