//! Applications of two real clusters that depend on each other.

use argosy_crds::Application;
use argosy_test_support::manifest::{automated, config, manual};
use argosy_test_support::wait::eventually;
use kube::api::DeleteParams;
use serde_json::json;

use crate::controllers;
use crate::fleet::Fleet;

fn waits_for(app: &Application) -> Option<&str> {
    let mut conditions = app.status.iter().flat_map(|status| &status.conditions);
    let found = conditions.find(|one| one.type_ == "Waiting")?;
    Some(&found.message)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dependent_on_another_cluster_comes_after_and_goes_before() {
    let fleet = Fleet::start("hub-order").await;
    for cluster in [1, 2] {
        controllers::play(fleet.plane.client(cluster));
    }
    fleet.register_with_token("one", 1, json!({})).await;
    fleet.register_with_token("two", 2, json!({})).await;
    fleet.tree.commit(&[
        ("db/db.yaml", &config("db", "1", "")),
        ("web/web.yaml", &config("web", "1", "")),
    ]);
    let url = fleet.tree.url();
    let mut web = automated("order-web", &url, "web", fleet.server(2).url());
    web["metadata"]["annotations"] = json!({"argosy.dev/depends-on": "order-db"});
    fleet.apply(web).await;
    fleet
        .apply(manual("order-db", &url, "db", fleet.server(1).url()))
        .await;
    fleet
        .until("order-web", "waiting", |app| {
            waits_for(app) == Some("BlockedBy: hub-order/order-db (sync OutOfSync)")
        })
        .await;
    assert!(
        fleet
            .live(2, "v1", "ConfigMap", "order-web/web")
            .await
            .is_none()
    );

    fleet.sync("order-db").await;
    for name in ["order-db", "order-web"] {
        let app = fleet.until_well(name).await;
        assert_eq!(waits_for(&app), None, "{name}");
    }

    let applications = fleet.applications();
    for name in ["order-db", "order-web"] {
        let params = DeleteParams::default();
        applications.delete(name, &params).await.unwrap();
    }
    for name in ["order-web", "order-db"] {
        eventually("the application is gone", async || {
            let db = applications.get_opt("order-db").await.unwrap();
            let web = applications.get_opt("order-web").await.unwrap();
            assert!(db.is_some() || web.is_none(), "the dependency went first");
            applications.get_opt(name).await.unwrap().is_none()
        })
        .await;
    }
}
