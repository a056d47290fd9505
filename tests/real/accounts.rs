//! With whose rights a hub changes clusters: those of the account that the project names.

use std::sync::Arc;

use argosy_crds::Application;
use argosy_crds::codes::OperationPhase;
use argosy_test_support::manifest::{config, manual};
use argosy_test_support::wait::eventually;
use argosy_test_support::{Authorization, ControlPlane, Options};
use kube::api::{DeleteParams, DynamicObject, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use crate::controllers;
use crate::fleet::Fleet;

/// The cluster that the hub runs on.
const SERVER: &str = "https://kubernetes.default.svc";
const SECRET: &str = "apiVersion: v1\nkind: Secret\nmetadata: {name: b}\nstringData: {b: '1'}\n";

/// Lets the account do this with ConfigMaps, and nothing else.
async fn permit(fleet: &Fleet, verbs: &[&str]) {
    let rbac = |kind: &str, more: Value| {
        let mut object = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind,
                                "metadata": {"name": "deployer"}});
        object
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        object
    };
    let rule = json!({"apiGroups": [""], "resources": ["configmaps"], "verbs": verbs});
    let account = json!({"kind": "ServiceAccount", "name": "deployer", "namespace": "accounts"});
    let role = json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "deployer"});
    for object in [
        rbac("Role", json!({"rules": [rule]})),
        rbac(
            "RoleBinding",
            json!({"subjects": [account], "roleRef": role}),
        ),
    ] {
        let kind = object["kind"].as_str().unwrap();
        let api = fleet.objects(0, "rbac.authorization.k8s.io/v1", kind, "accounts");
        let params = PatchParams::apply("test").force();
        api.patch("deployer", &params, &Patch::Apply(&object))
            .await
            .unwrap();
    }
}

fn results(app: &Application) -> String {
    let state = app.status.as_ref().unwrap().operation_state.as_ref();
    let result = state.unwrap().sync_result.as_ref().unwrap();
    let messages = result.resources.iter().map(|one| one.message.as_str());
    messages.collect::<Vec<_>>().join("; ")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_has_the_rights_of_the_account_that_its_project_names() {
    let plane = ControlPlane::start_with(Options {
        servers: 1,
        authorization: Authorization::Rbac,
    });
    let fleet = Fleet::start_on(Arc::new(plane.await), "hub-accounts").await;
    controllers::play(fleet.plane.client(0));
    fleet
        .apply(json!({"apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "argocd-cm", "labels": {"app.kubernetes.io/part-of": "argocd"}},
            "data": {"application.sync.impersonation.enabled": "true"}}))
        .await;
    fleet
        .apply(json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject",
            "metadata": {"name": "default"}, "spec": {
                "sourceRepos": ["*"], "destinations": [{"server": "*", "namespace": "*"}],
                "clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
                "destinationServiceAccounts": [
                    {"server": SERVER, "namespace": "accounts", "defaultServiceAccount": "deployer"}]}}))
        .await;
    let namespace =
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "accounts"}});
    let namespace: DynamicObject = serde_json::from_value(namespace).unwrap();
    let namespaces = fleet.objects(0, "v1", "Namespace", "");
    namespaces
        .create(&PostParams::default(), &namespace)
        .await
        .unwrap();
    permit(&fleet, &["get", "create", "patch"]).await;
    fleet.tree.commit(&[
        ("all/a.yaml", &config("a", "1", "")),
        ("all/b.yaml", SECRET),
    ]);

    // A project that names no account for a destination gives no rights there.
    let url = fleet.tree.url();
    fleet.apply(manual("elsewhere", &url, "all", SERVER)).await;
    fleet.sync("elsewhere").await;
    let app = fleet.until_ended("elsewhere", OperationPhase::Failed).await;
    let message = app.status.unwrap().operation_state.unwrap().message;
    assert_eq!(
        message,
        format!(
            "no matching service account found for destination server {SERVER} and namespace elsewhere"
        )
    );

    fleet.apply(manual("accounts", &url, "all", SERVER)).await;
    fleet.sync("accounts").await;
    let app = fleet.until_ended("accounts", OperationPhase::Failed).await;
    let told = "User \"system:serviceaccount:accounts:deployer\" cannot patch resource \"secrets\"";
    assert!(results(&app).contains(told), "{}", results(&app));
    assert!(
        fleet
            .live(0, "v1", "ConfigMap", "accounts/a")
            .await
            .is_some()
    );
    assert!(fleet.live(0, "v1", "Secret", "accounts/b").await.is_none());

    let applications = fleet.applications();
    let params = DeleteParams::default();
    applications.delete("accounts", &params).await.unwrap();
    let condition = |app: &Application| {
        let mut conditions = app.status.iter().flat_map(|status| &status.conditions);
        let held = conditions.find(|one| one.type_ == "DeletionError");
        held.map(|one| one.message.clone()).unwrap_or_default()
    };
    let app = fleet
        .until("accounts", "held", |app| !condition(app).is_empty())
        .await;
    let told = "cannot delete resource \"configmaps\"";
    assert!(condition(&app).contains(told), "{}", condition(&app));
    permit(&fleet, &["get", "create", "patch", "delete"]).await;
    eventually("the application is gone", async || {
        applications.get_opt("accounts").await.unwrap().is_none()
    })
    .await;
    assert!(
        fleet
            .live(0, "v1", "ConfigMap", "accounts/a")
            .await
            .is_none()
    );
}
