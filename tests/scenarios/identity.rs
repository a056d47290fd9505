//! A cluster is known again, and another one at its address is not taken for it.

use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use crate::fleet::Fleet;
use argosy_test_support::manifest::{automated, config};
use argosy_test_support::wait::is_well;

async fn published(fleet: &Fleet) -> Value {
    let maps = fleet.objects(&json!("v1"), &json!("ConfigMap"));
    let map = maps.get_opt("argosy-cluster-info").await.unwrap();
    let text = map.and_then(|map| map.data["data"]["dev"].as_str().map(str::to_owned));
    serde_json::from_str(&text.unwrap_or_default()).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn another_cluster_behind_the_same_address_is_left_alone_until_a_person_agrees() {
    let mut fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[("web/a.yaml", &config("a", "1", ""))]);
    fleet
        .apply(automated("web", &fleet.repo(), "web", &fleet.server("dev")))
        .await;
    fleet.until_well("web").await;
    fleet
        .eventually("the cluster's identity is published", || async {
            published(&fleet).await["uid"].is_string()
        })
        .await;
    let mut info = published(&fleet).await;
    let found = info["uid"].as_str().unwrap().to_owned();

    // To a hub that remembers another cluster this one is a stranger.
    fleet.kill_hub();
    info["uid"] = json!("00000000-0000-4000-8000-000000000000");
    fleet
        .apply(json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"dev": info.to_string()},
            "metadata": {"name": "argosy-cluster-info", "labels": {"app.kubernetes.io/part-of": "argocd"}}}))
        .await;
    fleet.commit(&[("web/a.yaml", &config("a", "2", ""))]);
    let before = fleet.workload("dev").sim.requests().writes();
    fleet.restart_hub();
    let why = fleet.until_condition("web", "ComparisonError").await;
    assert!(
        why.contains("another cluster answers at this address"),
        "{why}"
    );
    assert!(
        why.contains(&format!("argosy.dev/cluster-uid: {found}")),
        "{why}"
    );
    assert_eq!(fleet.workload("dev").sim.requests().writes(), before);

    let agreed = json!({"metadata": {"annotations": {"argosy.dev/cluster-uid": found}}});
    fleet
        .objects(&json!("v1"), &json!("Secret"))
        .patch(
            "cluster-dev",
            &PatchParams::default(),
            &Patch::Merge(agreed),
        )
        .await
        .unwrap();
    let live = || fleet.live("dev", "v1", "ConfigMap", "web/a");
    fleet
        .eventually("the hub goes on", || async {
            live().await.unwrap()["data"]["a"] == json!("2")
        })
        .await;
    fleet.until("web", "well", is_well).await;
}
