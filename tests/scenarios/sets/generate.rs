//! Every generator makes applications, and they follow what it reads.

use argosy_test_support::manifest::config;
use kube::Api;
use kube::api::DeleteParams;
use serde_json::json;

use super::{names, set, until_clean, until_error, until_names};
use crate::fleet::Fleet;

#[tokio::test(flavor = "multi_thread")]
async fn every_generator_creates_updates_and_deletes_in_both_template_modes() {
    let fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[
        ("dirs/a/x.yaml", &config("x", "1", "")),
        ("dirs/b/x.yaml", &config("x", "1", "")),
        ("files/one.json", r#"{"app": "one"}"#),
    ]);
    let url = fleet.repo();
    let list = |names: &[&str]| {
        let elements: Vec<_> = names.iter().map(|name| json!({"app": name})).collect();
        json!([{"list": {"elements": elements}}])
    };
    let dirs =
        json!([{"git": {"repoURL": url, "revision": "main", "directories": [{"path": "dirs/*"}]}}]);
    let files =
        json!([{"git": {"repoURL": url, "revision": "main", "files": [{"path": "files/*.json"}]}}]);
    let clusters = json!([{"clusters": {"selector": {"matchLabels": {"env": "dev"}}}}]);
    let matrix = json!([{"matrix": {"generators": [list(&["m"])[0], clusters[0]]}}]);
    let merge = json!([{"merge": {"mergeKeys": ["app"], "generators": [list(&["g"])[0], list(&["g"])[0]]}}]);
    let go = |fast: &str, go: &str, is_go: bool| {
        if is_go {
            go.to_owned()
        } else {
            fast.to_owned()
        }
    };
    for is_go in [false, true] {
        let app = go("{{app}}", "{{.app}}", is_go);
        let name = go("l-{{app}}", "l-{{.app}}", is_go);
        fleet
            .apply(set(
                "list",
                is_go,
                &list(&["a", "b"]),
                &name,
                "dirs/a",
                &fleet,
            ))
            .await;
        let name = go("d-{{path.basename}}", "d-{{.path.basename}}", is_go);
        fleet
            .apply(set("dirs", is_go, &dirs, &name, "dirs/a", &fleet))
            .await;
        fleet
            .apply(set(
                "files",
                is_go,
                &files,
                &format!("f-{app}"),
                "dirs/a",
                &fleet,
            ))
            .await;
        let name = go("c-{{name}}", "c-{{.name}}", is_go);
        fleet
            .apply(set("clusters", is_go, &clusters, &name, "dirs/a", &fleet))
            .await;
        let name = go("x-{{app}}-{{name}}", "x-{{.app}}-{{.name}}", is_go);
        fleet
            .apply(set("matrix", is_go, &matrix, &name, "dirs/a", &fleet))
            .await;
        fleet
            .apply(set(
                "merge",
                is_go,
                &merge,
                &format!("y-{app}"),
                "dirs/a",
                &fleet,
            ))
            .await;
        let all = [
            "c-dev", "d-a", "d-b", "f-one", "l-a", "l-b", "x-m-dev", "y-g",
        ];
        until_names(&fleet, &all).await;
        for set in ["list", "dirs", "files", "clusters", "matrix", "merge"] {
            until_clean(&fleet, set).await;
        }
        fleet.nothing_is_written().await;

        let name = go("l-{{app}}", "l-{{.app}}", is_go);
        fleet
            .apply(set(
                "list",
                is_go,
                &list(&["a", "c"]),
                &name,
                "dirs/b",
                &fleet,
            ))
            .await;
        until_names(
            &fleet,
            &[
                "c-dev", "d-a", "d-b", "f-one", "l-a", "l-c", "x-m-dev", "y-g",
            ],
        )
        .await;
        fleet
            .until("l-a", "following its template", |app| {
                app.spec.sources()[0].path == "dirs/b"
            })
            .await;
        fleet.commit(&[
            ("dirs/b/x.yaml", ""),
            ("files/two.json", r#"{"app": "two"}"#),
        ]);
        fleet.push();
        until_names(
            &fleet,
            &[
                "c-dev", "d-a", "f-one", "f-two", "l-a", "l-c", "x-m-dev", "y-g",
            ],
        )
        .await;
        fleet.commit(&[
            ("dirs/b/x.yaml", &config("x", "1", "")),
            ("files/two.json", ""),
        ]);
        fleet.push();
        until_names(
            &fleet,
            &[
                "c-dev", "d-a", "d-b", "f-one", "l-a", "l-c", "x-m-dev", "y-g",
            ],
        )
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_follows_the_registered_clusters() {
    let mut fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[("web/a.yaml", &config("a", "1", ""))]);
    let all = json!([{"clusters": {"selector": {"matchExpressions": [{"key": "env", "operator": "Exists"}]}}}]);
    fleet
        .apply(set("fleet", true, &all, "web-{{.name}}", "web", &fleet))
        .await;
    until_names(&fleet, &["web-dev"]).await;
    fleet.add_cluster("prod").await;
    until_names(&fleet, &["web-dev", "web-prod"]).await;
    let secrets: Api<k8s_openapi::api::core::v1::Secret> =
        Api::namespaced(fleet.client.clone(), "argocd");
    secrets
        .delete("cluster-prod", &DeleteParams::default())
        .await
        .unwrap();
    until_names(&fleet, &["web-dev"]).await;

    // A Secret that lost its server hides a cluster; its application is not taken for surplus.
    let nameless = json!({"data": {"server": null, "config": null}});
    secrets
        .patch(
            "cluster-dev",
            &kube::api::PatchParams::default(),
            &kube::api::Patch::Merge(nameless),
        )
        .await
        .unwrap();
    let why = until_error(&fleet, "fleet").await;
    assert!(why.contains("has no server"), "{why}");
    assert_eq!(names(&fleet).await.len(), 1);
}
