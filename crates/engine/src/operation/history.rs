//! The history of deployments, and going back in it.

use argosy_crds::Application;
use argosy_crds::application::{
    Operation, RevisionHistory, SyncOperation, SyncStrategy, SyncStrategyApply,
};
use thiserror::Error;

/// How many deployments are kept unless the application says otherwise.
const DEFAULT_LIMIT: i64 = 10;

/// Adds a deployment with the next id and drops the oldest beyond the limit; a limit of 0 keeps
/// none. Only whole syncs that succeeded, and were no dry run, belong here.
pub fn record(history: &mut Vec<RevisionHistory>, entry: RevisionHistory, limit: Option<i64>) {
    let id = history.last().map_or(0, |last| last.id + 1);
    history.push(RevisionHistory { id, ..entry });
    let limit = usize::try_from(limit.unwrap_or(DEFAULT_LIMIT)).unwrap_or(0);
    let excess = history.len().saturating_sub(limit);
    history.drain(..excess);
}

/// Why there is no going back.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RollbackError {
    /// The next automated sync would undo it.
    #[error("rollback cannot be initiated when auto-sync is enabled")]
    Automated,
    /// No such deployment is known.
    #[error("application {application} does not have deployment id {id} in its history")]
    NoSuchDeployment {
        /// The application.
        application: String,
        /// The id.
        id: i64,
    },
    /// Something else is under way.
    #[error("another operation is already in progress")]
    OperationInProgress,
}

/// The operation that brings a deployment of the history back. It runs no hooks and leaves the
/// spec as it is.
pub fn rollback(
    application: &Application,
    id: i64,
    prune: bool,
    dry_run: bool,
) -> Result<Operation, RollbackError> {
    let policy = application.spec.sync_policy.as_ref();
    if policy.is_some_and(argosy_crds::application::SyncPolicy::is_automated) {
        return Err(RollbackError::Automated);
    }
    if application.operation.is_some() {
        return Err(RollbackError::OperationInProgress);
    }
    let entry = application
        .status
        .iter()
        .flat_map(|status| &status.history)
        .find(|entry| entry.id == id)
        .ok_or_else(|| RollbackError::NoSuchDeployment {
            application: application.metadata.name.clone().unwrap_or_default(),
            id,
        })?;
    Ok(Operation {
        sync: Some(SyncOperation {
            revision: entry.revision.clone(),
            revisions: entry.revisions.clone(),
            source: entry.source.clone(),
            sources: entry.sources.clone(),
            prune,
            dry_run,
            sync_strategy: Some(SyncStrategy {
                apply: Some(SyncStrategyApply::default()),
                hook: None,
            }),
            sync_options: policy
                .map(|policy| policy.sync_options.clone())
                .unwrap_or_default(),
            ..SyncOperation::default()
        }),
        ..Operation::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn history_keeps_the_last_and_counts_on() {
        let mut history = Vec::new();
        for _ in 0..5 {
            record(&mut history, RevisionHistory::default(), Some(3));
        }
        let ids: Vec<_> = history.iter().map(|entry| entry.id).collect();
        assert_eq!(ids, [2, 3, 4]);
        record(&mut history, RevisionHistory::default(), Some(0));
        assert!(history.is_empty());
    }

    #[test]
    fn going_back_needs_an_entry_and_no_automation() {
        let mut application = Application::default();
        application.metadata.name = Some("web".into());
        let mut history = Vec::new();
        let entry = RevisionHistory {
            revision: "abc".into(),
            ..RevisionHistory::default()
        };
        record(&mut history, entry, None);
        application.status = Some(argosy_crds::ApplicationStatus {
            history,
            ..Default::default()
        });
        let operation = rollback(&application, 0, true, false).unwrap();
        assert_eq!(operation.sync.map(|sync| sync.revision), Some("abc".into()));
        assert_eq!(
            rollback(&application, 7, true, false)
                .unwrap_err()
                .to_string(),
            "application web does not have deployment id 7 in its history"
        );
    }
}
