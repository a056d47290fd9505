//! The end of an application: hooks around it, clusters that are gone, and letting go.

use kube::Api;
use kube::api::{DeleteParams, DynamicObject, Patch, PatchParams};
use serde_json::{Value, json};

use crate::fleet::Fleet;
use argosy_test_support::manifest::{automated, config, hook};
use argosy_test_support::wait::{is_well, resource};

fn finalizers(app: &argosy_crds::Application) -> Vec<String> {
    app.metadata.finalizers.clone().unwrap_or_default()
}

async fn delete(fleet: &Fleet, name: &str) {
    let apps = fleet.applications();
    apps.delete(name, &DeleteParams::default()).await.unwrap();
}

async fn until_gone(fleet: &Fleet, name: &str) {
    fleet
        .eventually("the application is gone", async || {
            fleet.applications().get_opt(name).await.unwrap().is_none()
        })
        .await;
}

async fn job(fleet: &Fleet, name: &str) -> Option<Value> {
    fleet
        .live("dev", "batch/v1", "Job", &format!("web/{name}"))
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn hooks_of_the_last_synced_revision_run_before_and_after() {
    let fleet = Fleet::start(&["dev"]).await;
    let succeeded = ", argocd.argoproj.io/hook-delete-policy: HookSucceeded";
    fleet.commit(&[
        ("web/app.yaml", &config("web", "1", "")),
        ("web/before.yaml", &hook("backup", "PreDelete", "")),
        ("web/after.yaml", &hook("tidy", "PostDelete", succeeded)),
    ]);
    fleet
        .apply(automated("web", &fleet.repo(), "web", &fleet.server("dev")))
        .await;
    fleet.until_well("web").await;
    let app = fleet
        .until("web", "marked for its hooks", |app| {
            finalizers(app).len() == 5
        })
        .await;
    assert!(
        finalizers(&app).contains(&"post-delete-finalizer.argocd.argoproj.io/cleanup".to_owned())
    );
    assert!(job(&fleet, "backup").await.is_none());
    fleet.nothing_is_written().await;

    // What git says now is not what lives.
    fleet
        .change("web", json!({"spec": {"syncPolicy": {"automated": null}}}))
        .await;
    fleet.commit(&[("web/before.yaml", &hook("other", "PreDelete", ""))]);
    fleet.push();
    delete(&fleet, "web").await;
    until_gone(&fleet, "web").await;
    assert!(
        job(&fleet, "backup").await.is_some(),
        "ran, and stays as it asks for nothing else"
    );
    assert!(job(&fleet, "other").await.is_none(), "was never synced");
    assert!(
        job(&fleet, "tidy").await.is_none(),
        "ran, and is deleted as it asks"
    );
    assert!(
        fleet
            .live("dev", "v1", "ConfigMap", "web/web")
            .await
            .is_none(),
        "went between the two"
    );
    let written = fleet.workload("dev").sim.requests();
    assert!(written.count("patch", "jobs") >= 2, "both ran");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_of_a_deletion_that_is_not_permitted_is_not_created() {
    let fleet = Fleet::start(&["dev"]).await;
    fleet
        .apply(
            json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject",
            "metadata": {"name": "narrow"},
            "spec": {"sourceRepos": ["*"], "destinations": [{"server": "*", "namespace": "*"}],
                     "clusterResourceWhitelist": [{"group": "", "kind": "Namespace"}],
                     "namespaceResourceBlacklist": [{"group": "batch", "kind": "Job"}]}}),
        )
        .await;
    fleet.commit(&[
        ("web/app.yaml", &config("web", "1", "")),
        ("web/before.yaml", &hook("backup", "PreDelete", "")),
    ]);
    let mut app = automated("web", &fleet.repo(), "web", &fleet.server("dev"));
    app["spec"]["project"] = json!("narrow");
    fleet.apply(app).await;
    fleet
        .until("web", "synced, and marked for its hook", |app| {
            is_well(app) && finalizers(app).len() == 3
        })
        .await;
    delete(&fleet, "web").await;
    let message = fleet.until_condition("web", "DeletionError").await;
    assert_eq!(
        message,
        "resource batch:Job is not permitted in project narrow"
    );
    assert!(job(&fleet, "backup").await.is_none());
    assert!(
        fleet
            .live("dev", "v1", "ConfigMap", "web/web")
            .await
            .is_some()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_without_its_cluster_says_so_until_a_person_lets_go() {
    let fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[("web/app.yaml", &config("web", "1", ""))]);
    fleet
        .apply(automated("web", &fleet.repo(), "web", &fleet.server("dev")))
        .await;
    fleet.until_well("web").await;
    let secrets = fleet.objects(&json!("v1"), &json!("Secret"));
    secrets
        .delete("cluster-dev", &DeleteParams::default())
        .await
        .unwrap();
    fleet.until_condition("web", "InvalidSpecError").await;
    delete(&fleet, "web").await;
    let message = fleet.until_condition("web", "DeletionBlocked").await;
    assert!(
        message.contains("argosy app delete web --abandon"),
        "{message}"
    );

    fleet
        .change(
            "web",
            json!({"metadata": {"annotations": {"argosy.dev/abandon": "ada"}}}),
        )
        .await;
    until_gone(&fleet, "web").await;
    fleet
        .eventually("there is a record of it", async || {
            let events = fleet.events("web").await;
            events.iter().any(|(reason, message)| {
                reason == "DeletionAbandoned"
                    && message.contains("by ada")
                    && message.contains("ConfigMap web/web")
            })
        })
        .await;
    assert!(
        fleet
            .live("dev", "v1", "ConfigMap", "web/web")
            .await
            .is_some()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_application_loses_nothing_to_the_deletion_of_the_old_one_of_its_name() {
    let fleet = Fleet::start(&["dev"]).await;
    let last = config("last", "1", "argocd.argoproj.io/sync-wave: '1'");
    let held = "finalizers: [example.com/held], annotations";
    fleet.commit(&[
        ("web/first.yaml", &config("first", "1", "")),
        ("web/last.yaml", &last.replace("annotations", held)),
    ]);
    let app = automated("web", &fleet.repo(), "web", &fleet.server("dev"));
    fleet.apply(app.clone()).await;
    fleet.until_well("web").await;
    let metadata = async |name: &str| {
        let place = format!("web/{name}");
        let live = fleet.live("dev", "v1", "ConfigMap", &place).await;
        live.map(|live| live["metadata"].clone())
    };
    let uid = async |name: &str| metadata(name).await.map(|metadata| metadata["uid"].clone());
    let before = (uid("first").await, uid("last").await);
    delete(&fleet, "web").await;
    fleet
        .eventually("the deletion has begun", async || {
            metadata("last").await.unwrap()["deletionTimestamp"].is_string()
        })
        .await;

    // Somebody does not want to wait, and makes it anew.
    let free = json!({"metadata": {"finalizers": null}});
    fleet.change("web", free.clone()).await;
    fleet.apply(app).await;
    let maps: Api<DynamicObject> =
        Api::namespaced_with(fleet.client_of("dev"), "web", &resource("v1", "ConfigMap"));
    let params = PatchParams::default();
    maps.patch("last", &params, &Patch::Merge(free))
        .await
        .unwrap();
    fleet
        .eventually("what had to go is made anew", async || {
            let now = uid("last").await;
            now.is_some() && now != before.1
        })
        .await;
    fleet.until_well("web").await;
    assert_eq!(uid("first").await, before.0);
    let requests = fleet.workload("dev").sim.requests();
    assert_eq!(requests.count("delete", "configmaps"), 1);
    fleet.nothing_is_written().await;
}
