//! The life of an application on a real cluster, and of objects that the API server fills in.

use kube::api::{DeleteParams, DynamicObject, Patch, PatchParams, PostParams};
use serde_json::json;

use crate::controllers;
use crate::fleet::Fleet;
use argosy_test_support::manifest::{automated, config};
use argosy_test_support::wait::{eventually, is_synced, is_well};

const CONFIG: &str =
    "{apiVersion: v1, kind: ConfigMap, metadata: {name: settings}, data: {a: '1'}}";

/// Objects whose stored form says much more than, or something else than, their manifest.
const FILLED_IN: &str = include_str!("filled-in.yaml");

/// Where kubectl notes what it applied.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

fn deployment(image: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web}}\nspec:\n  replicas: 1\n  \
         selector: {{matchLabels: {{app: web}}}}\n  template:\n    metadata: {{labels: {{app: web}}}}\n    \
         spec: {{containers: [{{name: main, image: '{image}'}}]}}\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_comes_changes_is_healed_and_goes() {
    let fleet = Fleet::start("hub-life").await;
    controllers::play(fleet.plane.client(1));
    fleet.register_with_token("dev", 1, json!({})).await;
    fleet.tree.commit(&[
        ("web/deployment.yaml", &deployment("web:1")),
        ("web/config.yaml", CONFIG),
    ]);
    let server = fleet.server(1).url();
    fleet
        .apply(automated("life", &fleet.tree.url(), "web", server))
        .await;
    let app = fleet.until_well("life").await;
    assert_eq!(app.status.unwrap().history.len(), 1);

    let maps = fleet.objects(1, "v1", "ConfigMap", "life");
    let edit = json!({"data": {"a": "2"}});
    maps.patch("settings", &PatchParams::default(), &Patch::Merge(edit))
        .await
        .unwrap();
    eventually("the edit is undone", async || {
        let map = maps.get("settings").await.unwrap();
        map.data["data"]["a"] == "1"
    })
    .await;

    let second = fleet.tree.commit(&[
        ("web/deployment.yaml", &deployment("web:2")),
        ("web/config.yaml", ""),
    ]);
    fleet.push();
    fleet
        .until("life", "at the second commit", |app| {
            app.status.as_ref().unwrap().sync.revision == second && is_well(app)
        })
        .await;
    let live = fleet.live(1, "apps/v1", "Deployment", "life/web").await;
    let image = &live.unwrap()["spec"]["template"]["spec"]["containers"][0]["image"];
    assert_eq!(*image, json!("web:2"));
    assert!(
        fleet
            .live(1, "v1", "ConfigMap", "life/settings")
            .await
            .is_none()
    );

    let applications = fleet.applications();
    applications
        .delete("life", &DeleteParams::default())
        .await
        .unwrap();
    eventually("the application is gone", async || {
        applications.get_opt("life").await.unwrap().is_none()
    })
    .await;
    assert!(
        fleet
            .live(1, "apps/v1", "Deployment", "life/web")
            .await
            .is_none()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_fills_in_is_no_difference() {
    let fleet = Fleet::start("hub-filled").await;
    fleet.register_with_certificate("dev", 1, json!({})).await;
    fleet.tree.commit(&[("all/objects.yaml", FILLED_IN)]);
    let mut app = automated("filled", &fleet.tree.url(), "all", fleet.server(1).url());
    // What is not healed shows.
    app["spec"]["syncPolicy"]["automated"]["selfHeal"] = json!(false);
    fleet.apply(app).await;
    fleet.until("filled", "synced", is_synced).await;
    for _ in 0..2 {
        let refresh = json!({"metadata": {"annotations": {"argocd.argoproj.io/refresh": "hard"}}});
        fleet
            .applications()
            .patch("filled", &PatchParams::default(), &Patch::Merge(refresh))
            .await
            .unwrap();
        let app = fleet
            .until("filled", "refreshed", |app| {
                let annotations = app.metadata.annotations.as_ref();
                annotations.is_none_or(|all| !all.contains_key("argocd.argoproj.io/refresh"))
            })
            .await;
        let status = app.status.clone().unwrap();
        let differing: Vec<_> = status
            .resources
            .iter()
            .filter(|one| {
                one.status
                    .is_some_and(|status| status.to_string() != "Synced")
            })
            .map(|one| format!("{}/{}", one.kind, one.name))
            .collect();
        assert!(is_synced(&app), "{differing:?}");
        assert_eq!(status.history.len(), 1, "it was synced once");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_git_drops_of_a_secrets_plain_text_goes() {
    let secret = |data: &str| {
        format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: s}}\nstringData: {{{data}}}\n")
    };
    let fleet = Fleet::start("hub-dropped").await;
    fleet.register_with_certificate("dev", 1, json!({})).await;
    fleet
        .tree
        .commit(&[("all/s.yaml", &secret("a: '1', b: '2'"))]);
    let server = fleet.server(1).url();
    fleet
        .apply(automated("dropped", &fleet.tree.url(), "all", server))
        .await;
    fleet.until_well("dropped").await;
    fleet.tree.commit(&[("all/s.yaml", &secret("a: '1'"))]);
    fleet.push();
    eventually("the key is gone", async || {
        let live = fleet.live(1, "v1", "Secret", "dropped/s").await.unwrap();
        live["data"] == json!({"a": "MQ=="})
    })
    .await;
    fleet.until_well("dropped").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_applied_client_side_is_taken_over() {
    let fleet = Fleet::start("hub-taken").await;
    fleet.register_with_certificate("dev", 1, json!({})).await;
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "taken"}});
    let namespace: DynamicObject = serde_json::from_value(namespace).unwrap();
    let namespaces = fleet.objects(1, "v1", "Namespace", "");
    let params = PostParams::default();
    namespaces.create(&params, &namespace).await.unwrap();
    let applied = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "s"},
                         "data": {"a": "1", "b": "2"}});
    let mut object = applied.clone();
    object["metadata"]["annotations"] = json!({LAST_APPLIED: applied.to_string()});
    let object: DynamicObject = serde_json::from_value(object).unwrap();
    let maps = fleet.objects(1, "v1", "ConfigMap", "taken");
    let params = PostParams {
        field_manager: Some("kubectl-client-side-apply".to_owned()),
        ..PostParams::default()
    };
    maps.create(&params, &object).await.unwrap();
    let edit = json!({"data": {"c": "3"}});
    maps.patch("s", &PatchParams::default(), &Patch::Merge(edit))
        .await
        .unwrap();

    fleet.tree.commit(&[("all/s.yaml", &config("s", "1", ""))]);
    let server = fleet.server(1).url();
    fleet
        .apply(automated("taken", &fleet.tree.url(), "all", server))
        .await;
    fleet.until_well("taken").await;
    let live = maps.get("s").await.unwrap();
    let ours_and_others = json!({"a": "1", "c": "3"});
    assert_eq!(
        live.data["data"], ours_and_others,
        "b is not in git any more"
    );
    let annotations = live.metadata.annotations.unwrap();
    assert!(!annotations.contains_key(LAST_APPLIED));
    fleet.nothing_is_written().await;
}
