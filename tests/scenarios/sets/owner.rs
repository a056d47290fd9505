//! Whose an application is, and what becomes of it when its set goes or somebody else changes it.

use argosy_test_support::manifest::config;
use kube::api::DeleteParams;
use serde_json::json;

use super::{set, sets, until_clean, until_error, until_names};
use crate::fleet::Fleet;

#[tokio::test(flavor = "multi_thread")]
async fn two_sets_with_one_name_leave_it_to_the_first() {
    let fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[
        ("web/a.yaml", &config("a", "1", "")),
        ("two/a.yaml", &config("a", "1", "")),
    ]);
    let one = json!([{"list": {"elements": [{"app": "shared"}]}}]);
    fleet
        .apply(set("first", true, &one, "{{.app}}", "web", &fleet))
        .await;
    until_names(&fleet, &["shared"]).await;
    until_clean(&fleet, "first").await;
    fleet
        .apply(set("second", true, &one, "{{.app}}", "two", &fleet))
        .await;
    let why = until_error(&fleet, "second").await;
    assert!(why.contains("shared"), "{why}");
    let app = fleet.applications().get("shared").await.unwrap();
    assert_eq!(app.spec.sources()[0].path, "web");
    let api = sets(&fleet);
    let api = &api;
    let contested = async || {
        let status = api.get("first").await.unwrap().status.unwrap_or_default();
        let mut conditions = status.conditions.into_iter();
        let found = conditions.find(|one| one.type_ == "NameContested");
        found.map(|one| one.message)
    };
    fleet
        .eventually("the first is told, too", async || {
            contested().await.is_some_and(|why| {
                why.starts_with("ApplicationSet second generates application shared, too")
            })
        })
        .await;
    until_clean(&fleet, "first").await;
    fleet.nothing_is_written().await;
    sets(&fleet)
        .delete("second", &DeleteParams::default())
        .await
        .unwrap();
    fleet
        .eventually("nobody contests the name", async || {
            contested().await.is_none()
        })
        .await;
    fleet.nothing_is_written().await;
    assert!(
        fleet
            .applications()
            .get_opt("shared")
            .await
            .unwrap()
            .is_some()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_that_somebody_changes_or_deletes_is_made_again() {
    let fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[("web/a.yaml", &config("a", "1", ""))]);
    let one = json!([{"list": {"elements": [{"app": "a"}]}}]);
    fleet
        .apply(set("one", true, &one, "{{.app}}", "web", &fleet))
        .await;
    until_names(&fleet, &["a"]).await;
    fleet
        .change("a", json!({"spec": {"source": {"path": "elsewhere"}}}))
        .await;
    fleet
        .until("a", "as generated", |app| {
            app.spec.sources()[0].path == "web"
        })
        .await;
    let before = fleet.applications().get("a").await.unwrap().metadata.uid;
    fleet
        .applications()
        .delete("a", &DeleteParams::default())
        .await
        .unwrap();
    fleet
        .eventually("it is there again", async || {
            let app = fleet.applications().get_opt("a").await.unwrap();
            app.is_some_and(|app| app.metadata.uid != before)
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_that_goes_takes_its_applications_along_or_leaves_them() {
    let fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[("web/a.yaml", &config("a", "1", ""))]);
    let one = json!([{"list": {"elements": [{"app": "a"}]}}]);
    fleet
        .apply(set("one", true, &one, "{{.app}}", "web", &fleet))
        .await;
    until_names(&fleet, &["a"]).await;
    sets(&fleet)
        .delete("one", &DeleteParams::background())
        .await
        .unwrap();
    until_names(&fleet, &[]).await;
}
