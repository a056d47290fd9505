//! A newer revision replaces a sync that waits.

use argosy_crds::Application;
use argosy_crds::codes::{OperationPhase, SyncStatusCode};
use serde_json::{Value, json};

use crate::faults::fails;
use crate::fleet::Fleet;
use argosy_test_support::manifest::{automated, config};

/// Counts ConfigMaps that say so as not ready yet.
const HEALTH: &str = "hs = {status = 'Healthy'}\nif obj.data.a == 'stuck' then hs.status = 'Progressing' end\nreturn hs";

#[tokio::test(flavor = "multi_thread")]
async fn a_wave_that_never_gets_well_does_not_hold_up_the_commit_that_mends_it() {
    let fleet = Fleet::start(&["dev"]).await;
    fleet
        .apply(
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "argocd-cm",
            "labels": {"app.kubernetes.io/part-of": "argocd"}},
            "data": {"resource.customizations.health.ConfigMap": HEALTH}}),
        )
        .await;
    let late = config("late", "1", "argocd.argoproj.io/sync-wave: '1'");
    fleet.commit(&[
        ("web/first.yaml", &config("first", "stuck", "")),
        ("web/late.yaml", &late),
    ]);
    fleet
        .apply(automated("web", &fleet.repo(), "web", &fleet.server("dev")))
        .await;
    fleet
        .eventually("the first wave is applied", async || {
            fleet
                .live("dev", "v1", "ConfigMap", "web/first")
                .await
                .is_some()
        })
        .await;
    assert!(
        fleet
            .live("dev", "v1", "ConfigMap", "web/late")
            .await
            .is_none()
    );

    let mended = fleet.commit(&[("web/first.yaml", &config("first", "well", ""))]);
    fleet.push();
    let app = fleet.until_well("web").await;
    assert_eq!(app.status.unwrap().sync.revision, mended);
    assert!(
        fleet
            .live("dev", "v1", "ConfigMap", "web/late")
            .await
            .is_some()
    );
    fleet
        .eventually("it is recorded", async || {
            let events = fleet.events("web").await;
            let text = format!("Operation superseded by revision {mended}");
            events.iter().any(|(_, message)| message.contains(&text))
        })
        .await;
    let namespaces = fleet
        .workload("dev")
        .sim
        .requests()
        .count("patch", "namespaces");
    assert_eq!(namespaces, 1, "the namespace was there for the second sync");
}

const SECRET: &str = "apiVersion: v1\nkind: Secret\nmetadata: {name: early}\n";

fn late(value: &str) -> String {
    config("late", value, "argocd.argoproj.io/sync-wave: '1'")
}

/// An application that is well, of which the next commit comes no further than to a Secret.
async fn stuck(retry: Value) -> Fleet {
    let fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[("web/late.yaml", &late("1"))]);
    let mut app = automated("web", &fleet.repo(), "web", &fleet.server("dev"));
    app["spec"]["syncPolicy"]["retry"] = retry;
    fleet.apply(app).await;
    fleet.until_well("web").await;
    let refused = fails("patch", "secrets", 500, None);
    fleet.workload("dev").sim.faults().add(refused);
    fleet.commit(&[("web/early.yaml", SECRET), ("web/late.yaml", &late("2"))]);
    fleet.push();
    fleet
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_sync_did_not_come_to_stays_out_of_sync() {
    let fleet = stuck(json!({"limit": 0})).await;
    let app = fleet.until_ended("web", OperationPhase::Failed).await;
    let status = app.status.unwrap();
    let of_late = status.resources.iter().find(|one| one.name == "late");
    assert_eq!(of_late.unwrap().status, Some(SyncStatusCode::OutOfSync));

    fleet.workload("dev").sim.faults().clear();
    fleet.commit(&[("web/more.yaml", &config("more", "1", ""))]);
    fleet.push();
    fleet.until_well("web").await;
    let late = fleet.live("dev", "v1", "ConfigMap", "web/late").await;
    assert_eq!(late.unwrap()["data"]["a"], "2");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_that_a_commit_makes_needless_ends() {
    let backoff = json!({"duration": "1h", "maxDuration": "1h"});
    let fleet = stuck(json!({"limit": 5, "backoff": backoff})).await;
    let waits = |app: &Application| {
        let state = app.status.clone().and_then(|status| status.operation_state);
        state.is_some_and(|state| state.retry_count > 0)
    };
    fleet.until("web", "waiting for its retry", waits).await;
    let back = fleet.commit(&[("web/early.yaml", ""), ("web/late.yaml", &late("1"))]);
    fleet.push();
    let app = fleet.until_ended("web", OperationPhase::Failed).await;
    let status = app.status.unwrap();
    let message = status.operation_state.unwrap().message;
    assert_eq!(message, format!("Operation superseded by revision {back}"));
    assert_eq!(status.sync.status, SyncStatusCode::Synced);
}
