//! Drift is healed where nobody syncs automatically, towards what was synced last.

use argosy_crds::codes::{OperationPhase, SyncStatusCode};
use argosy_test_support::manifest::{config, manual};
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use crate::fleet::Fleet;

async fn values(fleet: &Fleet) -> Option<(Value, Value)> {
    let a = fleet.live("dev", "v1", "ConfigMap", "web/a").await?;
    let b = fleet.live("dev", "v1", "ConfigMap", "web/b").await?;
    Some((a["data"]["a"].clone(), b["data"]["a"].clone()))
}

#[tokio::test(flavor = "multi_thread")]
async fn with_automated_sync_off_drift_goes_back_to_the_last_good_revision() {
    let fleet = Fleet::start(&["dev"]).await;
    let good = fleet.commit(&[
        ("web/a.yaml", &config("a", "1", "")),
        ("web/b.yaml", &config("b", "1", "")),
    ]);
    let mut web = manual("web", &fleet.repo(), "web", &fleet.server("dev"));
    web["metadata"]["annotations"] = json!({"argosy.dev/self-heal": "current"});
    fleet.apply(web).await;
    fleet.sync("web", json!({})).await;
    fleet.until_ended("web", OperationPhase::Succeeded).await;
    let newer = fleet.commit(&[("web/b.yaml", &config("b", "2", ""))]);
    fleet.push();
    fleet
        .until("web", "behind", |app| {
            let sync = app.status.as_ref().map(|status| &status.sync);
            sync.is_some_and(|sync| {
                sync.status == SyncStatusCode::OutOfSync && sync.revision == newer
            })
        })
        .await;

    let maps: Api<k8s_openapi::api::core::v1::ConfigMap> =
        Api::namespaced(fleet.client_of("dev"), "web");
    let drift = json!({"data": {"a": "by hand"}});
    maps.patch("a", &PatchParams::default(), &Patch::Merge(drift))
        .await
        .unwrap();
    let healed = fleet
        .until("web", "healed", |app| {
            let state = app
                .status
                .as_ref()
                .and_then(|status| status.operation_state.as_ref());
            state.is_some_and(|state| {
                state.phase == OperationPhase::Succeeded && state.operation.initiated_by.automated
            })
        })
        .await;
    assert_eq!(values(&fleet).await, Some((json!("1"), json!("1"))));
    let status = healed.status.unwrap();
    let result = status.operation_state.unwrap().sync_result.unwrap();
    assert_eq!(result.revision, good, "the newer commit waits for a person");
    assert_eq!(status.history.len(), 1);
    fleet.nothing_is_written().await;
}
