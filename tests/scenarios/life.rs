//! The life of an application: it comes, it changes, it is healed, it goes.

use kube::api::{ApiResource, DeleteParams, DynamicObject};
use kube::core::GroupVersionKind;
use kube::{Api, Client};
use serde_json::json;

use crate::fleet::Fleet;
use argosy_test_support::manifest::{automated, deployment};

const CONFIG: &str =
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {a: '1'}\n";

fn config_maps(client: Client, namespace: &str) -> Api<DynamicObject> {
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk("", "v1", "ConfigMap"));
    Api::namespaced_with(client, namespace, &resource)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_git_says_comes_up_changes_and_goes() {
    let fleet = Fleet::start(&["dev"]).await;
    let web = deployment("web", "web:1");
    fleet.commit(&[("web/deployment.yaml", &web), ("web/config.yaml", CONFIG)]);
    fleet
        .apply(automated("web", &fleet.repo(), "web", &fleet.server("dev")))
        .await;
    let app = fleet.until_well("web").await;
    assert_eq!(app.status.unwrap().history.len(), 1);

    let second = fleet.commit(&[
        ("web/deployment.yaml", &deployment("web", "web:2")),
        ("web/config.yaml", ""),
    ]);
    fleet.push();
    fleet
        .until("web", "at the second commit", |app| {
            let status = app.status.as_ref().unwrap();
            status.sync.revision == second && argosy_test_support::wait::is_well(app)
        })
        .await;
    let live = fleet
        .live("dev", "apps/v1", "Deployment", "web/web")
        .await
        .unwrap();
    assert_eq!(
        live["spec"]["template"]["spec"]["containers"][0]["image"],
        json!("web:2")
    );
    assert!(
        fleet
            .live("dev", "v1", "ConfigMap", "web/settings")
            .await
            .is_none()
    );

    fleet
        .applications()
        .delete("web", &DeleteParams::default())
        .await
        .unwrap();
    fleet
        .eventually("the application is gone", async || {
            fleet.applications().get_opt("web").await.unwrap().is_none()
        })
        .await;
    assert!(
        fleet
            .live("dev", "apps/v1", "Deployment", "web/web")
            .await
            .is_none()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_deletes_or_edits_comes_back() {
    let fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[("web/config.yaml", CONFIG)]);
    fleet
        .apply(automated("web", &fleet.repo(), "web", &fleet.server("dev")))
        .await;
    fleet.until_well("web").await;
    let live = config_maps(fleet.client_of("dev"), "web");
    live.delete("settings", &DeleteParams::default())
        .await
        .unwrap();
    fleet
        .eventually("the deleted object is back", async || {
            live.get_opt("settings").await.unwrap().is_some()
        })
        .await;
}
