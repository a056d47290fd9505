//! An application that somebody pauses is left alone until the time is over.

use argosy_crds::codes::SyncStatusCode;
use argosy_test_support::manifest::{automated, config};
use jiff::{SignedDuration, Timestamp};
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use crate::fleet::Fleet;

fn pause(until: Timestamp) -> Value {
    json!({"metadata": {"annotations": {
        "argosy.dev/paused-until": until.to_string(),
        "argosy.dev/pause-reason": "a fix by hand",
    }}})
}

fn in_seconds(seconds: i64) -> Timestamp {
    Timestamp::now() + SignedDuration::from_secs(seconds)
}

async fn value(fleet: &Fleet) -> Option<String> {
    let live = fleet.live("dev", "v1", "ConfigMap", "web/a").await?;
    live["data"]["a"].as_str().map(str::to_owned)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_waits_for_the_end_of_the_pause_and_needs_no_further_event() {
    let fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[("web/a.yaml", &config("a", "1", ""))]);
    fleet
        .apply(automated("web", &fleet.repo(), "web", &fleet.server("dev")))
        .await;
    fleet.until_well("web").await;

    let until = in_seconds(4);
    fleet.change("web", pause(until)).await;
    let why = fleet.until_condition("web", "Paused").await;
    assert!(why.ends_with(": a fix by hand"), "{why}");
    fleet.commit(&[("web/a.yaml", &config("a", "2", ""))]);
    fleet.push();
    fleet
        .until("web", "out of sync and left so", |app| {
            app.status
                .as_ref()
                .is_some_and(|status| status.sync.status == SyncStatusCode::OutOfSync)
        })
        .await;
    if Timestamp::now() < until {
        assert_eq!(value(&fleet).await.as_deref(), Some("1"));
    }

    fleet
        .eventually("the commit is live", async || {
            value(&fleet).await.as_deref() == Some("2")
        })
        .await;
    assert!(Timestamp::now() >= until);
    let app = fleet.until_well("web").await;
    let conditions = app.status.unwrap().conditions;
    assert!(conditions.iter().all(|one| one.type_ != "Paused"));
    fleet.nothing_is_written().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn drift_of_a_generated_application_stays_until_somebody_resumes_it() {
    let fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[("web/a.yaml", &config("a", "1", ""))]);
    let app = automated("web", &fleet.repo(), "web", &fleet.server("dev"));
    let set = |label: &str| {
        json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "ApplicationSet",
            "metadata": {"name": "one"},
            "spec": {
                "generators": [{"list": {"elements": [{"app": "web"}]}}],
                "template": {
                    "metadata": {"name": "{{app}}", "labels": {"tier": label}},
                    "spec": app["spec"],
                },
            },
        })
    };
    fleet.apply(set("front")).await;
    fleet.until_well("web").await;

    fleet.change("web", pause(in_seconds(3600))).await;
    fleet.until_condition("web", "Paused").await;
    let api: Api<k8s_openapi::api::core::v1::ConfigMap> =
        Api::namespaced(fleet.client_of("dev"), "web");
    let by_hand = json!({"data": {"a": "by hand"}});
    api.patch("a", &PatchParams::default(), &Patch::Merge(by_hand))
        .await
        .unwrap();
    fleet
        .until("web", "out of sync", |app| {
            app.status
                .as_ref()
                .is_some_and(|status| status.sync.status == SyncStatusCode::OutOfSync)
        })
        .await;
    // The set goes on with its own part of the application, and keeps the pause.
    fleet.apply(set("back")).await;
    let changed = fleet
        .until("web", "as the set says", |app| {
            let labels = app.metadata.labels.clone().unwrap_or_default();
            labels.get("tier").is_some_and(|tier| tier == "back")
        })
        .await;
    assert!(changed.annotation("argosy.dev/paused-until").is_some());
    let refresh = "argocd.argoproj.io/refresh";
    let asked = json!({"metadata": {"annotations": {refresh: "normal"}}});
    fleet.change("web", asked).await;
    fleet
        .until("web", "looked at anew", |app| {
            app.annotation(refresh).is_none()
        })
        .await;
    assert_eq!(value(&fleet).await.as_deref(), Some("by hand"));

    let resume = json!({"metadata": {"annotations": {
        "argosy.dev/paused-until": null, "argosy.dev/pause-reason": null}}});
    fleet.change("web", resume).await;
    fleet.until_well("web").await;
    assert_eq!(value(&fleet).await.as_deref(), Some("1"));
}
