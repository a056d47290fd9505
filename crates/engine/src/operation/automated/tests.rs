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
            message: "Skipping sync attempt to abc: auto-sync will wipe out all resources".into()
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
    let AutoSync::Sync(operation) = decide(&healing, &[resource(false)], "2026-03-04T05:06:13Z")
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
    let mut synced = app;
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
