//! The operations that a rollout asks for.

use argosy_crds::application::{
    Info, Operation, OperationInitiator, RetryStrategy, RevisionHistory, SyncOperation,
    SyncPolicyAutomated,
};

use super::member::Member;
use super::reading::{
    Activity, Reading, deployed_revisions, deployed_sources, is_ours_for, is_rollback,
};
use super::{Begin, INITIATOR};

const SYNC: &str = "ApplicationSet RollingSync triggered a sync of this Application resource";
const ROLLBACK: &str = "ApplicationSet RollingSync rolled this Application resource back";

/// How often a sync is retried where the Application does not say so, as in Argo CD.
const RETRIES: i64 = 5;

/// The sync of a member to its target.
pub(super) fn sync(name: &str, member: &Member<'_>) -> Option<Begin> {
    let reading = member.reading.as_ref()?;
    let target = member.target.clone()?;
    let mut sync = SyncOperation::default();
    if reading.live.spec.has_multiple_sources() {
        sync.revisions = target;
    } else {
        sync.revision = target.into_iter().next()?;
    }
    Some(begin(name, member, reading, (sync, SYNC), false))
}

/// The way of a member back to where it was healthy last.
pub(super) enum WayBack {
    /// There is none, or somebody else is at work there.
    None,
    /// It is on it, came to its end, or failed to go it.
    Gone,
    /// It begins.
    Begin(Box<Begin>),
}

/// Finds the way of a member back to where it was healthy last.
pub(super) fn rollback(name: &str, member: &Member<'_>) -> WayBack {
    let (Some(reading), Some(target)) = (&member.reading, &member.target) else {
        return WayBack::None;
    };
    let Some(goal) = goal(member, reading, target) else {
        return WayBack::None;
    };
    let revisions = deployed_revisions(goal);
    let activity = reading.activity();
    let last = reading.state();
    // A sync that went wrong may have left half of the target behind without being a deployment.
    let is_target_last = last.is_some_and(|state| is_ours_for(&state.operation, target));
    let is_there = !is_target_last
        && reading.deployed().is_some_and(|deployed| {
            deployed_revisions(deployed) == revisions
                && deployed_sources(deployed) == deployed_sources(goal)
        });
    let is_on_its_way = activity.operation().is_some_and(is_rollback);
    let has_failed =
        last.is_some_and(|state| state.phase.has_failed() && is_rollback(&state.operation));
    if is_there || is_on_its_way || has_failed {
        return WayBack::Gone;
    }
    if activity.operation().is_some() && !activity.is_ours() {
        return WayBack::None;
    }
    let mut sync = SyncOperation::default();
    if goal.sources.is_empty() {
        sync.source.clone_from(&goal.source);
        sync.revision = revisions.concat();
    } else {
        sync.sources.clone_from(&goal.sources);
        sync.revisions = revisions;
    }
    let terminate = matches!(activity, Activity::Running(_));
    let begin = begin(name, member, reading, (sync, ROLLBACK), terminate);
    WayBack::Begin(Box::new(begin))
}

/// The newest deployment of the revisions at which the member was healthy last, other than what it
/// is to reach.
fn goal<'a>(
    member: &Member<'a>,
    reading: &Reading<'a>,
    target: &[String],
) -> Option<&'a RevisionHistory> {
    let sources = reading.live.spec.sources();
    let history = &reading.live.status.as_ref()?.history;
    history.iter().rev().find(|deployment| {
        let revisions = deployed_revisions(deployment);
        let is_target = revisions == target && deployed_sources(deployment) == &*sources;
        revisions == member.entry.healthy_revisions && !is_target
    })
}

fn begin(
    name: &str,
    member: &Member<'_>,
    reading: &Reading<'_>,
    (mut sync, reason): (SyncOperation, &str),
    terminate: bool,
) -> Begin {
    let policy = member.generated.spec.sync_policy.as_ref();
    let automated = policy
        .filter(|policy| policy.is_automated())
        .and_then(|policy| policy.automated.as_ref());
    sync.prune = automated.is_some_and(SyncPolicyAutomated::prunes);
    sync.sync_options = policy
        .map(|policy| policy.sync_options.clone())
        .unwrap_or_default();
    let retry = policy.and_then(|policy| policy.retry.clone());
    Begin {
        name: name.to_owned(),
        resource_version: reading.live.metadata.resource_version.clone(),
        operation: Operation {
            sync: Some(sync),
            initiated_by: OperationInitiator {
                username: INITIATOR.to_owned(),
                automated: true,
            },
            info: vec![Info {
                name: "Reason".to_owned(),
                value: reason.to_owned(),
            }],
            retry: Some(retry.unwrap_or(RetryStrategy {
                limit: RETRIES,
                ..RetryStrategy::default()
            })),
        },
        terminate,
    }
}
