//! Progressive syncs: dev before staging before production, and what happens when it goes wrong.

use std::process::Command;

use argosy_crds::application::OperationState;
use argosy_crds::application_set::ApplicationSetApplicationStatus;
use argosy_crds::codes::{HealthStatusCode, SyncStatusCode, appset_condition};
use argosy_crds::{Application, ApplicationSet};
use k8s_openapi::api::apps::v1::Deployment;
use kube::Api;
use kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::{Value, json};

use crate::fleet::Fleet;
use crate::secrets::metrics;
use argosy_test_support::manifest::deployment;

const ENVIRONMENTS: [&str; 3] = ["dev", "staging", "prod"];

/// A set that runs `web` in every environment, step by step; `more` is merged into each step.
fn set(fleet: &Fleet, more: &Value) -> Value {
    let elements: Vec<_> = ENVIRONMENTS
        .iter()
        .map(|env| json!({"env": env, "server": fleet.server(env)}))
        .collect();
    let steps: Vec<_> = ENVIRONMENTS
        .iter()
        .map(|env| {
            let mut step = more.clone();
            step["matchExpressions"] = json!([{"key": "env", "operator": "In", "values": [env]}]);
            step
        })
        .collect();
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "ApplicationSet", "metadata": {"name": "fleet"},
        "spec": {
            "goTemplate": true,
            "generators": [{"list": {"elements": elements}}],
            "strategy": {"type": "RollingSync", "rollingSync": {"steps": steps}},
            "template": {
                "metadata": {"name": "web-{{ .env }}", "labels": {"env": "{{ .env }}"}},
                "spec": {
                    "project": "default",
                    "source": {"repoURL": fleet.repo(), "path": "web", "targetRevision": "main"},
                    "destination": {"server": "{{ .server }}", "namespace": "web"},
                    "syncPolicy": {
                        "automated": {"prune": true, "selfHeal": true},
                        "syncOptions": ["CreateNamespace=true"],
                    },
                },
            },
        },
    })
}

fn sets(fleet: &Fleet) -> Api<ApplicationSet> {
    Api::namespaced(fleet.client.clone(), "argocd")
}

/// Commits `web` with this image and tells the hub.
fn release(fleet: &Fleet, image: &str) -> String {
    let commit = fleet.commit(&[("web/deployment.yaml", &deployment("web", image))]);
    fleet.push();
    commit
}

/// The image that runs in an environment.
async fn image(fleet: &Fleet, env: &str) -> String {
    let live = fleet.live(env, "apps/v1", "Deployment", "web/web").await;
    let live = live.unwrap_or_default();
    let image = &live["spec"]["template"]["spec"]["containers"][0]["image"];
    image.as_str().unwrap_or_default().to_owned()
}

async fn images(fleet: &Fleet) -> [String; 3] {
    let [dev, staging, prod] = ENVIRONMENTS;
    [
        image(fleet, dev).await,
        image(fleet, staging).await,
        image(fleet, prod).await,
    ]
}

/// Where an application is in the rollout.
async fn told(fleet: &Fleet, name: &str) -> ApplicationSetApplicationStatus {
    let status = sets(fleet).get("fleet").await.unwrap().status;
    let entries = status.unwrap_or_default().application_status;
    let found = entries.into_iter().find(|entry| entry.application == name);
    found.unwrap_or_default()
}

/// The condition's message, if it holds.
async fn condition(fleet: &Fleet, type_: &str) -> Option<String> {
    let status = sets(fleet).get("fleet").await.unwrap().status;
    let conditions = status.unwrap_or_default().conditions;
    let found = conditions
        .into_iter()
        .find(|one| one.type_ == type_ && one.status == "True");
    found.map(|one| one.message)
}

/// Waits until the rollout is complete at a commit.
async fn until_complete(fleet: &Fleet, commit: &str) {
    fleet
        .eventually("the rollout is complete", async || {
            let status = sets(fleet).get("fleet").await.unwrap().status;
            let status = status.unwrap_or_default();
            let is_complete = status
                .conditions
                .iter()
                .any(|one| one.reason == appset_condition::APPLICATION_SET_ROLLOUT_COMPLETE);
            is_complete
                && status.application_status.len() == ENVIRONMENTS.len()
                && status
                    .application_status
                    .iter()
                    .all(|entry| entry.status == "Healthy" && entry.target_revisions == [commit])
        })
        .await;
}

async fn until_message(fleet: &Fleet, name: &str, text: &str) {
    fleet
        .eventually(&format!("{name}: {text}"), async || {
            told(fleet, name).await.message.contains(text)
        })
        .await;
}

async fn until_image(fleet: &Fleet, env: &str, wanted: &str) {
    fleet
        .eventually(&format!("{wanted} runs in {env}"), async || {
            image(fleet, env).await == wanted
        })
        .await;
}

fn state(app: &Application) -> OperationState {
    app.status.clone().unwrap().operation_state.unwrap()
}

/// A fleet in which `web:1` is rolled out everywhere.
async fn rolled_out(more: &Value) -> Fleet {
    let fleet = Fleet::start(&ENVIRONMENTS).await;
    let first = fleet.commit(&[("web/deployment.yaml", &deployment("web", "web:1"))]);
    fleet.apply(set(&fleet, more)).await;
    until_complete(&fleet, &first).await;
    fleet
}

#[tokio::test(flavor = "multi_thread")]
async fn dev_comes_before_staging_and_staging_before_production() {
    let fleet = rolled_out(&json!({})).await;
    fleet.nothing_is_written().await;
    release(&fleet, "web:broken");
    until_message(
        &fleet,
        "web-staging",
        "Waiting for step 1: web-dev is Progressing",
    )
    .await;
    assert_eq!(images(&fleet).await, ["web:broken", "web:1", "web:1"]);
    let progress = condition(&fleet, appset_condition::ROLLOUT_PROGRESSING).await;
    assert_eq!(
        progress.unwrap(),
        "ApplicationSet is performing rollout of step 1"
    );
    fleet.nothing_is_written().await;

    // A newer revision in the middle of the rollout begins where the rollout begins.
    let fixed = release(&fleet, "web:2");
    until_complete(&fleet, &fixed).await;
    assert_eq!(images(&fleet).await, ["web:2", "web:2", "web:2"]);
    let mut deployed = Vec::new();
    for env in ENVIRONMENTS {
        let app = fleet
            .applications()
            .get(&format!("web-{env}"))
            .await
            .unwrap();
        let state = state(&app);
        let by = &state.operation.initiated_by;
        assert_eq!(
            (by.username.as_str(), by.automated),
            ("applicationset-controller", true)
        );
        let automated = app.spec.sync_policy.clone().unwrap().automated.unwrap();
        assert_eq!(automated.enabled, Some(false));
        deployed.push(
            app.status
                .unwrap()
                .history
                .last()
                .unwrap()
                .deployed_at
                .clone(),
        );
    }
    assert!(
        deployed.is_sorted_by_key(|at| at.as_ref().map(|at| at.0)),
        "{deployed:?}"
    );
    // Staging and production never saw the broken one.
    for env in ["staging", "prod"] {
        let app = fleet
            .applications()
            .get(&format!("web-{env}"))
            .await
            .unwrap();
        assert_eq!(app.status.unwrap().history.len(), 2);
    }
    fleet.nothing_is_written().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn drift_in_a_waiting_cluster_is_healed_to_what_it_runs() {
    let fleet = rolled_out(&json!({})).await;
    release(&fleet, "web:broken");
    until_message(&fleet, "web-prod", "Waiting for step 1").await;
    let deployments: Api<Deployment> = Api::namespaced(fleet.client_of("prod"), "web");
    let edit = json!({"spec": {"template": {"spec": {"containers": [{"name": "main", "image": "web:by-hand"}]}}}});
    deployments
        .patch("web", &PatchParams::default(), &Patch::Strategic(edit))
        .await
        .unwrap();
    until_image(&fleet, "prod", "web:1").await;
    deployments
        .delete("web", &DeleteParams::default())
        .await
        .unwrap();
    until_image(&fleet, "prod", "web:1").await;
    fleet
        .until("web-prod", "waiting and well", |app| {
            let status = app.status.as_ref().unwrap();
            status.sync.status == SyncStatusCode::OutOfSync
                && status.health.status == Some(HealthStatusCode::Healthy)
        })
        .await;
    assert_eq!(image(&fleet, "staging").await, "web:1");
    fleet.nothing_is_written().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_updates_no_more_at_once_than_it_may() {
    let fleet = Fleet::start(&ENVIRONMENTS).await;
    let first = fleet.commit(&[("web/deployment.yaml", &deployment("web", "web:1"))]);
    let mut set = set(&fleet, &json!({}));
    set["spec"]["strategy"]["rollingSync"]["steps"] = json!([{"maxUpdate": 1}]);
    fleet.apply(set).await;
    until_complete(&fleet, &first).await;
    release(&fleet, "web:broken");
    // In the order of their names: web-dev, web-prod, web-staging.
    for name in ["web-prod", "web-staging"] {
        until_message(&fleet, name, "which updates 1 at once").await;
    }
    until_image(&fleet, "dev", "web:broken").await;
    assert_eq!(images(&fleet).await, ["web:broken", "web:1", "web:1"]);
    let second = release(&fleet, "web:2");
    until_complete(&fleet, &second).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_takes_too_long_stops_the_rollout_until_there_is_something_newer() {
    let fleet = rolled_out(&json!({"progressDeadline": "8s", "onFailure": "stop"})).await;
    release(&fleet, "web:broken");
    fleet
        .eventually("the rollout stops", async || {
            let stopped = condition(&fleet, appset_condition::ROLLOUT_STOPPED).await;
            stopped.is_some_and(|text| text.contains("web-dev is not healthy after 8s"))
        })
        .await;
    assert_eq!(images(&fleet).await, ["web:broken", "web:1", "web:1"]);
    let health = sets(&fleet)
        .get("fleet")
        .await
        .unwrap()
        .status
        .unwrap()
        .health;
    assert_eq!(health.status, Some(HealthStatusCode::Degraded));
    fleet.nothing_is_written().await;
    let second = release(&fleet, "web:2");
    until_complete(&fleet, &second).await;
    assert_eq!(
        condition(&fleet, appset_condition::ROLLOUT_STOPPED).await,
        None
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_failed_goes_back_to_what_was_healthy_and_stays_there() {
    let fleet = rolled_out(&json!({"progressDeadline": "8s", "onFailure": "rollback"})).await;
    let broken = release(&fleet, "web:broken");
    until_image(&fleet, "dev", "web:broken").await;
    until_image(&fleet, "dev", "web:1").await;
    until_message(&fleet, "web-dev", "because it is not healthy after 8s").await;
    let app = fleet
        .until("web-dev", "healthy where it was", |app| {
            app.operation.is_none()
                && app.status.as_ref().unwrap().health.status == Some(HealthStatusCode::Healthy)
        })
        .await;
    assert_eq!(
        app.status.unwrap().sync.revision,
        broken,
        "the status tells of the spec"
    );
    fleet.nothing_is_written().await;
    assert_eq!(images(&fleet).await, ["web:1", "web:1", "web:1"]);
    let deployments: Api<Deployment> = Api::namespaced(fleet.client_of("dev"), "web");
    deployments
        .delete("web", &DeleteParams::default())
        .await
        .unwrap();
    until_image(&fleet, "dev", "web:1").await;
    let second = release(&fleet, "web:2");
    until_complete(&fleet, &second).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_soaks_before_the_next_one_begins() {
    let fleet = rolled_out(&json!({"soak": "3s"})).await;
    let second = release(&fleet, "web:2");
    until_message(&fleet, "web-staging", "step 1 has to stay healthy").await;
    until_complete(&fleet, &second).await;
    let mut steps = Vec::new();
    for env in ENVIRONMENTS {
        let app = fleet
            .applications()
            .get(&format!("web-{env}"))
            .await
            .unwrap();
        let healthy_since = app
            .status
            .clone()
            .unwrap()
            .health
            .last_transition_time
            .unwrap();
        steps.push((state(&app).started_at.unwrap().0, healthy_since.0));
    }
    for pair in steps.windows(2) {
        let soaked = pair[1].0.duration_since(pair[0].1).as_secs();
        assert!(soaked >= 3, "{soaked} s: {steps:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_that_is_killed_in_the_middle_goes_on_where_it_was() {
    let mut fleet = rolled_out(&json!({"soak": "1s"})).await;
    let broken = release(&fleet, "web:broken");
    until_message(&fleet, "web-staging", "Waiting for step 1").await;
    fleet.restart_hub();
    fleet.push();
    until_message(&fleet, "web-staging", "web-dev is Progressing").await;
    fleet.nothing_is_written().await;
    assert_eq!(images(&fleet).await, ["web:broken", "web:1", "web:1"]);
    let second = release(&fleet, "web:2");
    for env in ENVIRONMENTS {
        until_image(&fleet, env, "web:2").await;
        fleet.restart_hub();
        fleet.push();
    }
    until_complete(&fleet, &second).await;
    for env in ENVIRONMENTS {
        let app = fleet
            .applications()
            .get(&format!("web-{env}"))
            .await
            .unwrap();
        let history = app.status.unwrap().history;
        let to = |commit: &str| history.iter().filter(|one| one.revision == commit).count();
        assert_eq!(
            (to(&second), to(&broken)),
            (1, usize::from(env == "dev")),
            "{env}: {history:#?}"
        );
    }
    fleet.nothing_is_written().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_can_go_in_the_reverse_order_of_its_steps() {
    let fleet = Fleet::start(&ENVIRONMENTS).await;
    let first = fleet.commit(&[("web/deployment.yaml", &deployment("web", "web:1"))]);
    let mut set = set(&fleet, &json!({}));
    set["spec"]["strategy"]["deletionOrder"] = json!("Reverse");
    fleet.apply(set).await;
    until_complete(&fleet, &first).await;
    // Production does not go until somebody lets it.
    let held = json!({"metadata": {"finalizers":
        ["resources-finalizer.argocd.argoproj.io", "post-delete-finalizer.example.com"]}});
    fleet.change("web-prod", held).await;
    fleet
        .eventually("the set is held", async || {
            let meta = sets(&fleet).get("fleet").await.unwrap().metadata;
            meta.finalizers.is_some_and(|all| !all.is_empty())
        })
        .await;
    sets(&fleet)
        .delete("fleet", &DeleteParams::default())
        .await
        .unwrap();
    fleet
        .until("web-prod", "going", Application::is_deleting)
        .await;
    fleet
        .eventually("production is empty", async || {
            image(&fleet, "prod").await.is_empty()
        })
        .await;
    for name in ["web-dev", "web-staging"] {
        assert!(
            !fleet.applications().get(name).await.unwrap().is_deleting(),
            "{name}"
        );
    }
    fleet
        .change("web-prod", json!({"metadata": {"finalizers": null}}))
        .await;
    fleet
        .eventually("all are gone", async || {
            let set = sets(&fleet).get_opt("fleet").await.unwrap();
            let left = fleet
                .applications()
                .list(&kube::api::ListParams::default())
                .await;
            set.is_none() && left.unwrap().items.is_empty()
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_whom_is_told_by_command_and_metric() {
    let fleet = rolled_out(&json!({})).await;
    release(&fleet, "web:broken");
    let text = "Waiting for step 1: web-dev is Progressing";
    until_message(&fleet, "web-prod", text).await;
    let kubeconfig = fleet.hub_kubeconfig().await;
    let argosy = |args: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_argosy"))
            .args(args)
            .arg("--kubeconfig")
            .arg(kubeconfig.path())
            .output()
            .unwrap();
        let (out, err) = (output.stdout, String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{args:?}: {err}");
        String::from_utf8(out).unwrap()
    };
    let table = argosy(&["appset", "get", "fleet", "--rollout"]);
    assert!(
        table.contains("ApplicationSet is performing rollout of step 1"),
        "{table}"
    );
    let row = table
        .lines()
        .find(|line| line.contains("web-prod"))
        .unwrap();
    assert!(row.contains(text), "{table}");
    let view = argosy(&["appset", "get", "fleet", "--rollout", "-o", "json"]);
    let view: Value = serde_json::from_str(&view).unwrap();
    assert_eq!(view["steps"][1]["waiting"], json!(1), "{view:#}");
    assert_eq!(view["applications"][0]["application"], json!("web-dev"));
    let shown = argosy(&["appset", "get", "fleet"]);
    assert!(
        shown.contains("RollingSync") && shown.contains("web-staging"),
        "{shown}"
    );
    let list = argosy(&["appset", "list"]);
    assert!(list.starts_with("NAME") && list.contains("fleet"), "{list}");
    assert_eq!(
        argosy(&["appset", "list", "-o", "name"]).trim(),
        "applicationset.argoproj.io/fleet"
    );

    let metrics = metrics(&fleet).await;
    for line in [
        r#"argosy_appset_rollout_step{name="fleet",namespace="argocd"} 1"#,
        r#"argosy_appset_rollout_applications{name="fleet",namespace="argocd",state="Waiting",step="3"} 1"#,
        r#"argosy_appset_rollout_waiting_since_seconds{name="fleet",namespace="argocd",step="2"}"#,
    ] {
        assert!(metrics.contains(line), "{line} is not in\n{metrics}");
    }
}
