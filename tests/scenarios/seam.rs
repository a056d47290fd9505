//! What a project does not permit is never sent to a cluster.

use argosy_crds::codes::OperationPhase;
use serde_json::{Value, json};

use crate::fleet::Fleet;
use argosy_test_support::manifest::{automated, config, hook, manual};

const ROLE: &str = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: all}\nrules: []\n";

fn project() -> Value {
    json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject", "metadata": {"name": "narrow"},
           "spec": {"sourceRepos": ["*"], "destinations": [{"server": "*", "namespace": "web"}],
                    "clusterResourceWhitelist": [{"group": "", "kind": "Namespace"}],
                    "namespaceResourceBlacklist": [{"group": "batch", "kind": "Job"}]}})
}

/// Syncs a directory with one object that the project does not permit beside one that it does.
async fn refused(object: &str, why: &str) {
    let fleet = Fleet::start(&["dev"]).await;
    fleet.apply(project()).await;
    fleet.commit(&[
        (
            "web/first.yaml",
            &config("first", "1", "argocd.argoproj.io/sync-wave: '-9'"),
        ),
        ("web/bad.yaml", object),
    ]);
    let mut app = manual("web", &fleet.repo(), "web", &fleet.server("dev"));
    app["spec"]["project"] = json!("narrow");
    fleet.apply(app).await;
    fleet.sync("web", json!({})).await;
    let app = fleet.until_ended("web", OperationPhase::Failed).await;
    let state = app.status.unwrap().operation_state.unwrap();
    assert!(state.message.contains(why), "{}", state.message);
    assert_eq!(fleet.workload("dev").sim.requests().writes(), 0, "{why}");
    fleet.nothing_is_written().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_of_any_phase_that_is_not_permitted_stops_the_sync_before_its_first_write() {
    for phase in ["PreSync", "Sync", "PostSync", "SyncFail"] {
        let job = hook("job", phase, "");
        refused(
            &job,
            "resource batch:Job is not permitted in project narrow",
        )
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_or_kind_that_is_not_permitted_stops_the_sync_before_its_first_write() {
    let elsewhere = config("a", "1", "").replace("{name: a,", "{name: a, namespace: kube-system,");
    refused(
        &elsewhere,
        "namespace kube-system is not permitted in project 'narrow'",
    )
    .await;
    refused(ROLE, "ClusterRole is not permitted in project narrow").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_automated_sync_goes_on_with_the_next_commit() {
    let fleet = Fleet::start(&["dev"]).await;
    fleet.apply(project()).await;
    fleet.commit(&[
        ("web/bad.yaml", ROLE),
        ("web/a.yaml", &config("a", "1", "")),
    ]);
    let mut app = automated("web", &fleet.repo(), "web", &fleet.server("dev"));
    app["spec"]["project"] = json!("narrow");
    fleet.apply(app).await;
    fleet.until_ended("web", OperationPhase::Failed).await;
    fleet.commit(&[("web/bad.yaml", "")]);
    fleet.push();
    fleet.until_well("web").await;
    fleet.until_ended("web", OperationPhase::Succeeded).await;
}
