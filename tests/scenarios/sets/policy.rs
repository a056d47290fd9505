//! What a policy allows a set to do.

use argosy_test_support::manifest::config;
use serde_json::json;

use super::{set, until_clean, until_names};
use crate::fleet::Fleet;

#[tokio::test(flavor = "multi_thread")]
async fn the_hub_s_policy_counts_and_says_whether_sets_may_choose() {
    let fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[
        ("web/a.yaml", &config("a", "1", "")),
        ("two/a.yaml", &config("a", "1", "")),
    ]);
    let key = "applicationsetcontroller.policy";
    let choose = "applicationsetcontroller.enable.policy.override";
    let params = |may: &str| json!({key: "create-only", choose: may});
    fleet
        .configure("argocd-cmd-params-cm", params("false"))
        .await;
    fleet
        .eventually("the hub knows its policy", async || {
            fleet.hub.fleet.settings().sets.policy.is_some()
        })
        .await;
    let with = |path: &str| {
        let one = json!([{"list": {"elements": [{"app": "a"}]}}]);
        let mut set = set("one", true, &one, "{{.app}}", path, &fleet);
        set["spec"]["syncPolicy"] = json!({"applicationsSync": "sync"});
        set
    };
    fleet.apply(with("web")).await;
    until_names(&fleet, &["a"]).await;
    fleet.apply(with("two")).await;
    until_clean(&fleet, "one").await;
    fleet.nothing_is_written().await;
    let path = |app: &argosy_crds::Application| app.spec.sources()[0].path.clone();
    assert_eq!(path(&fleet.applications().get("a").await.unwrap()), "web");

    fleet
        .configure("argocd-cmd-params-cm", params("true"))
        .await;
    fleet.until("a", "updated", |app| path(app) == "two").await;
}
