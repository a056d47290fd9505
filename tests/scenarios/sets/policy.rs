//! What a policy allows a set to do.

use argosy_test_support::manifest::config;
use serde_json::json;

use super::{set, until_clean, until_listed, until_names};
use crate::fleet::Fleet;

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_keeps_a_set_from_updating_or_deleting() {
    let fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[
        ("web/a.yaml", &config("a", "1", "")),
        ("two/a.yaml", &config("a", "1", "")),
    ]);
    for (policy, updates, deletes) in [
        ("create-only", false, false),
        ("create-update", true, false),
        ("create-delete", false, true),
    ] {
        let names = [format!("{policy}-a"), format!("{policy}-b")];
        let with = |path: &str, apps: &[&str]| {
            let elements: Vec<_> = apps.iter().map(|app| json!({"app": app})).collect();
            let list = json!([{"list": {"elements": elements}}]);
            let mut set = set(
                policy,
                true,
                &list,
                &format!("{policy}-{{{{.app}}}}"),
                path,
                &fleet,
            );
            set["spec"]["syncPolicy"] = json!({"applicationsSync": policy});
            set
        };
        fleet.apply(with("web", &["a", "b"])).await;
        for name in &names {
            fleet
                .eventually("it is created", async || {
                    fleet.applications().get_opt(name).await.unwrap().is_some()
                })
                .await;
        }
        fleet.apply(with("two", &["a", "c"])).await;
        let new = format!("{policy}-c");
        fleet
            .eventually("the new one is created", async || {
                fleet.applications().get_opt(&new).await.unwrap().is_some()
            })
            .await;
        until_listed(&fleet, policy, &new).await;
        let path = |app: argosy_crds::Application| app.spec.sources()[0].path.clone();
        let first = fleet.applications().get(&names[0]).await.unwrap();
        assert_eq!(path(first) == "two", updates, "{policy}");
        fleet
            .eventually("the second is as the policy says", async || {
                fleet
                    .applications()
                    .get_opt(&names[1])
                    .await
                    .unwrap()
                    .is_none()
                    == deletes
            })
            .await;
    }
}

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
