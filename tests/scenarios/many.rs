//! An application of more resources than its status can tell of.

use argosy_crds::Application;
use argosy_crds::codes::SyncStatusCode;
use argosy_engine::status::size_of;
use argosy_test_support::manifest::{automated, config};
use argosy_test_support::wait::resource;
use kube::Api;
use kube::api::{DynamicObject, Patch, PatchParams};
use serde_json::json;

use crate::fleet::Fleet;

/// How many resources.
const RESOURCES: usize = 1700;

/// How many bytes etcd takes in one request.
const LARGEST: usize = 1536 * 1024;

fn name(at: usize) -> String {
    format!("{at:0>220}")
}

fn is_told(app: &Application) -> bool {
    let mut conditions = app.status.iter().flat_map(|status| &status.conditions);
    conditions.any(|one| one.type_ == "StatusTruncated")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_much_for_a_status_is_synced_and_healed_nevertheless() {
    let fleet = Fleet::start(&["dev"]).await;
    let manifests = (0..RESOURCES).map(|at| config(&name(at), "1", ""));
    let manifests: Vec<_> = manifests.collect();
    fleet.commit(&[("web/all.yaml", &manifests.join("---\n"))]);
    fleet
        .apply(automated("web", &fleet.repo(), "web", &fleet.server("dev")))
        .await;
    let app = fleet.until_well("web").await;
    assert!(is_told(&app));
    assert!(size_of(&app) < LARGEST, "{}", size_of(&app));
    let status = app.status.unwrap();
    assert_eq!(status.resources.len(), RESOURCES, "results go first");
    assert_eq!(status.sync.status, SyncStatusCode::Synced);
    let requests = fleet.workload("dev").sim.requests();
    assert_eq!(requests.count("patch", "configmaps"), RESOURCES as u64);

    let maps: Api<DynamicObject> =
        Api::namespaced_with(fleet.client_of("dev"), "web", &resource("v1", "ConfigMap"));
    let (last, params) = (name(RESOURCES - 1), PatchParams::default());
    let edit = Patch::Merge(json!({"data": {"a": "2"}}));
    maps.patch(&last, &params, &edit).await.unwrap();
    fleet
        .eventually("the edit is undone", async || {
            let live = maps.get(&last).await.unwrap();
            live.data["data"]["a"] == "1"
        })
        .await;
    fleet.until_well("web").await;
    fleet.nothing_is_written().await;
}
