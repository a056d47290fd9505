//! What cannot be generated changes nothing and says why.

use argosy_test_support::manifest::config;
use kube::Api;
use kube::api::DynamicObject;
use serde_json::json;

use super::{app_deletes, names, set, until_clean, until_error, until_names};
use crate::fleet::Fleet;

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_generated_leaves_the_applications_as_they_are() {
    let fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[
        ("dirs/a/x.yaml", &config("x", "1", "")),
        ("dirs/b/x.yaml", &config("x", "1", "")),
    ]);
    let url = fleet.repo();
    let dirs =
        json!([{"git": {"repoURL": url, "revision": "main", "directories": [{"path": "dirs/*"}]}}]);
    let good = set("dirs", true, &dirs, "{{.path.basename}}", "dirs/a", &fleet);
    fleet.apply(good.clone()).await;
    until_names(&fleet, &["a", "b"]).await;
    until_clean(&fleet, "dirs").await;

    for broken in [
        "{{.path.basename",
        "{{.no.such.thing}}",
        "{{.path.basename | fail}}",
    ] {
        fleet
            .apply(set("dirs", true, &dirs, broken, "dirs/a", &fleet))
            .await;
        let why = until_error(&fleet, "dirs").await;
        assert!(!why.is_empty());
        assert_eq!(
            (names(&fleet).await.len(), app_deletes(&fleet)),
            (2, 0),
            "{why}"
        );
        fleet.apply(good.clone()).await;
        until_clean(&fleet, "dirs").await;
    }

    fleet.hide_repository(true);
    let why = until_error(&fleet, "dirs").await;
    assert!(why.contains("repo"), "{why}");
    assert_eq!((names(&fleet).await.len(), app_deletes(&fleet)), (2, 0));
    fleet.hide_repository(false);
    fleet.commit(&[("dirs/c/x.yaml", &config("x", "1", ""))]);
    fleet.push();
    until_names(&fleet, &["a", "b", "c"]).await;
    until_clean(&fleet, "dirs").await;
    fleet.nothing_is_written().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_that_starts_without_the_repository_keeps_what_was_generated() {
    let mut fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[("dirs/a/x.yaml", &config("x", "1", ""))]);
    let url = fleet.repo();
    let dirs =
        json!([{"git": {"repoURL": url, "revision": "main", "directories": [{"path": "dirs/*"}]}}]);
    fleet
        .apply(set(
            "dirs",
            true,
            &dirs,
            "{{.path.basename}}",
            "dirs/a",
            &fleet,
        ))
        .await;
    until_names(&fleet, &["a"]).await;
    fleet.hide_repository(true);
    fleet.restart_hub();
    until_error(&fleet, "dirs").await;
    assert_eq!((names(&fleet).await.len(), app_deletes(&fleet)), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_name_twice_is_an_error_and_nothing_is_done() {
    let fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[("web/a.yaml", &config("a", "1", ""))]);
    let twice = json!([{"list": {"elements": [{"app": "a", "n": "1"}, {"app": "a", "n": "2"}]}}]);
    fleet
        .apply(set("twice", true, &twice, "{{.app}}", "web", &fleet))
        .await;
    let why = until_error(&fleet, "twice").await;
    assert!(
        why.contains('a') && why.to_lowercase().contains("duplicate"),
        "{why}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_set_is_told_which_field_and_stops_no_other() {
    let fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[("web/a.yaml", &config("a", "1", ""))]);
    fleet.without_schema("applicationsets.argoproj.io").await;
    let one = json!([{"list": {"elements": [{"app": "a"}]}}]);
    let mut bad = set("bad", true, &one, "{{.app}}", "web", &fleet);
    bad["spec"]["generators"] = json!({"list": "no list"});
    let api: Api<DynamicObject> = fleet.objects(&bad["apiVersion"], &bad["kind"]);
    api.create(
        &kube::api::PostParams::default(),
        &serde_json::from_value(bad).unwrap(),
    )
    .await
    .unwrap();
    fleet
        .apply(set("good", true, &one, "{{.app}}", "web", &fleet))
        .await;
    until_names(&fleet, &["a"]).await;
    fleet
        .eventually("the field is named", async || {
            let bad = api.get("bad").await.unwrap();
            bad.data["status"]["conditions"]
                .to_string()
                .contains("spec.generators")
        })
        .await;
    fleet.nothing_is_written().await;
}
