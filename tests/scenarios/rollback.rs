//! Going back while automated sync is on.

use argosy_crds::Application;
use argosy_crds::codes::HealthStatusCode;
use serde_json::{Value, json};

use crate::fleet::Fleet;
use argosy_test_support::manifest::{automated, config};
use argosy_test_support::wait::is_well;

async fn value(fleet: &Fleet) -> Option<Value> {
    let live = fleet.live("dev", "v1", "ConfigMap", "web/web").await?;
    Some(live["data"]["a"].clone())
}

async fn until_value(fleet: &Fleet, wanted: &str) {
    fleet
        .eventually(&format!("the value is {wanted}"), async || {
            value(fleet).await == Some(json!(wanted))
        })
        .await;
}

fn deployments(app: &Application) -> usize {
    app.status.as_ref().map_or(0, |status| status.history.len())
}

async fn roll_back(fleet: &Fleet, args: &[&str]) {
    let kubeconfig = fleet.hub_kubeconfig().await;
    let done = std::process::Command::new(env!("CARGO_BIN_EXE_argosy"))
        .args(["app", "rollback", "web", "--kubeconfig"])
        .arg(kubeconfig.path())
        .args(args)
        .output()
        .unwrap();
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_revision_is_refused_until_a_commit_renders_something_else() {
    let fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[("web/web.yaml", &config("web", "good", ""))]);
    fleet
        .apply(automated("web", &fleet.repo(), "web", &fleet.server("dev")))
        .await;
    fleet.until_well("web").await;
    fleet.commit(&[("web/web.yaml", &config("web", "bad", ""))]);
    fleet.push();
    fleet
        .until("web", "deployed twice", |app| {
            deployments(app) == 2 && is_well(app)
        })
        .await;
    until_value(&fleet, "bad").await;

    roll_back(&fleet, &[]).await;
    until_value(&fleet, "good").await;
    let message = fleet.until_condition("web", "RolledBack").await;
    assert!(message.starts_with("deployment 0 ("), "{message}");
    fleet.until_well("web").await;
    fleet.nothing_is_written().await;

    // Drift is healed towards what is in force, and a commit that changes nothing here is refused.
    let live: kube::Api<k8s_openapi::api::core::v1::ConfigMap> =
        kube::Api::namespaced(fleet.client_of("dev"), "web");
    let drift = kube::api::Patch::Merge(json!({"data": {"a": "edited"}}));
    live.patch("web", &kube::api::PatchParams::default(), &drift)
        .await
        .unwrap();
    until_value(&fleet, "good").await;
    fleet.commit(&[("other/file.txt", "a change elsewhere")]);
    fleet.push();
    fleet.nothing_is_written().await;
    assert_eq!(value(&fleet).await, Some(json!("good")));

    fleet.commit(&[("web/web.yaml", &config("web", "better", ""))]);
    fleet.push();
    until_value(&fleet, "better").await;
    let over = |app: &Application| {
        let conditions = app.status.iter().flat_map(|status| &status.conditions);
        is_well(app)
            && app.annotation("argosy.dev/rollback").is_none()
            && !conditions.clone().any(|one| one.type_ == "RolledBack")
    };
    fleet.until("web", "itself again", over).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_that_degrades_at_once_is_taken_back_where_that_is_asked_for() {
    let fleet = Fleet::start(&["dev"]).await;
    let claim = |phase: &str| {
        format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: web}}\ndata: {{a: {phase}}}\n")
    };
    fleet
        .apply(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "argocd-cm",
            "labels": {"app.kubernetes.io/part-of": "argocd"}},
            "data": {"resource.customizations.health.ConfigMap":
                "hs = {status = 'Healthy'}\nif obj.data.a == 'bad' then hs.status = 'Degraded' end\nreturn hs"}}))
        .await;
    fleet.commit(&[("web/web.yaml", &claim("good"))]);
    let mut app = automated("web", &fleet.repo(), "web", &fleet.server("dev"));
    app["metadata"]["annotations"] = json!({"argosy.dev/auto-rollback": "10m"});
    fleet.apply(app).await;
    fleet.until_well("web").await;
    fleet.commit(&[("web/web.yaml", &claim("bad"))]);
    fleet.push();
    fleet.until_condition("web", "RolledBack").await;
    until_value(&fleet, "good").await;
    let app = fleet.until_well("web").await;
    let health = app.status.unwrap().health.status;
    assert_eq!(health, Some(HealthStatusCode::Healthy));
    let events = fleet.events("web").await;
    assert!(
        events.iter().any(|(reason, _)| reason == "RolledBack"),
        "{events:?}"
    );
}
