//! Sets and applications outside of the hub's namespace, as far as the hub allows them.

use argosy_crds::{AppProject, Application, ApplicationSet};
use argosy_test_support::manifest::config;
use argosy_test_support::wait::is_well;
use k8s_openapi::api::core::v1::Namespace;
use kube::Api;
use kube::api::{Patch, PatchParams, PostParams};
use serde_json::json;

use super::set;
use crate::fleet::Fleet;

#[tokio::test(flavor = "multi_thread")]
async fn a_set_makes_applications_in_its_own_namespace_where_that_is_allowed() {
    let fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[("web/a.yaml", &config("a", "1", ""))]);
    let key = "applicationsetcontroller.namespaces";
    fleet
        .configure("argocd-cmd-params-cm", json!({key: "team-*"}))
        .await;
    let namespaces: Api<Namespace> = Api::all(fleet.client.clone());
    for name in ["team-a", "other"] {
        let namespace = json!({"metadata": {"name": name}});
        namespaces
            .create(
                &PostParams::default(),
                &serde_json::from_value(namespace).unwrap(),
            )
            .await
            .unwrap();
        let one = json!([{"list": {"elements": [{"app": "web"}]}}]);
        let mut set = set("one", true, &one, "{{.app}}", "web", &fleet);
        set["spec"]["template"]["spec"]["syncPolicy"] =
            json!({"automated": {}, "syncOptions": ["CreateNamespace=true"]});
        let sets: Api<ApplicationSet> = Api::namespaced(fleet.client.clone(), name);
        sets.create(
            &PostParams::default(),
            &serde_json::from_value(set).unwrap(),
        )
        .await
        .unwrap();
    }

    // Sets are allowed there, but nobody would look at the applications.
    let sets: Api<ApplicationSet> = Api::namespaced(fleet.client.clone(), "team-a");
    let sets = &sets;
    fleet
        .eventually("the setting is named", async || {
            let status = sets.get("one").await.unwrap().status.unwrap_or_default();
            let mut conditions = status.conditions.iter();
            conditions.any(|one| one.message.contains("application.namespaces"))
        })
        .await;
    let both = json!({key: "team-*", "application.namespaces": "team-*"});
    fleet.configure("argocd-cmd-params-cm", both).await;

    // The project does not admit applications of that namespace yet, which the application says.
    let applications: Api<Application> = Api::namespaced(fleet.client.clone(), "team-a");
    let api = &applications;
    let told = |text: &'static str| async move {
        let app = api.get_opt("web").await.unwrap();
        let conditions = app
            .and_then(|app| app.status)
            .unwrap_or_default()
            .conditions;
        conditions.iter().any(|one| one.message.contains(text))
    };
    fleet
        .eventually("the project is named", || {
            told("is not permitted to use project 'default'")
        })
        .await;
    let projects: Api<AppProject> = Api::namespaced(fleet.client.clone(), "argocd");
    let admit = json!({"spec": {"sourceNamespaces": ["team-*"]}});
    projects
        .patch("default", &PatchParams::default(), &Patch::Merge(admit))
        .await
        .unwrap();
    fleet
        .eventually("it is synced and healthy", async || {
            api.get("web").await.is_ok_and(|app| is_well(&app))
        })
        .await;
    let object = fleet.live("dev", "v1", "ConfigMap", "web/a").await.unwrap();
    let tracking = &object["metadata"]["annotations"]["argocd.argoproj.io/tracking-id"];
    assert_eq!(tracking, "team-a_web:/ConfigMap:web/a");

    // Nobody looks at the other namespace.
    let elsewhere: Api<ApplicationSet> = Api::namespaced(fleet.client.clone(), "other");
    assert!(elsewhere.get("one").await.unwrap().status.is_none());
    let elsewhere: Api<Application> = Api::namespaced(fleet.client.clone(), "other");
    assert!(elsewhere.get_opt("web").await.unwrap().is_none());
    fleet.nothing_is_written().await;
}
