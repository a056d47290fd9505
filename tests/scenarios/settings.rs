//! What `argocd-cm` says of comparisons and of updates, as the owner of an application sees it.

use argosy_crds::codes::{OperationPhase, SyncStatusCode};
use kube::Api;
use kube::api::{ApiResource, DynamicObject, Patch, PatchParams};
use serde_json::{Value, json};

use crate::compare::{argosy, refresh};
use crate::fleet::Fleet;
use crate::kinds::{DEFINITION, widget};
use argosy_test_support::manifest::{automated, config, manual};
use argosy_test_support::wait::resource;

const ROLE: &str = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: gathered}\n\
    aggregationRule: {clusterRoleSelectors: [{matchLabels: {part: 'yes'}}]}\nrules: []\n";

/// An application that syncs when it is asked to, after its first sync.
async fn synced(fleet: &Fleet, files: &[(&str, &str)]) {
    fleet.commit(files);
    fleet
        .apply(manual("web", &fleet.repo(), "web", &fleet.server("dev")))
        .await;
    fleet.sync("web", json!({})).await;
    fleet.until_ended("web", OperationPhase::Succeeded).await;
    is(fleet, SyncStatusCode::Synced).await;
}

/// Waits until the application is so, and makes sure that it is with another look, too.
async fn is(fleet: &Fleet, status: SyncStatusCode) {
    let has = |app: &argosy_crds::Application| {
        let of = app.status.as_ref();
        of.is_some_and(|of| of.sync.status == status)
    };
    fleet.until("web", status.as_str(), has).await;
    assert!(has(&refresh(fleet, "web").await), "not {status} for long");
}

/// Changes an object of the cluster as one of its controllers does.
async fn edit(
    fleet: &Fleet,
    namespace: Option<&str>,
    kind: &ApiResource,
    name: &str,
    patch: Value,
) {
    let client = fleet.client_of("dev");
    let api: Api<DynamicObject> = match namespace {
        Some(namespace) => Api::namespaced_with(client, namespace, kind),
        None => Api::all_with(client, kind),
    };
    let patch = Patch::Merge(patch);
    api.patch(name, &PatchParams::default(), &patch)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rules_of_aggregated_roles_are_left_out_where_that_is_asked_for() {
    let fleet = Fleet::start(&["dev"]).await;
    synced(&fleet, &[("web/role.yaml", ROLE)]).await;
    let roles = resource("rbac.authorization.k8s.io/v1", "ClusterRole");
    let gathered = json!({"rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]});
    edit(&fleet, None, &roles, "gathered", gathered).await;
    is(&fleet, SyncStatusCode::OutOfSync).await;
    let options = "ignoreAggregatedRoles: true";
    let options = json!({"resource.compareoptions": options});
    fleet.configure("argocd-cm", options).await;
    is(&fleet, SyncStatusCode::Synced).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_in_git_counts_only_where_that_is_asked_for() {
    let fleet = Fleet::start(&["dev"]).await;
    let told = format!("{}status: {{phase: git}}\n", widget(1));
    let files = [("web/crd.yaml", DEFINITION), ("web/w.yaml", &told)];
    synced(&fleet, &files).await;
    let widgets = resource("example.com/v1", "Widget");
    let phase = json!({"status": {"phase": "live"}});
    edit(&fleet, Some("web"), &widgets, "w", phase).await;
    is(&fleet, SyncStatusCode::Synced).await;
    for (which, status) in [
        ("none", SyncStatusCode::OutOfSync),
        ("all", SyncStatusCode::Synced),
        ("crd", SyncStatusCode::OutOfSync),
    ] {
        let options = format!("ignoreResourceStatusField: {which}");
        let options = json!({"resource.compareoptions": options});
        fleet.configure("argocd-cm", options).await;
        is(&fleet, status).await;
    }
}

/// Edits what nobody compares, several times, and returns how often an application was looked at
/// because of it. Each edit has arrived before the next one.
async fn looks_for_noise(fleet: &Fleet) -> u64 {
    fleet.nothing_is_written().await;
    let configs = resource("v1", "ConfigMap");
    let before = fleet.reconciles();
    for round in 0..ROUNDS {
        let due = fleet.changes_of("ConfigMap") + 1;
        let noise = json!({"data": {"noise": format!("{before}-{round}")}});
        edit(fleet, Some("web"), &configs, "a", noise).await;
        fleet
            .eventually("the edit has arrived", || async {
                fleet.changes_of("ConfigMap") >= due
            })
            .await;
    }
    fleet.reconciles() - before
}

const ROUNDS: u64 = 8;

#[tokio::test(flavor = "multi_thread")]
async fn an_update_of_what_is_ignored_has_nobody_look() {
    let fleet = Fleet::start(&["dev"]).await;
    let path = "jsonPointers: [/data/noise]";
    let updates = json!({"resource.customizations.ignoreResourceUpdates.ConfigMap": path});
    fleet.configure("argocd-cm", updates).await;
    fleet.commit(&[("web/a.yaml", &config("a", "1", ""))]);
    fleet
        .apply(automated("web", &fleet.repo(), "web", &fleet.server("dev")))
        .await;
    fleet.until_well("web").await;
    assert_eq!(looks_for_noise(&fleet).await, 0);

    // What no comparison looks at is no reason either, unless somebody says that it is.
    let differences = "resource.customizations.ignoreDifferences.ConfigMap";
    let updates = "resource.customizations.ignoreResourceUpdates.ConfigMap";
    let settings = json!({differences: path, updates: ""});
    fleet.configure("argocd-cm", settings).await;
    refresh(&fleet, "web").await;
    assert_eq!(looks_for_noise(&fleet).await, 0);
    let all = json!({differences: path, updates: "",
        "resource.compareoptions": "ignoreDifferencesOnResourceUpdates: false"});
    fleet.configure("argocd-cm", all).await;
    refresh(&fleet, "web").await;
    let before = fleet.reconciles();
    looks_for_noise(&fleet).await;
    fleet
        .eventually("somebody looks", || async { fleet.reconciles() > before })
        .await;
    // Whatever wakes nobody, what differs is healed.
    let edited = json!({"data": {"a": "2"}});
    edit(
        &fleet,
        Some("web"),
        &resource("v1", "ConfigMap"),
        "a",
        edited,
    )
    .await;
    fleet
        .eventually("the edit is undone", || async {
            let live = fleet.live("dev", "v1", "ConfigMap", "web/a").await;
            live.is_some_and(|live| live["data"]["a"] == json!("1"))
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sensitive_is_masked_in_every_answer() {
    let fleet = Fleet::start(&["dev"]).await;
    let sensitive = json!({"resource.sensitive.mask.annotations": "example.com/token"});
    fleet.configure("argocd-cm", sensitive).await;
    let secret = |token: &str| {
        format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: s, annotations: {{example.com/token: {token}, \
             example.com/team: blue}}}}\nstringData: {{password: canary-password}}\n"
        )
    };
    synced(&fleet, &[("web/s.yaml", &secret("canary-one"))]).await;
    fleet.commit(&[("web/s.yaml", &secret("canary-two"))]);
    let answers: [(&[&str], i32); 4] = [
        (&["app", "manifests", "web"], 0),
        (&["app", "manifests", "web", "--source", "live"], 0),
        (&["app", "diff", "web"], 1),
        (&["app", "diff", "web", "-o", "json"], 1),
    ];
    for (args, expected) in answers {
        let (out, problem, code) = argosy(&fleet, args).await;
        assert_eq!(code, expected, "{args:?}: {problem}");
        assert!(
            out.contains("example.com/token") && out.contains("++++++++"),
            "{out}"
        );
        assert!(out.contains("blue"), "{out}");
        assert!(
            !out.contains("canary") && !problem.contains("canary"),
            "{out}{problem}"
        );
    }
}
