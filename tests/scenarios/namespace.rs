//! The destination's namespace: made and marked once, and not written while it stays so.

use argosy_test_support::manifest::{automated, config};
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::json;

use crate::fleet::Fleet;

#[tokio::test(flavor = "multi_thread")]
async fn a_marked_namespace_is_written_only_when_it_or_its_marks_changed() {
    let fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[("web/a.yaml", &config("a", "0", ""))]);
    let mut web = automated("web", &fleet.repo(), "web", &fleet.server("dev"));
    let marks = json!({"labels": {"team": "shop"}, "annotations": {"cost": "7"}});
    web["spec"]["syncPolicy"]["managedNamespaceMetadata"] = marks;
    fleet.apply(web).await;
    fleet.until_well("web").await;
    let synced = async |value: &str| {
        let revision = fleet.commit(&[("web/a.yaml", &config("a", value, ""))]);
        fleet.push();
        fleet
            .until("web", "at the newest revision", |app| {
                let history = app.status.iter().flat_map(|status| &status.history);
                history.clone().any(|entry| entry.revision == revision)
            })
            .await;
    };
    let writes = || {
        let requests = fleet.workload("dev").sim.requests();
        requests.count("patch", "namespaces")
    };
    synced("1").await;
    synced("2").await;
    assert_eq!(writes(), 1, "it was there, and as it should be");

    let namespaces: Api<k8s_openapi::api::core::v1::Namespace> = Api::all(fleet.client_of("dev"));
    let by_hand = json!({"metadata": {"labels": {"team": null}}});
    namespaces
        .patch("web", &PatchParams::default(), &Patch::Merge(by_hand))
        .await
        .unwrap();
    synced("3").await;
    assert_eq!(writes(), 3, "one by hand, and one that sets it right");
    let live = namespaces.get("web").await.unwrap().metadata;
    assert_eq!(live.labels.unwrap()["team"], "shop");
    assert_eq!(live.annotations.unwrap()["cost"], "7");
}
