//! A status that the hub's API server takes, however much an application consists of.
//!
//! What says least goes first, and always in the same order: results of what went well, resources
//! that are as they should be, old deployments, other resources. Nothing goes that a decision rests
//! on: results of hooks and of what failed stay, as does one resource of each kind, by which the
//! application knows where to look for what it has.

use std::collections::BTreeSet;
use std::io::{self, Write};

use argosy_crds::application::{
    ApplicationCondition, ApplicationStatus, ResourceResult, ResourceStatus,
};
use argosy_crds::codes::{HealthStatusCode, OperationPhase, ResultCode, SyncStatusCode, condition};
use jiff::Timestamp;
use serde::Serialize;

use super::merge_conditions;
use crate::object::ResourceKey;

/// How many bytes of JSON an Application may have. etcd takes 1.5 MiB in a request; what the API
/// server adds to an object (who owns which field) has to have its place, too.
const LARGEST: usize = 1_400_000;

/// What the condition takes that tells of it.
const TOLD: usize = 600;

/// How many bytes something takes as JSON.
pub fn size_of(value: &impl Serialize) -> usize {
    let mut counter = Counter(0);
    // Nothing in an Application cannot be written as JSON, and counting does not fail.
    let _ = serde_json::to_writer(&mut counter, value);
    counter.0
}

/// Leaves out of a status what does not fit beside the `rest` of the Application, in bytes, and says
/// so in a condition. It stays there until another operation begins: `before` is the status that was
/// written last, from which what was left out cannot be told.
pub fn fit(before: &ApplicationStatus, after: &mut ApplicationStatus, rest: usize, now: Timestamp) {
    let conditions = after.conditions.clone();
    after
        .conditions
        .retain(|one| one.type_ != condition::STATUS_TRUNCATED);
    let is_cut = cut(after, LARGEST.saturating_sub(rest + TOLD));
    let began = |status: &ApplicationStatus| {
        let state = status.operation_state.as_ref();
        state.and_then(|state| state.started_at.clone())
    };
    let told = before.conditions.iter();
    let mut told = told.filter(|one| one.type_ == condition::STATUS_TRUNCATED);
    let was_cut = told.next().is_some() && began(before) == began(after);
    let found = (is_cut || was_cut).then(|| ApplicationCondition {
        type_: condition::STATUS_TRUNCATED.to_owned(),
        message: "to tell everything of this application would be more than the hub's API server takes \
                  in one object: results of what went well, resources that are as they should be and \
                  old deployments are left out of the status as far as need be. All of it is looked \
                  at and synced nevertheless; several smaller applications would tell everything"
            .to_owned(),
        last_transition_time: None,
    });
    let found = found.into_iter().collect();
    let owned = [condition::STATUS_TRUNCATED];
    after.conditions = merge_conditions(&conditions, &owned, found, now);
}

/// Cuts a status down to so many bytes, as far as that goes; whether anything had to go.
fn cut(status: &mut ApplicationStatus, room: usize) -> bool {
    let excess = |status: &ApplicationStatus| size_of(status).saturating_sub(room);
    let mut over = excess(status);
    if over == 0 {
        return false;
    }
    let state = status.operation_state.as_mut();
    if let Some(result) = state.and_then(|state| state.sync_result.as_mut()) {
        shorten(&mut result.resources, over, went_well);
        over = excess(status);
    }
    let stay = first_of_each_kind(&status.resources);
    let may_go = |one: &ResourceStatus| !stay.contains(&key(one));
    shorten(&mut status.resources, over, |one| {
        may_go(one) && is_as_it_should_be(one)
    });
    over = excess(status);
    while over > 0 && status.history.len() > 1 {
        status.history.remove(0);
        over = excess(status);
    }
    shorten(&mut status.resources, over, may_go);
    true
}

fn key(resource: &ResourceStatus) -> ResourceKey {
    let one = resource;
    ResourceKey::new(&one.group, &one.kind, &one.namespace, &one.name)
}

fn first_of_each_kind(resources: &[ResourceStatus]) -> BTreeSet<ResourceKey> {
    let mut kinds = BTreeSet::new();
    let keys = resources.iter().map(key);
    keys.filter(|key| kinds.insert(key.group_kind())).collect()
}

/// Takes items that may go from the end of a list, until so many bytes are gone.
fn shorten<T: Serialize>(list: &mut Vec<T>, mut excess: usize, may_go: impl Fn(&T) -> bool) {
    let mut kept = Vec::with_capacity(list.len());
    for item in list.drain(..).rev() {
        if excess > 0 && may_go(&item) {
            excess = excess.saturating_sub(size_of(&item));
        } else {
            kept.push(item);
        }
    }
    kept.reverse();
    *list = kept;
}

fn went_well(result: &ResourceResult) -> bool {
    let is_failure = result.status == Some(ResultCode::SyncFailed)
        || matches!(
            result.hook_phase,
            Some(OperationPhase::Failed | OperationPhase::Error)
        );
    result.hook_type.is_empty() && !is_failure
}

fn is_as_it_should_be(resource: &ResourceStatus) -> bool {
    let health = resource.health.as_ref().and_then(|health| health.status);
    resource.status == Some(SyncStatusCode::Synced)
        && matches!(health, None | Some(HealthStatusCode::Healthy))
        && !resource.requires_deletion_confirmation
}

/// Counts what is written to it.
struct Counter(usize);

impl Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use argosy_crds::application::{
        HealthStatus, OperationState, RevisionHistory, SyncOperationResult,
    };

    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn resource(at: usize, status: SyncStatusCode) -> ResourceStatus {
        ResourceStatus {
            version: "v1".to_owned(),
            kind: if at < 10 { "Secret" } else { "ConfigMap" }.to_owned(),
            namespace: "web".to_owned(),
            name: format!("{at:0>180}"),
            status: Some(status),
            health: Some(HealthStatus::default()),
            ..ResourceStatus::default()
        }
    }

    fn result(at: usize, hook_type: &str) -> ResourceResult {
        ResourceResult {
            kind: "ConfigMap".to_owned(),
            name: format!("{at:0>180}"),
            status: Some(if at == 7 {
                ResultCode::SyncFailed
            } else {
                ResultCode::Synced
            }),
            hook_type: hook_type.to_owned(),
            ..ResourceResult::default()
        }
    }

    fn status(resources: usize, of_which_differ: usize) -> ApplicationStatus {
        let all = (0..resources).map(|at| {
            let differs = at >= resources - of_which_differ;
            resource(
                at,
                if differs {
                    SyncStatusCode::OutOfSync
                } else {
                    SyncStatusCode::Synced
                },
            )
        });
        let hook = result(resources, "PreSync");
        let results = (0..resources).map(|at| result(at, "")).chain([hook]);
        let result = SyncOperationResult {
            resources: results.collect(),
            ..SyncOperationResult::default()
        };
        ApplicationStatus {
            resources: all.collect(),
            history: (0..3)
                .map(|id| RevisionHistory {
                    id,
                    ..RevisionHistory::default()
                })
                .collect(),
            operation_state: Some(OperationState {
                sync_result: Some(result),
                ..OperationState::default()
            }),
            ..ApplicationStatus::default()
        }
    }

    fn results(status: &ApplicationStatus) -> &[ResourceResult] {
        let state = status.operation_state.as_ref().unwrap();
        &state.sync_result.as_ref().unwrap().resources
    }

    fn is_told(status: &ApplicationStatus) -> bool {
        let mut conditions = status.conditions.iter();
        conditions.any(|one| one.type_ == "StatusTruncated")
    }

    #[test]
    fn what_fits_is_left_as_it_is() {
        let whole = status(1500, 10);
        let mut after = whole.clone();
        fit(&ApplicationStatus::default(), &mut after, 1000, NOW);
        assert!(after == whole);
    }

    #[test]
    fn results_of_what_went_well_go_first() {
        let whole = status(3000, 10);
        let mut after = whole.clone();
        fit(&ApplicationStatus::default(), &mut after, 1000, NOW);
        assert!(size_of(&after) + 1000 <= LARGEST);
        assert!(is_told(&after));
        assert_eq!(after.resources, whole.resources);
        assert_eq!(after.history, whole.history);
        let kept = results(&after);
        assert!(kept.iter().any(|one| one.hook_type == "PreSync"));
        assert!(kept.iter().any(|one| one.name.ends_with("07")), "it failed");
    }

    #[test]
    fn what_differs_and_one_of_each_kind_stay_longest_and_nothing_changes_by_itself() {
        let whole = status(6000, 2000);
        let mut once = whole.clone();
        fit(&ApplicationStatus::default(), &mut once, 200_000, NOW);
        assert!(size_of(&once) + 200_000 <= LARGEST);
        let differing = |status: &ApplicationStatus| {
            let resources = status.resources.iter();
            let differing = resources.filter(|one| one.status == Some(SyncStatusCode::OutOfSync));
            differing.count()
        };
        assert_eq!(differing(&once), 2000);
        let kinds: BTreeSet<_> = once.resources.iter().map(|one| &one.kind).collect();
        assert_eq!(kinds.len(), 2);
        assert_eq!(once.history, whole.history);

        // Resources are known anew each time, results are not.
        let mut twice = once.clone();
        twice.resources.clone_from(&whole.resources);
        fit(&once, &mut twice, 200_000, NOW);
        assert!(once == twice);

        let mut all = status(9000, 9000);
        fit(&ApplicationStatus::default(), &mut all, 200_000, NOW);
        assert!(size_of(&all) + 200_000 <= LARGEST);
        assert_eq!(all.history.len(), 1);
    }

    #[test]
    fn what_was_left_out_is_told_until_the_next_operation() {
        let mut before = ApplicationStatus::default();
        fit(&before.clone(), &mut before, LARGEST, NOW);
        assert!(is_told(&before));
        let mut after = before.clone();
        fit(&before, &mut after, 0, NOW);
        assert!(is_told(&after));
        after.operation_state = status(0, 0).operation_state;
        if let Some(state) = &mut after.operation_state {
            state.started_at = Some(k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(NOW));
        }
        fit(&before, &mut after, 0, NOW);
        assert!(!is_told(&after));
    }
}
