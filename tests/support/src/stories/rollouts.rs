//! Progressive syncs: dev before staging before production, and what goes on meanwhile.

use argosy_crds::Application;
use argosy_crds::codes::{HealthStatusCode, SyncStatusCode, appset_condition};
use kube::api::{DeleteParams, ListParams, Patch, PatchParams};
use serde_json::json;

use super::World;
use super::rollout::{ENVIRONMENTS, Rollout};
use super::sets::generated_by;
use crate::wait;

/// A step begins when the one before it is healthy at the new revision, and not before.
pub async fn dev_comes_before_staging_and_staging_before_production(world: &impl World) {
    let rollout = Rollout::started(world, "steps", &json!({})).await;
    world.nothing_is_written().await;
    rollout.release("web:broken");
    let waits = "Waiting for step 1: steps-dev is Progressing";
    rollout.until_message("staging", waits).await;
    assert_eq!(rollout.images().await, ["web:broken", "web:1", "web:1"]);
    let progress = rollout
        .condition(appset_condition::ROLLOUT_PROGRESSING)
        .await;
    assert_eq!(
        progress.unwrap(),
        "ApplicationSet is performing rollout of step 1"
    );
    world.nothing_is_written().await;

    // A newer revision in the middle of the rollout begins where the rollout begins.
    let fixed = rollout.release("web:2");
    rollout.until_complete(&fixed).await;
    assert_eq!(rollout.images().await, ["web:2", "web:2", "web:2"]);
    let mut deployed = Vec::new();
    for env in ENVIRONMENTS {
        let app = rollout.application(env).await;
        let automated = app.spec.sync_policy.clone().unwrap().automated.unwrap();
        assert_eq!(automated.enabled, Some(false));
        let status = app.status.unwrap();
        let by = status.operation_state.unwrap().operation.initiated_by;
        assert_eq!(
            (by.username.as_str(), by.automated),
            ("applicationset-controller", true)
        );
        // Staging and production never saw the broken one.
        assert_eq!(status.history.len(), if env == "dev" { 3 } else { 2 });
        let last = status.history.last().unwrap();
        deployed.push(last.deployed_at.as_ref().map(|at| at.0));
    }
    assert!(deployed.is_sorted(), "{deployed:?}");
    world.nothing_is_written().await;
}

/// Who waits is healed to the revision that runs there, and not brought to the next one.
pub async fn drift_in_a_waiting_cluster_is_healed_to_what_it_runs(world: &impl World) {
    let rollout = Rollout::started(world, "drift", &json!({})).await;
    rollout.release("web:broken");
    rollout.until_message("prod", "Waiting for step 1").await;
    let deployments = rollout.deployments("prod");
    let container = json!({"name": "main", "image": "web:by-hand"});
    let edit = json!({"spec": {"template": {"spec": {"containers": [container]}}}});
    deployments
        .patch("drift", &PatchParams::default(), &Patch::Strategic(edit))
        .await
        .unwrap();
    rollout.until_image("prod", "web:1").await;
    let params = DeleteParams::background();
    deployments.delete("drift", &params).await.unwrap();
    rollout.until_image("prod", "web:1").await;
    let applications = world.applications();
    wait::until(&applications, "drift-prod", "waiting and well", |app| {
        let status = app.status.as_ref().unwrap();
        status.sync.status == SyncStatusCode::OutOfSync
            && status.health.status == Some(HealthStatusCode::Healthy)
    })
    .await;
    assert_eq!(rollout.image("staging").await, "web:1");
    world.nothing_is_written().await;
}

/// `maxUpdate` bounds how many of a step are not yet healthy.
pub async fn a_step_updates_no_more_at_once_than_it_may(world: &impl World) {
    let rollout = Rollout::new(world, "limit");
    let mut set = rollout.set(&json!({}));
    set["spec"]["strategy"]["rollingSync"]["steps"] = json!([{"maxUpdate": 1}]);
    rollout.start(set.clone()).await;
    rollout.release("web:broken");
    // In the order of their names: dev, prod, staging.
    for env in ["prod", "staging"] {
        rollout.until_message(env, "which updates 1 at once").await;
    }
    rollout.until_image("dev", "web:broken").await;
    assert_eq!(rollout.images().await, ["web:broken", "web:1", "web:1"]);
    let second = rollout.release("web:2");
    rollout.until_complete(&second).await;

    set["spec"]["strategy"]["rollingSync"]["steps"] = json!([{"maxUpdate": 0}]);
    world.apply(set).await;
    rollout.release("web:3");
    for env in ENVIRONMENTS {
        let waits = "Waiting because maxUpdate of step 1 is 0";
        rollout.until_message(env, waits).await;
    }
    world.nothing_is_written().await;
    assert_eq!(rollout.images().await, ["web:2", "web:2", "web:2"]);
}

/// The last step goes first, and the next one when nothing of it is left.
pub async fn a_set_can_go_in_the_reverse_order_of_its_steps(world: &impl World) {
    let rollout = Rollout::new(world, "reverse");
    let mut set = rollout.set(&json!({}));
    set["spec"]["strategy"]["deletionOrder"] = json!("Reverse");
    rollout.start(set).await;
    // Production does not go until somebody lets it.
    let held = json!({"metadata": {"finalizers":
        ["resources-finalizer.argocd.argoproj.io", "post-delete-finalizer.example.com/a"]}});
    world.change("reverse-prod", held).await;
    world
        .eventually("the set is held", async || {
            let meta = world.sets().get("reverse").await.unwrap().metadata;
            meta.finalizers.is_some_and(|all| !all.is_empty())
        })
        .await;
    let params = DeleteParams::default();
    world.sets().delete("reverse", &params).await.unwrap();
    let applications = world.applications();
    let is_going = Application::is_deleting;
    wait::until(&applications, "reverse-prod", "going", is_going).await;
    rollout.until_image("prod", "").await;
    for env in ["dev", "staging"] {
        assert!(!rollout.application(env).await.is_deleting(), "{env}");
    }
    let free = json!({"metadata": {"finalizers": null}});
    world.change("reverse-prod", free).await;
    world
        .eventually("all are gone", async || {
            let sets = world.sets().list(&ListParams::default()).await.unwrap();
            let is_there = |name| sets.iter().any(|one| one.metadata.name.as_deref() == name);
            !is_there(Some("reverse")) && generated_by(world, &["reverse"]).await.is_empty()
        })
        .await;
}
