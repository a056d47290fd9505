//! Whether an application syncs by itself.

use argosy_crds::Application;
use argosy_crds::application::{
    Operation, OperationInitiator, OperationState, ResourceStatus, RetryStrategy, SyncOperation,
    SyncOperationResource, SyncPolicyAutomated,
};
use argosy_crds::codes::SyncStatusCode;
use jiff::{SignedDuration, Timestamp};

use super::pause::{Pause, pause_of};
use crate::windows;

/// Time between attempts to heal drift.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SelfHealBackoff {
    /// Before the second attempt.
    pub first: SignedDuration,
    /// How much longer each next wait is.
    pub factor: i32,
    /// The longest wait.
    pub cap: SignedDuration,
}

impl Default for SelfHealBackoff {
    /// Argo CD's: 2 seconds, three times longer each time, up to 5 minutes.
    fn default() -> Self {
        Self {
            first: SignedDuration::from_secs(2),
            factor: 3,
            cap: SignedDuration::from_mins(5),
        }
    }
}

impl SelfHealBackoff {
    /// The wait before another attempt, after so many; the first goes ahead at once.
    pub fn delay(&self, attempts: i64) -> SignedDuration {
        if attempts <= 0 {
            return SignedDuration::ZERO;
        }
        let mut delay = self.first;
        for _ in 1..attempts {
            if delay >= self.cap {
                break;
            }
            delay = delay.checked_mul(self.factor).unwrap_or(self.cap);
        }
        delay.min(self.cap)
    }
}

/// Half the shortest time after which drift counts as new.
const CALM: SignedDuration = SignedDuration::from_secs(30);

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
                message: format!(
                    "Failed last sync attempt to {}: {}",
                    input.revisions.join(","),
                    last.message
                ),
            };
        }
        if !policy.self_heal {
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
    if policy.prune && !policy.allow_empty && everything_goes {
        return AutoSync::Refuse {
            message: format!(
                "Skipping sync attempt to {}: auto-sync will wipe out all resources",
                input.revisions.join(",")
            ),
        };
    }
    AutoSync::Sync(Box::new(operation))
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
    } else if !policy.prune && only_prunes(input.resources) {
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

/// How often healing has been tried without lasting. Drift that comes after a quiet time is a new
/// one: whoever changes something by hand now and then is not fighting, and is not made to wait.
fn attempts(input: &AutoSyncInput<'_>, last: &OperationState) -> i64 {
    let sync = last.operation.sync.as_ref();
    let attempts = sync.map_or(0, |sync| sync.auto_heal_attempts_count);
    let calm = input
        .self_heal
        .delay(attempts)
        .max(CALM)
        .checked_mul(2)
        .unwrap_or(CALM);
    match &last.finished_at {
        Some(at) if input.now.duration_since(at.0) > calm => 0,
        _ => attempts,
    }
}

/// Turns the operation into one that heals what differs; the error is when that is due.
fn heal(
    input: &AutoSyncInput<'_>,
    last: &OperationState,
    operation: &mut Operation,
) -> Result<(), Timestamp> {
    let attempts = attempts(input, last);
    if let Some(finished_at) = &last.finished_at {
        let due = finished_at
            .0
            .saturating_add(input.self_heal.delay(attempts))
            .unwrap_or(finished_at.0);
        if input.now < due {
            return Err(due);
        }
    }
    if let Some(sync) = &mut operation.sync {
        sync.auto_heal_attempts_count = attempts + 1;
        sync.resources = differing(input.resources);
    }
    Ok(())
}

fn operation(input: &AutoSyncInput<'_>, automated: &SyncPolicyAutomated) -> Operation {
    let spec = &input.application.spec;
    let policy = spec.sync_policy.as_ref();
    let many = spec.has_multiple_sources();
    let sources = spec.sources().into_owned();
    let mut sync = SyncOperation {
        prune: automated.prune,
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

#[cfg(test)]
mod tests {
    use argosy_crds::application::{ApplicationStatus, SyncOperationResult};
    use argosy_crds::codes::OperationPhase;
    use serde_json::json;

    use super::*;

    fn application(automated: &serde_json::Value) -> Application {
        serde_json::from_value(json!({
            "metadata": {"name": "web", "namespace": "argocd"},
            "spec": {"project": "default", "destination": {"name": "in-cluster"},
                "source": {"repoURL": "https://git.example.com/a", "path": "p"},
                "syncPolicy": {"automated": automated}},
        }))
        .unwrap()
    }

    fn resource(requires_pruning: bool) -> ResourceStatus {
        ResourceStatus {
            kind: "ConfigMap".into(),
            name: "a".into(),
            status: Some(SyncStatusCode::OutOfSync),
            requires_pruning,
            ..ResourceStatus::default()
        }
    }

    fn decide(application: &Application, resources: &[ResourceStatus], now: &str) -> AutoSync {
        decide_with(application, resources, None, now)
    }

    fn decide_with(
        application: &Application,
        resources: &[ResourceStatus],
        blind: Option<Blind>,
        now: &str,
    ) -> AutoSync {
        decide_automated(&AutoSyncInput {
            application,
            status: SyncStatusCode::OutOfSync,
            resources,
            revisions: &["abc".to_owned()],
            content_changed: true,
            windows: &windows::Verdict::NoWindows,
            self_heal: SelfHealBackoff::default(),
            blind,
            now: now.parse().unwrap(),
        })
    }

    const NOW: &str = "2026-03-04T05:06:07Z";

    fn after(application: &mut Application, phase: OperationPhase, attempts: i64) {
        let source = application.spec.source.clone();
        let mut state = OperationState {
            phase,
            message: "it went wrong".into(),
            sync_result: Some(SyncOperationResult {
                revision: "abc".into(),
                source,
                ..SyncOperationResult::default()
            }),
            finished_at: serde_json::from_value(json!(NOW)).unwrap(),
            ..OperationState::default()
        };
        state.operation.sync = Some(SyncOperation {
            auto_heal_attempts_count: attempts,
            ..SyncOperation::default()
        });
        application.status = Some(ApplicationStatus {
            operation_state: Some(state),
            ..ApplicationStatus::default()
        });
    }

    #[test]
    fn a_change_is_synced_with_retries() {
        let AutoSync::Sync(operation) = decide(&application(&json!({})), &[resource(false)], NOW)
        else {
            panic!("no sync");
        };
        assert_eq!(operation.retry.map(|retry| retry.limit), Some(5));
        let sync = operation.sync.unwrap();
        assert_eq!((sync.revision.as_str(), sync.resources.len()), ("abc", 0));
    }

    #[test]
    fn nothing_happens_without_need_or_leave() {
        let off = application(&json!({"enabled": false}));
        assert_eq!(decide(&off, &[], NOW), AutoSync::Skip(Skip::NotAutomated));
        let on = application(&json!({}));
        assert_eq!(
            decide(&on, &[resource(true)], NOW),
            AutoSync::Skip(Skip::OnlyPrunes)
        );
        let pruning = application(&json!({"prune": true}));
        assert_eq!(
            decide(&pruning, &[resource(true)], NOW),
            AutoSync::Refuse {
                message: "Skipping sync attempt to abc: auto-sync will wipe out all resources"
                    .into()
            }
        );
    }

    #[test]
    fn a_pause_holds_syncs_and_healing_back_until_it_is_over() {
        let mut paused = application(&json!({"selfHeal": true}));
        after(&mut paused, OperationPhase::Succeeded, 0);
        let until = "2026-03-04T06:00:00Z";
        paused.metadata.annotations =
            Some([("argosy.dev/paused-until".to_owned(), until.to_owned())].into());
        let decide_at = |now| decide(&paused, &[resource(false)], now);
        let until = until.parse().ok();
        assert_eq!(decide_at(NOW), AutoSync::Skip(Skip::Paused { until }));
        assert!(matches!(
            decide_at("2026-03-04T06:00:00Z"),
            AutoSync::Sync(_)
        ));
    }

    #[test]
    fn a_failure_is_not_repeated_and_a_success_is_healed_with_patience() {
        let mut failed = application(&json!({"selfHeal": true}));
        after(&mut failed, OperationPhase::Failed, 0);
        assert!(matches!(
            decide(&failed, &[resource(false)], NOW),
            AutoSync::Refuse { .. }
        ));
        let mut done = application(&json!({}));
        after(&mut done, OperationPhase::Succeeded, 0);
        assert_eq!(
            decide(&done, &[resource(false)], NOW),
            AutoSync::Skip(Skip::AlreadySynced)
        );
        let mut healing = application(&json!({"selfHeal": true}));
        after(&mut healing, OperationPhase::Succeeded, 2);
        assert!(matches!(
            decide(&healing, &[resource(false)], NOW),
            AutoSync::HealLater { .. }
        ));
        let AutoSync::Sync(operation) =
            decide(&healing, &[resource(false)], "2026-03-04T05:06:13Z")
        else {
            panic!("no sync");
        };
        let sync = operation.sync.unwrap();
        assert_eq!(
            (sync.auto_heal_attempts_count, sync.resources.len()),
            (3, 1)
        );
    }

    fn unseen() -> ResourceStatus {
        ResourceStatus {
            status: Some(SyncStatusCode::Unknown),
            ..resource(false)
        }
    }

    #[test]
    fn what_can_be_seen_is_synced_and_the_whole_once_everything_can() {
        let all = [resource(false), unseen()];
        let app = application(&json!({}));
        let blind = |has_hooks| Some(Blind { has_hooks });
        let AutoSync::Sync(part) = decide_with(&app, &all, blind(false), NOW) else {
            panic!("no sync");
        };
        assert_eq!(part.sync.as_ref().unwrap().resources.len(), 1);
        let held = decide_with(&app, &all, blind(true), NOW);
        assert_eq!(held, AutoSync::Skip(Skip::Unseen));
        // The part is not tried again, and does not stand for the whole.
        let mut synced = app.clone();
        after(&mut synced, OperationPhase::Succeeded, 0);
        let status = synced.status.as_mut().unwrap();
        status.operation_state.as_mut().unwrap().operation = *part;
        let again = decide_with(&synced, &all, blind(false), NOW);
        assert_eq!(again, AutoSync::Skip(Skip::AlreadySynced));
        let AutoSync::Sync(whole) = decide(&synced, &all[..1], NOW) else {
            panic!("no sync");
        };
        assert!(whole.sync.unwrap().resources.is_empty());
    }

    #[test]
    fn what_cannot_be_seen_is_no_reason_to_prune_all_the_rest() {
        let app = application(&json!({"prune": true}));
        let blind = Some(Blind { has_hooks: false });
        let verdict = decide_with(&app, &[resource(true), unseen()], blind, NOW);
        assert!(matches!(verdict, AutoSync::Refuse { .. }), "{verdict:?}");
    }

    #[test]
    fn drift_after_a_quiet_time_is_healed_as_if_it_were_the_first() {
        let mut application = application(&json!({"selfHeal": true}));
        after(&mut application, OperationPhase::Succeeded, 6);
        let decide_at = |now| decide(&application, &[resource(false)], now);
        let AutoSync::Sync(fighting) = decide_at("2026-03-04T05:11:10Z") else {
            panic!("no sync")
        };
        assert_eq!(fighting.sync.unwrap().auto_heal_attempts_count, 7);
        let AutoSync::Sync(calm) = decide_at("2026-03-04T05:26:07Z") else {
            panic!("no sync")
        };
        assert_eq!(calm.sync.unwrap().auto_heal_attempts_count, 1);
    }

    #[test]
    fn waits_between_healing_grow() {
        let waits: Vec<_> = (0..7)
            .map(|n| SelfHealBackoff::default().delay(n).as_secs())
            .collect();
        assert_eq!(waits, [0, 2, 6, 18, 54, 162, 300]);
    }
}
