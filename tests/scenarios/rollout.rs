//! Progressive syncs: what happens when a step goes wrong, takes long, or the hub is killed.

use argosy_crds::application_set::ApplicationSetApplicationStatus;
use argosy_crds::codes::{HealthStatusCode, appset_condition};
use argosy_test_support::manifest::config;
use argosy_test_support::stories::World as _;
use argosy_test_support::stories::guard::hash;
use argosy_test_support::stories::rollout::{ENVIRONMENTS, Rollout};
use argosy_test_support::stories::sets;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::{Value, json};

use crate::fleet::Fleet;
use crate::program::argosy;
use crate::secrets::metrics;

fn web(fleet: &Fleet) -> Rollout<'_, Fleet> {
    Rollout::new(fleet, "web")
}

/// A deadline that passes while a story waits for it; what has to become healthy gets none, because
/// nobody knows how slow the machine is.
fn deadline(on_failure: &str) -> Value {
    json!({"progressDeadline": "2s", "onFailure": on_failure})
}

fn patience(on_failure: &str) -> Value {
    json!({"progressDeadline": "1h", "onFailure": on_failure})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_takes_too_long_stops_the_rollout_until_there_is_something_newer() {
    let fleet = Fleet::start(&ENVIRONMENTS).await;
    let rollout = Rollout::started(&fleet, "web", &patience("stop")).await;
    rollout.give_steps(&deadline("stop")).await;
    rollout.release("web:broken");
    fleet
        .eventually("the rollout stops", async || {
            let stopped = rollout.condition(appset_condition::ROLLOUT_STOPPED).await;
            stopped.is_some_and(|text| text.contains("web-dev is not healthy after 2s"))
        })
        .await;
    assert_eq!(rollout.images().await, ["web:broken", "web:1", "web:1"]);
    let status = fleet.sets().get("web").await.unwrap().status.unwrap();
    assert_eq!(status.health.status, Some(HealthStatusCode::Degraded));
    fleet.nothing_is_written().await;
    rollout.give_steps(&patience("stop")).await;
    let second = rollout.release("web:2");
    rollout.until_complete(&second).await;
    assert_eq!(
        rollout.condition(appset_condition::ROLLOUT_STOPPED).await,
        None
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_failed_goes_back_to_what_was_healthy_and_stays_there() {
    let fleet = Fleet::start(&ENVIRONMENTS).await;
    let rollout = Rollout::started(&fleet, "web", &patience("rollback")).await;
    rollout.give_steps(&deadline("rollback")).await;
    let broken = rollout.release("web:broken");
    rollout
        .until_message("dev", "because it is not healthy after 2s")
        .await;
    rollout.until_image("dev", "web:1").await;
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
    assert_eq!(rollout.images().await, ["web:1", "web:1", "web:1"]);
    rollout
        .deployments("dev")
        .delete("web", &DeleteParams::default())
        .await
        .unwrap();
    rollout.until_image("dev", "web:1").await;
    rollout.give_steps(&patience("rollback")).await;
    let second = rollout.release("web:2");
    rollout.until_complete(&second).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollout_that_waits_for_approval_goes_on_with_it() {
    let fleet = Fleet::start(&ENVIRONMENTS).await;
    let count = json!({"argosy.guard.count": "0"});
    fleet.configure("argocd-cm", count).await;
    let rollout = Rollout::started(&fleet, "web", &json!({})).await;
    let mut fewer = rollout.set(&json!({}));
    let generators = &mut fewer["spec"]["generators"][0];
    let elements = generators["list"]["elements"].as_array_mut().unwrap();
    elements.truncate(2);
    fleet.apply(fewer).await;
    let message = sets::until_condition(&fleet, "web", appset_condition::APPROVAL_NEEDED).await;
    assert!(message.contains("delete 1 (web-prod) of 3"), "{message}");
    let second = rollout.release("web:2");
    fleet
        .until("web-dev", "compared with the new commit", |app| {
            app.status.as_ref().unwrap().sync.revision == second
        })
        .await;
    fleet.nothing_is_written().await;
    assert_eq!(rollout.images().await, ["web:1", "web:1", "web:1"]);
    let kubeconfig = fleet.hub_kubeconfig().await;
    let ask = ["appset", "get", "web", "--rollout"];
    let told = argosy(kubeconfig.path(), &ask).await.text;
    assert!(
        told.contains("ApprovalNeeded") && told.contains("web-prod"),
        "{told}"
    );

    let plan = hash(&message);
    let approve = ["appset", "approve", "web", "--plan", &plan];
    let answer = argosy(kubeconfig.path(), &approve).await;
    assert_eq!(answer.code, 0, "{answer:?}");
    for env in ["dev", "staging"] {
        rollout.until_image(env, "web:2").await;
    }
    fleet
        .eventually("the rollout is complete without web-prod", async || {
            let set = fleet.sets().get("web").await.unwrap();
            let entries = set.status.unwrap().application_status;
            let is_done = |entry: &ApplicationSetApplicationStatus| {
                entry.status == "Healthy" && entry.target_revisions == [second.as_str()]
            };
            entries.len() == 2 && entries.iter().all(is_done)
        })
        .await;
    assert_eq!(
        rollout.condition(appset_condition::APPROVAL_NEEDED).await,
        None
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_soaks_before_the_next_one_begins() {
    let fleet = Fleet::start(&ENVIRONMENTS).await;
    let rollout = Rollout::started(&fleet, "web", &json!({"soak": "3s"})).await;
    let second = rollout.release("web:2");
    rollout
        .until_message("staging", "step 1 has to stay healthy")
        .await;
    rollout.until_complete(&second).await;
    let mut steps = Vec::new();
    for env in ENVIRONMENTS {
        let status = rollout.application(env).await.status.unwrap();
        let healthy_since = status.health.last_transition_time.unwrap();
        let began = status.operation_state.unwrap().started_at.unwrap();
        steps.push((began.0, healthy_since.0));
    }
    for pair in steps.windows(2) {
        let soaked = pair[1].0.duration_since(pair[0].1).as_secs();
        assert!(soaked >= 3, "{soaked} s: {steps:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_that_is_killed_in_the_middle_goes_on_where_it_was() {
    let mut fleet = Fleet::start(&ENVIRONMENTS).await;
    Rollout::started(&fleet, "web", &json!({"soak": "1s"})).await;
    let broken = web(&fleet).release("web:broken");
    web(&fleet)
        .until_message("staging", "Waiting for step 1")
        .await;
    fleet.restart_hub();
    fleet.push();
    web(&fleet)
        .until_message("staging", "web-dev is Progressing")
        .await;
    fleet.nothing_is_written().await;
    assert_eq!(web(&fleet).images().await, ["web:broken", "web:1", "web:1"]);
    let second = web(&fleet).release("web:2");
    for env in ENVIRONMENTS {
        web(&fleet).until_image(env, "web:2").await;
        fleet.restart_hub();
        fleet.push();
    }
    web(&fleet).until_complete(&second).await;
    for env in ENVIRONMENTS {
        let history = web(&fleet).application(env).await.status.unwrap().history;
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
async fn who_waits_for_whom_is_told_by_command_and_metric() {
    let fleet = Fleet::start(&ENVIRONMENTS).await;
    let rollout = Rollout::started(&fleet, "web", &json!({})).await;
    rollout.release("web:broken");
    let text = "Waiting for step 1: web-dev is Progressing";
    rollout.until_message("prod", text).await;
    let kubeconfig = fleet.hub_kubeconfig().await;
    let argosy = async |args: &[&str]| {
        let answer = argosy(kubeconfig.path(), args).await;
        assert_eq!(answer.code, 0, "{answer:?}");
        answer.text
    };
    let table = argosy(&["appset", "get", "web", "--rollout"]).await;
    assert!(
        table.contains("ApplicationSet is performing rollout of step 1"),
        "{table}"
    );
    let row = table
        .lines()
        .find(|line| line.contains("web-prod"))
        .unwrap();
    assert!(row.contains(text), "{table}");
    let view = argosy(&["appset", "get", "web", "--rollout", "-o", "json"]).await;
    let view: Value = serde_json::from_str(&view).unwrap();
    assert_eq!(view["steps"][1]["waiting"], json!(1), "{view:#}");
    assert_eq!(view["applications"][0]["application"], json!("web-dev"));
    let shown = argosy(&["appset", "get", "web"]).await;
    assert!(
        shown.contains("RollingSync") && shown.contains("web-staging"),
        "{shown}"
    );
    let list = argosy(&["appset", "list"]).await;
    assert!(list.starts_with("NAME") && list.contains("web"), "{list}");
    assert_eq!(
        argosy(&["appset", "list", "-o", "name"]).await.trim(),
        "applicationset.argoproj.io/web"
    );

    let metrics = metrics(&fleet).await;
    for line in [
        r#"argosy_appset_rollout_step{name="web",namespace="argocd"} 1"#,
        r#"argosy_appset_rollout_applications{name="web",namespace="argocd",state="Waiting",step="3"} 1"#,
        r#"argosy_appset_rollout_waiting_since_seconds{name="web",namespace="argocd",step="2"}"#,
    ] {
        assert!(metrics.contains(line), "{line} is not in\n{metrics}");
    }
}

/// A project whose sync windows are these.
fn project(windows: &Value) -> Value {
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject", "metadata": {"name": "calm"},
        "spec": {
            "sourceRepos": ["*"], "destinations": [{"server": "*", "namespace": "*"}],
            "clusterResourceWhitelist": [{"group": "*", "kind": "*"}], "syncWindows": windows,
        },
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_sync_window_holds_up_its_step_and_those_after_it_until_it_opens() {
    let fleet = Fleet::start(&ENVIRONMENTS).await;
    let rollout = web(&fleet);
    fleet.apply(project(&json!([]))).await;
    let mut set = rollout.set(&json!({}));
    set["spec"]["template"]["spec"]["project"] = json!("calm");
    rollout.start(set).await;
    let closed = json!([{"kind": "deny", "schedule": "* * * * *", "duration": "1h",
        "applications": ["web-staging"]}]);
    fleet.apply(project(&closed)).await;
    let second = rollout.release("web:2");
    let message = "Waiting for a sync window to open";
    rollout.until_message("staging", message).await;
    let waits = "Waiting for step 2: web-staging is held back by a sync window";
    rollout.until_message("prod", waits).await;
    assert_eq!(rollout.images().await, ["web:2", "web:1", "web:1"]);
    fleet.nothing_is_written().await;
    let kubeconfig = fleet.hub_kubeconfig().await;
    let ask = ["appset", "get", "web", "--rollout"];
    let told = argosy(kubeconfig.path(), &ask).await.text;
    assert!(told.contains(message) && told.contains(waits), "{told}");
    fleet.apply(project(&json!([]))).await;
    rollout.until_complete(&second).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn applications_of_several_sources_go_step_by_step_are_healed_and_go_back() {
    let fleet = Fleet::start(&ENVIRONMENTS).await;
    let rollout = web(&fleet);
    let release = |image: &str, value: &str| {
        fleet.commit(&[("conf/settings.yaml", &config("settings", value, ""))]);
        rollout.release(image)
    };
    let of_both = |rules: &Value| {
        let mut set = rollout.set(rules);
        let spec = set["spec"]["template"]["spec"].as_object_mut().unwrap();
        let mut both = vec![spec.remove("source").unwrap(); 2];
        both[1]["path"] = json!("conf");
        spec.insert("sources".to_owned(), json!(both));
        set
    };
    let first = release("web:1", "1");
    fleet.apply(of_both(&patience("rollback"))).await;
    rollout.until_complete_at(&[&first, &first]).await;

    release("web:broken", "2");
    rollout.until_image("dev", "web:broken").await;
    rollout.until_message("prod", "Waiting for step 1").await;
    let maps: Api<ConfigMap> = Api::namespaced(fleet.client_of("prod"), "web-prod");
    let value = async |env: &str| {
        let maps: Api<ConfigMap> = Api::namespaced(fleet.client_of(env), &rollout.app(env));
        let map = maps.get("settings").await.unwrap();
        map.data.unwrap_or_default()["a"].clone()
    };
    let by_hand = Patch::Merge(json!({"data": {"a": "by hand"}}));
    let params = PatchParams::default();
    maps.patch("settings", &params, &by_hand).await.unwrap();
    fleet.apply(of_both(&deadline("rollback"))).await;
    for env in ["prod", "dev"] {
        // In production it is healed, and in dev it goes back with all the rest.
        let is_as_before = async || value(env).await == "1";
        fleet
            .eventually(&format!("the settings of {env}"), is_as_before)
            .await;
    }
    rollout.until_image("dev", "web:1").await;
    assert_eq!(rollout.images().await, ["web:1", "web:1", "web:1"]);

    fleet.apply(of_both(&patience("rollback"))).await;
    let third = release("web:3", "3");
    rollout.until_complete_at(&[&third, &third]).await;
    for env in ENVIRONMENTS {
        assert_eq!(value(env).await, "3");
    }
    fleet.nothing_is_written().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn as_many_clusters_may_be_dead_as_the_step_allows_and_they_follow_later() {
    let fleet = Fleet::start(&ENVIRONMENTS).await;
    let rollout = web(&fleet);
    let mut set = rollout.set(&json!({}));
    let not_prod = json!([{"key": "env", "operator": "NotIn", "values": ["prod"]}]);
    let rules = json!({"maxFailures": 1, "progressDeadline": "4s", "matchExpressions": not_prod});
    let steps = &mut set["spec"]["strategy"]["rollingSync"]["steps"];
    *steps = json!([rules, {}]);
    rollout.start(set).await;
    let dead = fleet.workload("dev").sim.clone();
    dead.faults().stop();
    let second = rollout.release("web:2");
    rollout.until_image("prod", "web:2").await;
    rollout.until_image("staging", "web:2").await;
    let failed = "Application failed: it is not healthy after 4s";
    rollout.until_message("dev", failed).await;
    let stopped = rollout.condition(appset_condition::ROLLOUT_STOPPED).await;
    assert_eq!(stopped, None);
    dead.faults().start();
    rollout.until_complete(&second).await;
    assert_eq!(rollout.images().await, ["web:2", "web:2", "web:2"]);
}
