//! What a sync does first, what it waits for, and what people can ask of it.

use std::time::Duration;

use argosy_crds::Application;
use argosy_crds::application::OperationState;
use argosy_crds::codes::{OperationPhase, SyncStatusCode};
use argosy_crds::names;
use argosy_sim::{Fault, Rule};
use serde_json::{Value, json};

use crate::fleet::Fleet;
use crate::program::argosy;
use argosy_test_support::manifest::{automated, config, deployment, hook, manual};

const CRD: &str = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: boats.example.com}\n\
    spec:\n  group: example.com\n  scope: Namespaced\n  names: {kind: Boat, plural: boats, singular: boat, listKind: BoatList}\n  \
    versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, \
    x-kubernetes-preserve-unknown-fields: true}}}]\n";
const BOAT: &str =
    "apiVersion: example.com/v1\nkind: Boat\nmetadata: {name: argo}\nspec: {oars: 50}\n";

fn state(app: &Application) -> OperationState {
    app.status.clone().unwrap().operation_state.unwrap()
}

fn result<'a>(
    state: &'a OperationState,
    name: &str,
) -> &'a argosy_crds::application::ResourceResult {
    let results = &state.sync_result.as_ref().unwrap().resources;
    results.iter().find(|one| one.name == name).unwrap()
}

/// When an object was created, by the order in which the cluster has taken it in.
async fn version(fleet: &Fleet, api: &str, kind: &str, place: &str) -> u64 {
    let live = fleet.live("dev", api, kind, place).await.unwrap();
    let managed = &live["metadata"]["uid"];
    assert!(managed.is_string(), "{live}");
    live["metadata"]["resourceVersion"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap()
}

#[expect(clippy::too_many_lines, reason = "one story, told in order")]
#[tokio::test(flavor = "multi_thread")]
async fn waves_come_one_after_the_other_and_hooks_before_and_after_them() {
    let fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[
        (
            "web/z.yaml",
            &config("early", "1", "argocd.argoproj.io/sync-wave: '-5'"),
        ),
        (
            "web/a.yaml",
            &config("late", "1", "argocd.argoproj.io/sync-wave: '5'"),
        ),
        ("web/m.yaml", &deployment("web", "web:1")),
        ("web/pre.yaml", &hook("migrate", "PreSync", "")),
        (
            "web/post.yaml",
            &hook(
                "notify",
                "PostSync",
                ", argocd.argoproj.io/hook-delete-policy: HookSucceeded",
            ),
        ),
        ("web/fail.yaml", &hook("undo", "SyncFail", "")),
    ]);
    fleet
        .apply(automated("web", &fleet.repo(), "web", &fleet.server("dev")))
        .await;
    let app = fleet.until_ended("web", OperationPhase::Succeeded).await;
    let state = state(&app);
    for name in ["migrate", "notify"] {
        assert_eq!(
            result(&state, name).hook_phase,
            Some(OperationPhase::Succeeded),
            "{name}: {state:?}"
        );
    }
    let early = version(&fleet, "v1", "ConfigMap", "web/early").await;
    let late = version(&fleet, "v1", "ConfigMap", "web/late").await;
    assert!(early < late);
    assert!(
        fleet
            .live("dev", "batch/v1", "Job", "web/migrate")
            .await
            .is_some(),
        "kept until the next sync"
    );
    assert!(
        fleet
            .live("dev", "batch/v1", "Job", "web/notify")
            .await
            .is_none(),
        "deleted as it asks"
    );
    assert!(
        fleet
            .live("dev", "batch/v1", "Job", "web/undo")
            .await
            .is_none(),
        "nothing failed"
    );
    fleet.nothing_is_written().await;

    fleet.commit(&[(
        "web/z.yaml",
        &config("early", "2", "argocd.argoproj.io/sync-wave: '-5'"),
    )]);
    let first = fleet
        .live("dev", "batch/v1", "Job", "web/migrate")
        .await
        .unwrap();
    fleet.push();
    fleet
        .until("web", "synced again", |app| {
            app.status.as_ref().unwrap().history.len() == 2
        })
        .await;
    let second = fleet
        .live("dev", "batch/v1", "Job", "web/migrate")
        .await
        .unwrap();
    assert_ne!(
        first["metadata"]["uid"], second["metadata"]["uid"],
        "it ran again"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_sync_runs_its_failure_hooks_and_leaves_later_waves_alone() {
    let fleet = Fleet::start(&["dev"]).await;
    let bad =
        "apiVersion: v1\nkind: Service\nmetadata: {name: bad}\nspec: {ports: [{port: 99999999}]}\n";
    fleet.commit(&[
        ("web/bad.yaml", bad),
        (
            "web/late.yaml",
            &config("late", "1", "argocd.argoproj.io/sync-wave: '1'"),
        ),
        ("web/fail.yaml", &hook("undo", "SyncFail", "")),
    ]);
    fleet
        .apply(manual("web", &fleet.repo(), "web", &fleet.server("dev")))
        .await;
    fleet.sync("web", json!({})).await;
    let app = fleet.until_ended("web", OperationPhase::Failed).await;
    let state = state(&app);
    assert!(
        state
            .message
            .contains("one or more objects failed to apply"),
        "{}",
        state.message
    );
    assert!(
        result(&state, "bad").message.contains("99999999"),
        "{state:?}"
    );
    assert_eq!(
        result(&state, "undo").hook_phase,
        Some(OperationPhase::Succeeded)
    );
    assert!(
        fleet
            .live("dev", "v1", "ConfigMap", "web/late")
            .await
            .is_none()
    );
    assert!(app.status.unwrap().history.is_empty());
    fleet
        .eventually("the failure was told", async || {
            let told = fleet.events("web").await;
            told.iter()
                .any(|(reason, text)| reason == "OperationCompleted" && text.contains("failed"))
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_definition_and_its_object_come_in_one_sync() {
    let fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[("web/a-boat.yaml", BOAT), ("web/crd.yaml", CRD)]);
    fleet
        .apply(automated("web", &fleet.repo(), "web", &fleet.server("dev")))
        .await;
    let app = fleet.until_well("web").await;
    assert_eq!(app.status.unwrap().history.len(), 1);
    assert!(
        fleet
            .live("dev", "example.com/v1", "Boat", "web/argo")
            .await
            .is_some()
    );
    fleet.nothing_is_written().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_pruned_last_goes_after_everything_is_applied() {
    let fleet = Fleet::start(&["dev"]).await;
    let last = "argocd.argoproj.io/sync-options: PruneLast=true";
    fleet.commit(&[
        ("web/old.yaml", &config("old", "1", last)),
        ("web/a.yaml", &config("a", "1", "")),
    ]);
    fleet
        .apply(automated("web", &fleet.repo(), "web", &fleet.server("dev")))
        .await;
    fleet.until_well("web").await;
    fleet.commit(&[
        ("web/old.yaml", ""),
        (
            "web/new.yaml",
            &config("new", "1", "argocd.argoproj.io/sync-wave: '4'"),
        ),
    ]);
    fleet.push();
    let app = fleet
        .until("web", "synced again", |app| {
            app.status.as_ref().unwrap().history.len() == 2
        })
        .await;
    let state = state(&app);
    let names: Vec<_> = state
        .sync_result
        .as_ref()
        .unwrap()
        .resources
        .iter()
        .map(|one| one.name.as_str())
        .collect();
    assert_eq!(names.last(), Some(&"old"));
    assert!(
        fleet
            .live("dev", "v1", "ConfigMap", "web/old")
            .await
            .is_none()
    );
    assert!(
        fleet
            .live("dev", "v1", "ConfigMap", "web/a")
            .await
            .is_some()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn people_ask_for_revisions_parts_and_dry_runs() {
    let fleet = Fleet::start(&["dev"]).await;
    let old = fleet.commit(&[
        ("web/a.yaml", &config("a", "1", "")),
        ("web/b.yaml", &config("b", "1", "")),
    ]);
    fleet.commit(&[("web/a.yaml", &config("a", "2", "")), ("web/b.yaml", "")]);
    let mut app = manual("web", &fleet.repo(), "web", &fleet.server("dev"));
    app["spec"]["syncPolicy"] = json!({"syncOptions": ["CreateNamespace=true"]});
    fleet.apply(app).await;
    fleet
        .until("web", "compared", |app| {
            app.status
                .as_ref()
                .is_some_and(|status| status.sync.status == SyncStatusCode::OutOfSync)
        })
        .await;
    let writes = fleet.workload("dev").sim.requests().writes();
    fleet.nothing_is_written().await;
    assert_eq!(writes, 0, "nobody asked for a sync");

    fleet.sync("web", json!({"revision": old})).await;
    let app = fleet.until_ended("web", OperationPhase::Succeeded).await;
    assert_eq!(state(&app).sync_result.unwrap().revision, old);
    let seen = &fleet;
    let value = |name: &'static str| async move {
        let live = seen
            .live("dev", "v1", "ConfigMap", &format!("web/{name}"))
            .await;
        live.map(|live| live["data"]["a"].clone())
    };
    assert_eq!(value("a").await, Some(json!("1")));

    fleet
        .sync("web", json!({"dryRun": true, "prune": true}))
        .await;
    let app = fleet
        .until("web", "dry", |app| {
            app.operation.is_none() && state(app).operation.sync.unwrap().dry_run
        })
        .await;
    assert_eq!(
        app.status.unwrap().history.len(),
        1,
        "a dry run deploys nothing"
    );
    assert_eq!(
        (value("a").await, value("b").await.is_some()),
        (Some(json!("1")), true)
    );

    let one = json!([{"kind": "ConfigMap", "name": "a", "group": ""}]);
    fleet.sync("web", json!({"resources": one})).await;
    fleet
        .until("web", "partly synced", |app| {
            app.operation.is_none() && !state(app).operation.sync.unwrap().resources.is_empty()
        })
        .await;
    assert_eq!(
        (value("a").await, value("b").await.is_some()),
        (Some(json!("2")), true)
    );

    fleet.sync("web", json!({"prune": true})).await;
    let app = fleet.until_well("web").await;
    assert!(value("b").await.is_none());
    assert_eq!(app.status.unwrap().history.len(), 2);
    fleet
        .eventually("four ends were told", async || {
            let told = fleet.events("web").await;
            told.iter()
                .filter(|(reason, _)| reason == "OperationCompleted")
                .count()
                == 4
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operation_that_is_asked_for_while_another_runs_comes_next() {
    let fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[
        ("web/pre.yaml", &hook("migrate", "PreSync", "")),
        ("web/a.yaml", &config("a", "1", "")),
    ]);
    fleet
        .apply(automated("web", &fleet.repo(), "web", &fleet.server("dev")))
        .await;
    fleet
        .until("web", "running", |app| {
            app.status
                .as_ref()
                .is_some_and(|status| status.operation_state.is_some())
        })
        .await;
    fleet.sync("web", json!({"prune": true})).await;
    let app = fleet
        .until("web", "synced twice", |app| {
            app.status.as_ref().unwrap().history.len() == 2
        })
        .await;
    assert_eq!(state(&app).operation.initiated_by.username, "ada");
    assert!(app.operation.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_sync_can_be_ended() {
    let mut fleet = Fleet::start(&["dev"]).await;
    let suspended = hook("migrate", "PreSync", "")
        .replace("spec:\n  template", "spec:\n  suspend: true\n  template");
    fleet.commit(&[
        ("web/pre.yaml", &suspended),
        ("web/a.yaml", &config("a", "1", "")),
    ]);
    fleet
        .apply(manual("web", &fleet.repo(), "web", &fleet.server("dev")))
        .await;
    for restarted in [false, true] {
        fleet.sync("web", json!({})).await;
        fleet
            .eventually("the hook runs", async || {
                fleet
                    .live("dev", "batch/v1", "Job", "web/migrate")
                    .await
                    .is_some()
            })
            .await;
        if restarted {
            fleet.restart_hub();
        }
        fleet
            .change(
                "web",
                json!({"status": {"operationState": {"phase": "Terminating"}}}),
            )
            .await;
        let app = fleet.until_ended("web", OperationPhase::Failed).await;
        assert_eq!(state(&app).message, "Operation terminated");
        fleet
            .eventually("the hook is gone", async || {
                fleet
                    .live("dev", "batch/v1", "Job", "web/migrate")
                    .await
                    .is_none()
            })
            .await;
    }
    assert!(
        fleet
            .live("dev", "v1", "ConfigMap", "web/a")
            .await
            .is_none()
    );
    fleet.nothing_is_written().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_can_be_ended_although_its_cluster_answers_nothing() {
    let fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[
        ("web/pre.yaml", &hook("migrate", "PreSync", "")),
        ("web/a.yaml", &config("a", "1", "")),
    ]);
    let silent = Rule {
        verb: Some("patch".to_owned()),
        ..Rule::all(Fault::Slow(Duration::from_hours(1)))
    };
    let faults = fleet.workload("dev").sim.faults();
    faults.add(silent);
    fleet
        .apply(manual("web", &fleet.repo(), "web", &fleet.server("dev")))
        .await;
    fleet.sync("web", json!({})).await;
    let terminating = json!({"status": {"operationState": {"phase": "Terminating"}}});
    let requests = fleet.workload("dev").sim.requests();
    fleet
        .eventually("the cluster was asked", async || {
            requests.count("patch", "namespaces") > 0
        })
        .await;
    fleet.change("web", terminating).await;
    let app = fleet.until_ended("web", OperationPhase::Failed).await;
    let message = state(&app).message;
    assert!(message.starts_with("Operation terminated;"), "{message}");

    faults.clear();
    fleet.sync("web", json!({})).await;
    fleet.until_ended("web", OperationPhase::Succeeded).await;
    let live = fleet.live("dev", "v1", "ConfigMap", "web/a").await;
    assert!(live.is_some());
    fleet.nothing_is_written().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_sync_is_tried_again_until_it_goes_well() {
    let fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[("web/a.yaml", &config("a", "1", ""))]);
    let dev = &fleet.workload("dev").sim;
    dev.faults().add(Rule {
        verb: Some("patch".into()),
        resource: Some("configmaps".into()),
        fault: Fault::Fail {
            code: 500,
            message: "not today".into(),
        },
        times: Some(2),
    });
    let mut app = automated("web", &fleet.repo(), "web", &fleet.server("dev"));
    app["spec"]["syncPolicy"]["retry"] =
        json!({"limit": 3, "backoff": {"duration": "100ms", "factor": 1, "maxDuration": "1s"}});
    fleet.apply(app).await;
    let app = fleet.until_well("web").await;
    let state = state(&app);
    assert_eq!(
        (state.phase, state.retry_count),
        (OperationPhase::Succeeded, 2)
    );
    fleet.nothing_is_written().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_window_holds_syncs_back_until_it_opens() {
    let fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[("web/a.yaml", &config("a", "1", ""))]);
    let project = |windows: Value| {
        json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject", "metadata": {"name": "calm"},
               "spec": {"sourceRepos": ["*"], "destinations": [{"server": "*", "namespace": "*"}],
                        "clusterResourceWhitelist": [{"group": "*", "kind": "*"}], "syncWindows": windows}})
    };
    let closed =
        json!([{"kind": "deny", "schedule": "* * * * *", "duration": "1h", "applications": ["*"]}]);
    fleet.apply(project(closed)).await;
    let mut app = automated("web", &fleet.repo(), "web", &fleet.server("dev"));
    app["spec"]["project"] = json!("calm");
    fleet.apply(app).await;
    let out_of_sync = |app: &Application| {
        app.status
            .as_ref()
            .is_some_and(|status| status.sync.status == SyncStatusCode::OutOfSync)
    };
    fleet.until("web", "compared", out_of_sync).await;
    fleet.sync("web", json!({})).await;
    let held = |app: &Application| {
        let state = app
            .status
            .as_ref()
            .and_then(|status| status.operation_state.as_ref());
        state.is_some_and(|state| state.message == "Sync operation blocked by sync window")
    };
    let app = fleet.until("web", "held back", held).await;
    assert!(app.operation.is_some(), "it is not forgotten");
    fleet.nothing_is_written().await;
    assert_eq!(fleet.workload("dev").sim.requests().writes(), 0);
    fleet.apply(project(json!([]))).await;
    let app = fleet.until_well("web").await;
    assert_eq!(state(&app).operation.initiated_by.username, "ada");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_asks_the_repository_and_is_taken_off_when_it_is_done() {
    let fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[("web/a.yaml", &config("a", "1", ""))]);
    fleet
        .apply(automated("web", &fleet.repo(), "web", &fleet.server("dev")))
        .await;
    fleet.until_well("web").await;
    for (kind, value) in [("normal", "2"), ("hard", "3")] {
        let commit = fleet.commit(&[("web/a.yaml", &config("a", value, ""))]);
        fleet
            .change(
                "web",
                json!({"metadata": {"annotations": {names::annotation::REFRESH: kind}}}),
            )
            .await;
        fleet
            .until("web", "refreshed", |app| {
                app.annotation(names::annotation::REFRESH).is_none()
                    && app.status.as_ref().unwrap().sync.revision == commit
                    && argosy_test_support::wait::is_well(app)
            })
            .await;
        let live = fleet.live("dev", "v1", "ConfigMap", "web/a").await.unwrap();
        assert_eq!(live["data"]["a"], json!(value));
    }
    fleet.nothing_is_written().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prune_that_asks_for_confirmation_waits_for_it() {
    let fleet = Fleet::start(&["dev"]).await;
    let careful = "argocd.argoproj.io/sync-options: Prune=confirm";
    fleet.commit(&[
        ("web/a.yaml", &config("a", "1", "")),
        ("web/b.yaml", &config("b", "1", careful)),
    ]);
    fleet
        .apply(automated("web", &fleet.repo(), "web", &fleet.server("dev")))
        .await;
    fleet.until_well("web").await;
    fleet.commit(&[("web/b.yaml", "")]);
    fleet.push();
    let asks = |app: &Application| {
        state(app)
            .message
            .contains("Waiting for pruning confirmation of")
    };
    let app = fleet.until("web", "asking", asks).await;
    assert!(
        fleet
            .live("dev", "v1", "ConfigMap", "web/b")
            .await
            .is_some()
    );
    let at = state(&app).started_at.unwrap().0 + jiff::SignedDuration::from_secs(1);
    let approved = json!({"argocd.argoproj.io/deletion-approved": format!("{at:.0}")});
    fleet
        .change("web", json!({"metadata": {"annotations": approved}}))
        .await;
    fleet.until_well("web").await;
    assert!(
        fleet
            .live("dev", "v1", "ConfigMap", "web/b")
            .await
            .is_none()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_goes_to_the_newest_revision_where_that_is_asked_for() {
    let fleet = Fleet::start(&["dev"]).await;
    let first = fleet.commit(&[("web/a.yaml", &config("a", "1", ""))]);
    let second = fleet.commit(&[("web/a.yaml", &config("a", "2", ""))]);
    fleet
        .apply(manual("web", &fleet.repo(), "web", &fleet.server("dev")))
        .await;
    let faults = fleet.workload("dev").sim.faults();
    for (refresh, synced) in [(false, &first), (true, &second)] {
        faults.add(Rule {
            verb: Some("patch".into()),
            resource: Some("configmaps".into()),
            fault: Fault::Fail {
                code: 500,
                message: "not today".into(),
            },
            times: None,
        });
        let backoff = json!({"duration": "50ms", "factor": 1, "maxDuration": "50ms"});
        let retry = json!({"limit": -1, "refresh": refresh, "backoff": backoff});
        let sync = json!({"revision": first, "syncOptions": ["CreateNamespace=true"]});
        let operation = json!({"operation": {"sync": sync, "retry": retry}});
        fleet.change("web", operation).await;
        let app = fleet
            .until("web", "tried again", |app| {
                let status = app.status.clone().unwrap_or_default();
                let state = status.operation_state.unwrap_or_default();
                let asked = state.operation.retry.is_some_and(|retry| retry.refresh);
                state.retry_count > 0 && asked == refresh
            })
            .await;
        assert_eq!(state(&app).phase, OperationPhase::Running);
        faults.clear();
        let app = fleet.until_ended("web", OperationPhase::Succeeded).await;
        assert_eq!(state(&app).sync_result.unwrap().revision, *synced);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_sync_would_do_is_shown_before_anybody_asks_for_it() {
    let fleet = Fleet::start(&["dev"]).await;
    let late = "argocd.argoproj.io/sync-wave: '1'";
    fleet.commit(&[
        ("web/migrate.yaml", &hook("migrate", "PreSync", "")),
        ("web/a.yaml", &config("a", "1", "")),
        ("web/b.yaml", &config("b", "1", late)),
        ("web/c.yaml", &config("c", "1", "")),
    ]);
    fleet
        .apply(manual("web", &fleet.repo(), "web", &fleet.server("dev")))
        .await;
    fleet.sync("web", json!({})).await;
    fleet.until_ended("web", OperationPhase::Succeeded).await;
    fleet.commit(&[("web/c.yaml", "")]);
    let kubeconfig = fleet.hub_kubeconfig().await;
    let planned = async |more: &[&str]| {
        let args = ["app", "sync-plan", "web"];
        let args: Vec<_> = args.iter().chain(more).copied().collect();
        let answer = argosy(kubeconfig.path(), &args).await;
        assert_eq!(answer.code, 0, "{answer:?}");
        answer
    };
    let place =
        |text: &str, part: &str| text.find(part).unwrap_or_else(|| panic!("{part}: {text}"));
    let tree = planned(&["--prune"]).await.text;
    assert!(tree.contains("prune /ConfigMap/web/c"), "{tree}");
    let order = [
        "PreSync",
        "hook batch/Job/web/migrate",
        "apply /ConfigMap/web/a",
        "apply /ConfigMap/web/b",
    ];
    let places: Vec<_> = order.iter().map(|part| place(&tree, part)).collect();
    assert!(places.is_sorted(), "{tree}");
    let groups = planned(&["-o", "json", "--skip-hooks"]).await.json();
    assert_eq!(groups["groups"].as_array().unwrap().len(), 2, "{groups}");
    let shown = planned(&["-o", "mermaid"]).await.text;
    assert!(shown.starts_with("flowchart"), "{shown}");
    fleet.nothing_is_written().await;
}
