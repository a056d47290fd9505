//! Whether an application syncs by itself.

mod self_heal;
#[cfg(test)]
mod tests;

use argosy_crds::Application;
use argosy_crds::application::{
    Operation, OperationInitiator, OperationState, ResourceStatus, RetryStrategy, SyncOperation,
    SyncOperationResource, SyncPolicyAutomated,
};
use argosy_crds::codes::SyncStatusCode;
use jiff::Timestamp;

use super::pause::{Pause, pause_of};
use crate::windows;

pub use self_heal::SelfHealBackoff;
use self_heal::heal;

/// What the decision rests on.
#[derive(Clone, Copy, Debug)]
pub struct AutoSyncInput<'a> {
    /// The application, with the state of its last operation.
    pub application: &'a Application,
    /// Its comparison with the cluster.
    pub status: SyncStatusCode,
    /// Its resources, as compared.
    pub resources: &'a [ResourceStatus],
    /// The resolved revision of each source.
    pub revisions: &'a [String],
    /// Whether the manifests may differ between the last attempt's revisions and these.
    pub content_changed: bool,
    /// What the sync windows say of an automated sync.
    pub windows: &'a windows::Verdict,
    /// Time between attempts to heal.
    pub self_heal: SelfHealBackoff,
    /// What of the application cannot be seen now, if anything.
    pub blind: Option<Blind>,
    /// Time.
    pub now: Timestamp,
}

/// Some kinds of an application cannot be seen, so that only the rest of it can be synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blind {
    /// Whether it has hooks: they run in whole syncs only, and nothing new goes out without them.
    pub has_hooks: bool,
}

/// Why there is no automated sync, with nothing to say to the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skip {
    /// Automation is off.
    NotAutomated,
    /// Somebody asked for it to be left alone; see [`pause_of`].
    Paused {
        /// When that ends by itself; `None` if the time cannot be read.
        until: Option<Timestamp>,
    },
    /// A window is closed.
    Window,
    /// An operation is under way or asked for.
    OperationInProgress,
    /// The application is being deleted.
    Deleting,
    /// There is nothing to sync, or nobody knows.
    NotOutOfSync,
    /// Only prunes are left, and pruning is off.
    OnlyPrunes,
    /// These revisions were synced, and drift is left alone.
    AlreadySynced,
    /// Not all of it can be seen, and a part of it may not go ahead of its hooks.
    Unseen,
}

/// Whether an application syncs by itself.
#[derive(Clone, Debug, PartialEq)]
pub enum AutoSync {
    /// It does not.
    Skip(Skip),
    /// It does not, and the user is told by a `SyncError` condition.
    Refuse {
        /// The condition's message.
        message: String,
    },
    /// It heals its drift, but not yet.
    HealLater {
        /// When.
        at: Timestamp,
    },
    /// It does.
    Sync(Box<Operation>),
}

/// Decides whether an application syncs by itself.
pub fn decide_automated(input: &AutoSyncInput<'_>) -> AutoSync {
    let policy = match eligible(input) {
        Ok(policy) => policy,
        Err(skip) => return AutoSync::Skip(skip),
    };
    let last = input
        .application
        .status
        .as_ref()
        .and_then(|status| status.operation_state.as_ref());
    let mut operation = operation(input, policy);
    if let Some(last) = last.filter(|last| was_attempted(input, last)) {
        if !last.phase.is_successful() {
            return AutoSync::Refuse {
                message: failed_attempt(input.revisions, &last.message),
            };
        }
        if !policy.self_heals() {
            return AutoSync::Skip(Skip::AlreadySynced);
        }
        if let Err(at) = heal(input, last, &mut operation) {
            return AutoSync::HealLater { at };
        }
    } else if let Some(blind) = input.blind {
        if blind.has_hooks {
            return AutoSync::Skip(Skip::Unseen);
        }
        if let Some(sync) = &mut operation.sync {
            sync.resources = differing(input.resources);
        }
    }
    let mut seen = input.resources.iter().filter(|one| is_seen(one));
    let everything_goes = seen.all(|one| one.requires_pruning);
    if policy.prunes() && !policy.allows_empty() && everything_goes {
        return AutoSync::Refuse {
            message: format!(
                "Skipping sync attempt to {}: auto-sync will wipe out all resources",
                input.revisions.join(",")
            ),
        };
    }
    AutoSync::Sync(Box::new(operation))
}

/// What a condition says of a sync that failed, and that automation does not try again.
pub fn failed_attempt(revisions: &[String], message: &str) -> String {
    format!(
        "Failed last sync attempt to {}: {message}",
        revisions.join(",")
    )
}

/// The automation, if nothing speaks against it from the start.
fn eligible<'a>(input: &AutoSyncInput<'a>) -> Result<&'a SyncPolicyAutomated, Skip> {
    let application = input.application;
    let policy = application
        .spec
        .sync_policy
        .as_ref()
        .filter(|policy| policy.is_automated())
        .and_then(|policy| policy.automated.as_ref())
        .ok_or(Skip::NotAutomated)?;
    let in_progress = application
        .status
        .as_ref()
        .and_then(|status| status.operation_state.as_ref())
        .is_some_and(|state| !state.phase.is_completed());
    if let Some(pause) = pause_of(application, input.now) {
        let Pause { until, .. } = pause;
        Err(Skip::Paused { until })
    } else if !input.windows.may_sync() {
        Err(Skip::Window)
    } else if application.operation.is_some() || in_progress {
        Err(Skip::OperationInProgress)
    } else if application.metadata.deletion_timestamp.is_some() {
        Err(Skip::Deleting)
    } else if input.status != SyncStatusCode::OutOfSync {
        Err(Skip::NotOutOfSync)
    } else if !policy.prunes() && only_prunes(input.resources) {
        Err(Skip::OnlyPrunes)
    } else {
        Ok(policy)
    }
}

fn only_prunes(resources: &[ResourceStatus]) -> bool {
    resources
        .iter()
        .all(|one| one.status == Some(SyncStatusCode::Synced) || one.requires_pruning)
}

/// Whether the resource could be judged.
fn is_seen(resource: &ResourceStatus) -> bool {
    resource.status != Some(SyncStatusCode::Unknown)
}

/// What is not in sync, as far as that is known.
fn differing(resources: &[ResourceStatus]) -> Vec<SyncOperationResource> {
    resources
        .iter()
        .filter(|one| is_seen(one) && one.status != Some(SyncStatusCode::Synced))
        .map(|one| SyncOperationResource {
            group: one.group.clone(),
            kind: one.kind.clone(),
            name: one.name.clone(),
            namespace: String::new(),
        })
        .collect()
}

/// Whether automation synced a part, because the rest could not be seen.
fn was_part(last: &OperationState) -> bool {
    let sync = last.operation.sync.as_ref();
    last.operation.initiated_by.automated
        && sync.is_some_and(|sync| !sync.resources.is_empty() && sync.auto_heal_attempts_count == 0)
}

/// Whether the last operation tried just this.
fn was_attempted(input: &AutoSyncInput<'_>, last: &OperationState) -> bool {
    if input.blind.is_none() && was_part(last) {
        return false;
    }
    let Some(result) = &last.sync_result else {
        return last.phase.is_completed();
    };
    let revisions: &[String] = if result.revisions.is_empty() {
        std::slice::from_ref(&result.revision)
    } else {
        &result.revisions
    };
    let sources = if result.sources.is_empty() {
        result.source.as_slice()
    } else {
        &result.sources
    };
    let same_revisions = !input.content_changed || revisions == input.revisions;
    same_revisions && sources == &*input.application.spec.sources()
}

fn operation(input: &AutoSyncInput<'_>, automated: &SyncPolicyAutomated) -> Operation {
    let spec = &input.application.spec;
    let policy = spec.sync_policy.as_ref();
    let many = spec.has_multiple_sources();
    let sources = spec.sources().into_owned();
    let mut sync = SyncOperation {
        prune: automated.prunes(),
        sync_options: policy
            .map(|policy| policy.sync_options.clone())
            .unwrap_or_default(),
        ..SyncOperation::default()
    };
    if many {
        sync.sources = sources;
        sync.revisions = input.revisions.to_vec();
    } else {
        sync.source = sources.into_iter().next();
        sync.revision = input.revisions.first().cloned().unwrap_or_default();
    }
    Operation {
        sync: Some(sync),
        initiated_by: OperationInitiator {
            automated: true,
            ..OperationInitiator::default()
        },
        info: Vec::new(),
        retry: Some(
            policy
                .and_then(|policy| policy.retry.clone())
                .unwrap_or(RetryStrategy {
                    limit: 5,
                    ..RetryStrategy::default()
                }),
        ),
    }
}
