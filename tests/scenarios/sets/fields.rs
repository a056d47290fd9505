//! What a set leaves alone, what it says in its status, and what it looks at when asked.

use std::collections::BTreeMap;

use argosy_crds::Application;
use argosy_crds::codes::{HealthStatusCode, SyncStatusCode};
use argosy_test_support::manifest::config;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use super::{set, sets, until_clean, until_error, until_names};
use crate::fleet::Fleet;

fn list(apps: &[&str]) -> Value {
    let elements: Vec<_> = apps.iter().map(|app| json!({"app": app})).collect();
    json!([{"list": {"elements": elements}}])
}

fn labels(app: &Application) -> BTreeMap<String, String> {
    app.metadata.labels.clone().unwrap_or_default()
}

fn revision(app: &Application) -> String {
    app.spec.sources()[0].target_revision.clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_wrote_stays_where_the_set_or_the_hub_says_so() {
    let fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[
        ("web/a.yaml", &config("a", "1", "")),
        ("two/a.yaml", &config("a", "1", "")),
    ]);
    let preserved = json!({"applicationsetcontroller.global.preserved.labels": "of-the-hub"});
    fleet.configure("argocd-cmd-params-cm", preserved).await;
    fleet
        .eventually("the hub knows what to preserve", async || {
            !fleet.hub.fleet.settings().sets.preserved.labels.is_empty()
        })
        .await;
    let with = |path: &str| {
        let mut set = set("one", true, &list(&["a"]), "{{.app}}", path, &fleet);
        set["spec"]["preservedFields"] = json!({"labels": ["of-the-set"], "annotations": ["note"]});
        set["spec"]["ignoreApplicationDifferences"] = json!([
            {"name": "a", "jsonPointers": ["/spec/source/targetRevision"]},
            {"jqPathExpressions": [".spec.info"]},
        ]);
        set
    };
    fleet.apply(with("web")).await;
    until_names(&fleet, &["a"]).await;
    until_clean(&fleet, "one").await;
    let by_hand = json!({
        "metadata": {
            "labels": {"of-the-hub": "x", "of-the-set": "x", "of-nobody": "x"},
            "annotations": {"note": "x"},
        },
        "spec": {"source": {"targetRevision": "HEAD"}, "info": [{"name": "why", "value": "x"}]},
    });
    fleet.change("a", by_hand).await;
    let reverted = fleet
        .until("a", "without what nobody preserves", |app| {
            !labels(app).contains_key("of-nobody")
        })
        .await;
    for label in ["of-the-hub", "of-the-set"] {
        assert!(labels(&reverted).contains_key(label), "{label}");
    }
    assert_eq!(reverted.annotation("note"), Some("x"));
    assert_eq!(revision(&reverted), "HEAD");
    assert_eq!(reverted.spec.info.len(), 1);
    fleet.nothing_is_written().await;

    // They survive a change of something else, too.
    fleet.apply(with("two")).await;
    let changed = fleet
        .until("a", "changed", |app| app.spec.sources()[0].path == "two")
        .await;
    assert_eq!(revision(&changed), "HEAD");
    assert_eq!(changed.spec.info.len(), 1);
    assert!(labels(&changed).contains_key("of-the-set"));
}

#[tokio::test(flavor = "multi_thread")]
async fn resources_are_preserved_by_an_application_without_finalizer() {
    let fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[("web/a.yaml", &config("a", "1", ""))]);
    let with = |preserve: bool, apps: &[&str]| {
        let mut set = set("one", true, &list(apps), "{{.app}}", "web", &fleet);
        set["spec"]["syncPolicy"] = json!({"preserveResourcesOnDeletion": preserve});
        set["spec"]["template"]["spec"]["syncPolicy"] =
            json!({"automated": {}, "syncOptions": ["CreateNamespace=true"]});
        set
    };
    fleet.apply(with(true, &["a"])).await;
    let app = fleet.until_well("a").await;
    assert_eq!(app.metadata.finalizers.unwrap_or_default(), [""; 0]);
    fleet.apply(with(true, &[])).await;
    until_names(&fleet, &[]).await;
    assert!(
        fleet
            .live("dev", "v1", "ConfigMap", "web/a")
            .await
            .is_some()
    );

    fleet.apply(with(false, &["a"])).await;
    let app = fleet.until_well("a").await;
    assert_eq!(
        app.metadata.finalizers.unwrap_or_default(),
        ["resources-finalizer.argocd.argoproj.io"]
    );
    fleet.apply(with(false, &[])).await;
    until_names(&fleet, &[]).await;
    assert!(
        fleet
            .live("dev", "v1", "ConfigMap", "web/a")
            .await
            .is_none()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_status_lists_the_applications_and_their_state() {
    let fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[("web/a.yaml", &config("a", "1", ""))]);
    let mut good = set("one", true, &list(&["b", "a"]), "{{.app}}", "web", &fleet);
    good["spec"]["template"]["spec"]["syncPolicy"] =
        json!({"automated": {}, "syncOptions": ["CreateNamespace=true"]});
    good["spec"]["template"]["spec"]["destination"]["namespace"] = json!("{{.app}}");
    fleet.apply(good.clone()).await;
    fleet.until_well("a").await;
    fleet.until_well("b").await;
    let api = sets(&fleet);
    let api = &api;
    fleet
        .eventually("the status lists both as synced and healthy", async || {
            let status = api.get("one").await.unwrap().status.unwrap_or_default();
            let told: Vec<_> = status
                .resources
                .iter()
                .map(|one| {
                    let health = one.health.as_ref().and_then(|health| health.status);
                    (
                        one.name.as_str(),
                        one.status.map(SyncStatusCode::as_str),
                        health,
                    )
                })
                .collect();
            let well = |name| (name, Some("Synced"), Some(HealthStatusCode::Healthy));
            told == [well("a"), well("b")]
                && status.resources_count == 2
                && status.health.status == Some(HealthStatusCode::Healthy)
        })
        .await;

    // A hub may be told to list fewer.
    let few = json!({"applicationsetcontroller.status.max.resources.count": "1"});
    fleet.configure("argocd-cmd-params-cm", few).await;
    fleet
        .eventually("the status lists one and counts both", async || {
            let status = api.get("one").await.unwrap().status.unwrap_or_default();
            status.resources.len() == 1 && status.resources_count == 2
        })
        .await;

    // One application that must not be written is told, and stops neither the other nor a delete.
    let mut bad = good;
    bad["spec"]["generators"] = json!([{"list": {"elements": [
        {"app": "a", "project": "default"}, {"app": "c", "project": "nowhere"}]}}]);
    bad["spec"]["template"]["spec"]["project"] = json!("{{.project}}");
    fleet.apply(bad).await;
    let why = until_error(&fleet, "one").await;
    assert!(
        why.contains("project nowhere which does not exist"),
        "{why}"
    );
    until_names(&fleet, &["a"]).await;
    let status = api.get("one").await.unwrap().status.unwrap();
    assert_eq!(status.health.status, Some(HealthStatusCode::Degraded));
    let reason = status
        .conditions
        .iter()
        .find(|one| one.type_ == "ErrorOccurred")
        .map(|one| one.reason.as_str());
    assert_eq!(reason, Some("ApplicationValidationError"));
    fleet.nothing_is_written().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_finds_a_commit_that_nobody_told_of_and_its_annotation_goes() {
    let fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[("dirs/a/x.yaml", &config("x", "1", ""))]);
    let dirs = json!([{"git": {"repoURL": fleet.repo(), "revision": "main",
        "directories": [{"path": "dirs/*"}], "requeueAfterSeconds": 0}}]);
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
    until_clean(&fleet, "dirs").await;
    fleet.commit(&[("dirs/b/x.yaml", &config("x", "1", ""))]);
    let key = "argocd.argoproj.io/application-set-refresh";
    let patch = json!({"metadata": {"annotations": {key: "true"}}});
    let api = sets(&fleet);
    api.patch("dirs", &PatchParams::default(), &Patch::Merge(patch))
        .await
        .unwrap();
    until_names(&fleet, &["a", "b"]).await;
    let api = &api;
    fleet
        .eventually("the annotation is gone", async || {
            let set = api.get("dirs").await.unwrap();
            !set.metadata
                .annotations
                .is_some_and(|annotations| annotations.contains_key(key))
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_generator_looks_again_as_often_as_it_says() {
    let fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[("dirs/a/x.yaml", &config("x", "1", ""))]);
    let dirs = json!([{"git": {"repoURL": fleet.repo(), "revision": "main",
        "directories": [{"path": "dirs/*"}], "requeueAfterSeconds": 1}}]);
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
    fleet.commit(&[("dirs/b/x.yaml", &config("x", "1", ""))]);
    until_names(&fleet, &["a", "b"]).await;
}
