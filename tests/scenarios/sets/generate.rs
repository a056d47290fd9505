//! The applications of a set follow the registered clusters.

use argosy_test_support::manifest::config;
use kube::Api;
use kube::api::DeleteParams;
use serde_json::json;

use super::{names, set, until_error, until_names};
use crate::fleet::Fleet;

#[tokio::test(flavor = "multi_thread")]
async fn a_set_follows_the_registered_clusters() {
    let mut fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[("web/a.yaml", &config("a", "1", ""))]);
    let all = json!([{"clusters": {"selector": {"matchExpressions": [{"key": "env", "operator": "Exists"}]}}}]);
    fleet
        .apply(set("fleet", true, &all, "web-{{.name}}", "web", &fleet))
        .await;
    until_names(&fleet, &["web-dev"]).await;
    fleet.add_cluster("prod").await;
    until_names(&fleet, &["web-dev", "web-prod"]).await;
    let secrets: Api<k8s_openapi::api::core::v1::Secret> =
        Api::namespaced(fleet.client.clone(), "argocd");
    secrets
        .delete("cluster-prod", &DeleteParams::default())
        .await
        .unwrap();
    until_names(&fleet, &["web-dev"]).await;

    // A Secret that lost its server hides a cluster; its application is not taken for surplus.
    let nameless = json!({"data": {"server": null, "config": null}});
    secrets
        .patch(
            "cluster-dev",
            &kube::api::PatchParams::default(),
            &kube::api::Patch::Merge(nameless),
        )
        .await
        .unwrap();
    let why = until_error(&fleet, "fleet").await;
    assert!(why.contains("has no server"), "{why}");
    assert_eq!(names(&fleet).await.len(), 1);
}
