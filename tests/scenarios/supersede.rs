//! A newer revision replaces a sync that waits.

use serde_json::json;

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
