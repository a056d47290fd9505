//! What changes while a sync is under way.

use argosy::fleet::ObjectName;
use argosy_crds::Application;
use argosy_crds::application::OperationState;
use argosy_crds::codes::{HealthStatusCode, OperationPhase, SyncStatusCode};
use argosy_test_support::manifest::{automated, config, hook, manual};
use argosy_test_support::wait::resource;
use kube::Api;
use kube::api::{DeleteParams, DynamicObject, Patch, PatchParams};
use serde_json::{Value, json};

use crate::fleet::Fleet;

/// Counts ConfigMaps that say so as not ready yet.
const HEALTH: &str = "hs = {status = 'Healthy'}\nif obj.data.a == 'stuck' then hs.status = 'Progressing' end\nreturn hs";

fn state(app: &Application) -> OperationState {
    let status = app.status.clone().unwrap_or_default();
    status.operation_state.unwrap_or_default()
}

/// A project that permits everything, and more fields of its spec.
fn project(more: &Value) -> Value {
    let mut project = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject", "metadata": {"name": "team"},
        "spec": {"sourceRepos": ["*"], "destinations": [{"server": "*", "namespace": "*"}],
                 "clusterResourceWhitelist": [{"group": "*", "kind": "*"}]},
    });
    for (field, value) in more.as_object().into_iter().flatten() {
        project["spec"][field] = value.clone();
    }
    project
}

/// An application of that project.
fn of_the_team(fleet: &Fleet) -> Value {
    let mut app = manual("web", &fleet.repo(), "web", &fleet.server("dev"));
    app["spec"]["project"] = json!("team");
    app
}

/// A sync of two waves that waits between them.
async fn fleet_between_two_waves() -> Fleet {
    let fleet = Fleet::start(&["dev"]).await;
    fleet
        .configure(
            "argocd-cm",
            json!({"resource.customizations.health.ConfigMap": HEALTH}),
        )
        .await;
    fleet.apply(project(&json!({}))).await;
    let late = "argocd.argoproj.io/sync-wave: '1'";
    let account = format!(
        "apiVersion: v1\nkind: ServiceAccount\nmetadata: {{name: late, annotations: {{{late}}}}}\n"
    );
    fleet.commit(&[
        ("web/first.yaml", &config("first", "stuck", "")),
        ("web/late.yaml", &account),
    ]);
    fleet.apply(of_the_team(&fleet)).await;
    fleet.sync("web", json!({})).await;
    fleet
        .eventually("the first wave is applied", async || {
            let first = fleet.live("dev", "v1", "ConfigMap", "web/first").await;
            first.is_some()
        })
        .await;
    fleet
}

/// What the first wave waits for comes about.
async fn get_well(fleet: &Fleet) {
    let maps: Api<DynamicObject> =
        Api::namespaced_with(fleet.client_of("dev"), "web", &resource("v1", "ConfigMap"));
    let well = Patch::Merge(json!({"data": {"a": "well"}}));
    maps.patch("first", &PatchParams::default(), &well)
        .await
        .unwrap();
}

/// Waits until the hub has looked at the application once more, from the beginning.
async fn looked_at_again(fleet: &Fleet) {
    let annotation = "argocd.argoproj.io/refresh";
    let refresh = json!({"metadata": {"annotations": {annotation: "normal"}}});
    fleet.change("web", refresh).await;
    fleet
        .until("web", "looked at again", |app| {
            let annotations = app.metadata.annotations.as_ref();
            annotations.is_none_or(|all| !all.contains_key(annotation))
        })
        .await;
}

/// A hook that runs for ever.
fn suspended() -> String {
    let hook = hook("migrate", "PreSync", "");
    hook.replace("spec:\n  template", "spec:\n  suspend: true\n  template")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_project_forbids_meanwhile_is_not_applied() {
    let fleet = fleet_between_two_waves().await;
    let forbidden =
        json!({"namespaceResourceBlacklist": [{"group": "", "kind": "ServiceAccount"}]});
    fleet.apply(project(&forbidden)).await;
    let app = fleet.until_ended("web", OperationPhase::Failed).await;
    let message = state(&app).message;
    assert!(
        message.contains("resource :ServiceAccount is not permitted in project team"),
        "{message}"
    );
    let requests = fleet.workload("dev").sim.requests();
    assert_eq!(requests.count("patch", "serviceaccounts"), 0);
    fleet.nothing_is_written().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_that_closes_lets_the_wave_end_and_holds_the_next() {
    let fleet = fleet_between_two_waves().await;
    let closed =
        json!([{"kind": "deny", "schedule": "* * * * *", "duration": "1h", "applications": ["*"]}]);
    fleet.apply(project(&json!({"syncWindows": closed}))).await;
    let team = ObjectName::new("argocd", "team");
    fleet
        .eventually("the hub knows of the window", async || {
            let index = fleet.hub.fleet.index();
            let project = index.projects.read(&team).unwrap();
            !project.spec.sync_windows.is_empty()
        })
        .await;
    // A look that began before that may still be under way.
    looked_at_again(&fleet).await;
    get_well(&fleet).await;
    fleet
        .until("web", "held by the window", |app| {
            state(app).message == "Sync operation blocked by sync window"
        })
        .await;
    let requests = fleet.workload("dev").sim.requests();
    assert_eq!(requests.count("patch", "serviceaccounts"), 0);

    fleet.apply(project(&json!({}))).await;
    fleet.until_ended("web", OperationPhase::Succeeded).await;
    assert_eq!(requests.count("patch", "serviceaccounts"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_ends_with_its_application_and_not_with_the_name_of_it() {
    let fleet = fleet_between_two_waves().await;
    let free = json!({"metadata": {"finalizers": null}});
    fleet.change("web", free).await;
    let params = DeleteParams::default();
    fleet.applications().delete("web", &params).await.unwrap();
    fleet.apply(of_the_team(&fleet)).await;
    looked_at_again(&fleet).await;
    get_well(&fleet).await;
    looked_at_again(&fleet).await;
    let app = fleet.applications().get("web").await.unwrap();
    let status = app.status.unwrap();
    assert_eq!((status.operation_state, status.history), (None, Vec::new()));
    let requests = fleet.workload("dev").sim.requests();
    assert_eq!(requests.count("patch", "serviceaccounts"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_that_never_ends_is_ended_with_its_sync_when_the_time_is_over() {
    let fleet = Fleet::start(&["dev"]).await;
    let limit = json!({"controller.sync.timeout.seconds": "1"});
    fleet.configure("argocd-cmd-params-cm", limit).await;
    fleet.commit(&[
        ("web/pre.yaml", &suspended()),
        ("web/a.yaml", &config("a", "1", "")),
    ]);
    fleet
        .apply(manual("web", &fleet.repo(), "web", &fleet.server("dev")))
        .await;
    fleet.sync("web", json!({})).await;
    let app = fleet.until_ended("web", OperationPhase::Failed).await;
    let told = "Operation terminated, triggered by controller sync timeout";
    assert_eq!(state(&app).message, told);
    fleet
        .eventually("the hook is gone", async || {
            let hook = fleet.live("dev", "batch/v1", "Job", "web/migrate").await;
            hook.is_none()
        })
        .await;
    let live = fleet.live("dev", "v1", "ConfigMap", "web/a").await;
    assert!(live.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_that_somebody_deletes_has_failed() {
    let fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[
        ("web/pre.yaml", &suspended()),
        ("web/a.yaml", &config("a", "1", "")),
    ]);
    fleet
        .apply(manual("web", &fleet.repo(), "web", &fleet.server("dev")))
        .await;
    fleet.sync("web", json!({})).await;
    fleet
        .eventually("the hook is there", async || {
            let hook = fleet.live("dev", "batch/v1", "Job", "web/migrate").await;
            hook.is_some()
        })
        .await;
    let jobs: Api<DynamicObject> =
        Api::namespaced_with(fleet.client_of("dev"), "web", &resource("batch/v1", "Job"));
    // The hub's own finalizer keeps it until the hub has seen that.
    let params = DeleteParams::default();
    jobs.delete("migrate", &params).await.unwrap();
    let app = fleet.until_ended("web", OperationPhase::Failed).await;
    let result = state(&app).sync_result.unwrap();
    let hook = result.resources.iter().find(|one| one.name == "migrate");
    let message = &hook.unwrap().message;
    assert!(message.contains("deleted before its end"), "{message}");
    fleet
        .eventually("the hook is gone", async || {
            jobs.get_opt("migrate").await.unwrap().is_none()
        })
        .await;
    let live = fleet.live("dev", "v1", "ConfigMap", "web/a").await;
    assert!(live.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_that_somebody_writes_is_not_believed() {
    let fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[("web/a.yaml", &config("a", "1", ""))]);
    fleet
        .apply(automated("web", &fleet.repo(), "web", &fleet.server("dev")))
        .await;
    let before = fleet.until_well("web").await.status.unwrap();
    let foreign = json!({"version": "v1", "kind": "Secret", "namespace": "kube-system",
                         "name": "keys", "status": "OutOfSync", "requiresPruning": true});
    let forged = json!({"status": {
        "sync": {"status": "OutOfSync", "revision": "0000000000000000000000000000000000000000"},
        "health": {"status": "Degraded"}, "resources": [foreign]}});
    fleet.change("web", forged).await;
    looked_at_again(&fleet).await;
    fleet
        .until("web", "told as it is", |app| {
            let status = app.status.clone().unwrap_or_default();
            status.sync.status == SyncStatusCode::Synced
                && status.health.status == Some(HealthStatusCode::Healthy)
                && status.sync.revision == before.sync.revision
                && status.resources == before.resources
        })
        .await;
    let requests = fleet.workload("dev").sim.requests();
    assert_eq!(requests.count("delete", "secrets"), 0);
}
