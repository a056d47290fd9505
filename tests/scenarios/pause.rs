//! An application that somebody pauses is left alone until the time is over.

use argosy::fleet::ObjectName;
use argosy_crds::Application;
use argosy_crds::codes::SyncStatusCode;
use argosy_test_support::manifest::{automated, config};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use crate::fleet::Fleet;
use crate::program::argosy;

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
        .until("web", "out of sync and left so", is_out_of_sync)
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

/// A set that generates `web` with this label.
fn set(fleet: &Fleet, label: &str) -> Value {
    let app = automated("web", &fleet.repo(), "web", &fleet.server("dev"));
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
}

/// Waits until the set has written its label.
async fn until_tier(fleet: &Fleet, wanted: &str) -> Application {
    let has_label = |app: &Application| {
        let labels = app.metadata.labels.as_ref();
        labels.is_some_and(|labels| labels.get("tier").is_some_and(|tier| tier == wanted))
    };
    fleet.until("web", "as the set says", has_label).await
}

async fn edit_by_hand(fleet: &Fleet) {
    let api: Api<ConfigMap> = Api::namespaced(fleet.client_of("dev"), "web");
    let by_hand = json!({"data": {"a": "by hand"}});
    api.patch("a", &PatchParams::default(), &Patch::Merge(by_hand))
        .await
        .unwrap();
    fleet.until("web", "out of sync", is_out_of_sync).await;
}

fn is_out_of_sync(app: &Application) -> bool {
    let status = app.status.as_ref();
    status.is_some_and(|status| status.sync.status == SyncStatusCode::OutOfSync)
}

#[tokio::test(flavor = "multi_thread")]
async fn drift_of_a_generated_application_stays_until_somebody_resumes_it() {
    let fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[("web/a.yaml", &config("a", "1", ""))]);
    fleet.apply(set(&fleet, "front")).await;
    fleet.until_well("web").await;

    fleet.change("web", pause(in_seconds(3600))).await;
    fleet.until_condition("web", "Paused").await;
    edit_by_hand(&fleet).await;
    // The set goes on with its own part of the application, and keeps the pause.
    fleet.apply(set(&fleet, "back")).await;
    let changed = until_tier(&fleet, "back").await;
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

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_by_command_outlives_the_set_s_next_reconcile_and_ends_when_it_was_said() {
    let fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[("web/a.yaml", &config("a", "1", ""))]);
    fleet.apply(set(&fleet, "front")).await;
    fleet.until_well("web").await;
    let hub = fleet.hub_kubeconfig().await;
    let ask = async |args: &[&str]| {
        let answer = argosy(hub.path(), args).await;
        assert_eq!(answer.code, 0, "{answer:?}");
        answer.text
    };

    let reason = ["--reason", "a fix by hand", "--by", "ada"];
    let paused = ask(&[&["app", "pause", "web", "--for", "1h"], &reason[..]].concat()).await;
    assert!(paused.starts_with("web is paused until 2"), "{paused}");
    fleet.until_condition("web", "Paused").await;
    edit_by_hand(&fleet).await;
    fleet.apply(set(&fleet, "back")).await;
    let app = until_tier(&fleet, "back").await;
    assert_eq!(app.annotation("argosy.dev/paused-by"), Some("ada"));
    assert_eq!(value(&fleet).await.as_deref(), Some("by hand"));
    let shown = ask(&["app", "get", "web"]).await;
    assert!(shown.contains("a fix by hand"), "{shown}");
    assert_eq!(ask(&["app", "resume", "web"]).await, "web goes on\n");
    fleet.until_well("web").await;
    assert_eq!(value(&fleet).await.as_deref(), Some("1"));
    assert_eq!(ask(&["app", "resume", "web"]).await, "web is not paused\n");

    let paused = ask(&[&["app", "pause", "web", "--for", "5s"], &reason[..]].concat()).await;
    let until = paused.trim_end().rsplit(' ').next().unwrap();
    let until: Timestamp = until.parse().unwrap();
    let web = ObjectName::new("argocd", "web");
    fleet
        .eventually("the hub has seen it", async || {
            let app = fleet.hub.fleet.index().applications.read(&web).cloned();
            app.is_some_and(|app| app.annotation("argosy.dev/paused-until").is_some())
        })
        .await;
    fleet.commit(&[("web/a.yaml", &config("a", "2", ""))]);
    fleet.push();
    fleet
        .eventually("the pause is over and the commit is live", async || {
            value(&fleet).await.as_deref() == Some("2")
        })
        .await;
    assert!(Timestamp::now() >= until);
    let past = ["app", "pause", "web", "--for", "0s", "--reason", "none"];
    assert_eq!(argosy(hub.path(), &past).await.code, 20);
}
