//! ApplicationSets: what they generate comes, follows and goes; what cannot be generated stays.

use std::collections::BTreeSet;

use argosy_crds::ApplicationSet;
use kube::Api;
use kube::api::{DeleteParams, DynamicObject};
use serde_json::{Value, json};

use crate::fleet::Fleet;
use argosy_test_support::manifest::config;

/// A set whose applications are named and placed by templates.
fn set(name: &str, go: bool, generators: &Value, app: &str, path: &str, fleet: &Fleet) -> Value {
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "ApplicationSet", "metadata": {"name": name},
        "spec": {
            "goTemplate": go, "goTemplateOptions": ["missingkey=error"], "generators": generators,
            "template": {
                "metadata": {"name": app},
                "spec": {
                    "project": "default",
                    "source": {"repoURL": fleet.repo(), "path": path, "targetRevision": "main"},
                    "destination": {"name": "dev", "namespace": "web"},
                },
            },
        },
    })
}

async fn names(fleet: &Fleet) -> BTreeSet<String> {
    let all = fleet
        .applications()
        .list(&kube::api::ListParams::default())
        .await
        .unwrap();
    all.into_iter()
        .map(|app| app.metadata.name.unwrap())
        .collect()
}

async fn until_names(fleet: &Fleet, wanted: &[&str]) {
    let wanted: BTreeSet<_> = wanted.iter().map(|name| (*name).to_owned()).collect();
    fleet
        .eventually(&format!("the applications are {wanted:?}"), async || {
            names(fleet).await == wanted
        })
        .await;
}

fn sets(fleet: &Fleet) -> Api<ApplicationSet> {
    Api::namespaced(fleet.client.clone(), "argocd")
}

/// Waits for a true condition of the set and returns its message.
async fn until_error(fleet: &Fleet, name: &str) -> String {
    let api = sets(fleet);
    let api = &api;
    let error = || async move {
        let set = api.get(name).await.unwrap();
        let conditions = set
            .status
            .map(|status| status.conditions)
            .unwrap_or_default();
        let found = conditions
            .into_iter()
            .find(|one| one.type_ == "ErrorOccurred" && one.status == "True");
        found.map(|one| one.message)
    };
    fleet
        .eventually("the set tells of an error", async || {
            error().await.is_some()
        })
        .await;
    error().await.unwrap()
}

async fn until_clean(fleet: &Fleet, name: &str) {
    let api = sets(fleet);
    let api = &api;
    fleet
        .eventually("the set is up to date", || async move {
            let set = api.get(name).await.unwrap();
            let conditions = set
                .status
                .map(|status| status.conditions)
                .unwrap_or_default();
            conditions
                .iter()
                .any(|one| one.type_ == "ResourcesUpToDate" && one.status == "True")
                && conditions
                    .iter()
                    .all(|one| one.type_ != "ErrorOccurred" || one.status == "False")
        })
        .await;
}

fn app_deletes(fleet: &Fleet) -> u64 {
    fleet.hub_sim.requests().count("delete", "applications")
}

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

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_keeps_a_set_from_updating_or_deleting() {
    let fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[
        ("web/a.yaml", &config("a", "1", "")),
        ("two/a.yaml", &config("a", "1", "")),
    ]);
    for (policy, updates, deletes) in [
        ("create-only", false, false),
        ("create-update", true, false),
        ("create-delete", false, true),
    ] {
        let names = [format!("{policy}-a"), format!("{policy}-b")];
        let with = |path: &str, apps: &[&str]| {
            let elements: Vec<_> = apps.iter().map(|app| json!({"app": app})).collect();
            let list = json!([{"list": {"elements": elements}}]);
            let mut set = set(
                policy,
                true,
                &list,
                &format!("{policy}-{{{{.app}}}}"),
                path,
                &fleet,
            );
            set["spec"]["syncPolicy"] = json!({"applicationsSync": policy});
            set
        };
        fleet.apply(with("web", &["a", "b"])).await;
        for name in &names {
            fleet
                .eventually("it is created", async || {
                    fleet.applications().get_opt(name).await.unwrap().is_some()
                })
                .await;
        }
        fleet.apply(with("two", &["a", "c"])).await;
        let new = format!("{policy}-c");
        fleet
            .eventually("the new one is created", async || {
                fleet.applications().get_opt(&new).await.unwrap().is_some()
            })
            .await;
        until_clean(&fleet, policy).await;
        let path = |app: argosy_crds::Application| app.spec.sources()[0].path.clone();
        let first = fleet.applications().get(&names[0]).await.unwrap();
        assert_eq!(path(first) == "two", updates, "{policy}");
        fleet
            .eventually("the second is as the policy says", async || {
                fleet
                    .applications()
                    .get_opt(&names[1])
                    .await
                    .unwrap()
                    .is_none()
                    == deletes
            })
            .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_generated_leaves_the_applications_as_they_are() {
    let fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[
        ("dirs/a/x.yaml", &config("x", "1", "")),
        ("dirs/b/x.yaml", &config("x", "1", "")),
    ]);
    let url = fleet.repo();
    let dirs =
        json!([{"git": {"repoURL": url, "revision": "main", "directories": [{"path": "dirs/*"}]}}]);
    let good = set("dirs", true, &dirs, "{{.path.basename}}", "dirs/a", &fleet);
    fleet.apply(good.clone()).await;
    until_names(&fleet, &["a", "b"]).await;
    until_clean(&fleet, "dirs").await;

    for broken in [
        "{{.path.basename",
        "{{.no.such.thing}}",
        "{{.path.basename | fail}}",
    ] {
        fleet
            .apply(set("dirs", true, &dirs, broken, "dirs/a", &fleet))
            .await;
        let why = until_error(&fleet, "dirs").await;
        assert!(!why.is_empty());
        assert_eq!(
            (names(&fleet).await.len(), app_deletes(&fleet)),
            (2, 0),
            "{why}"
        );
        fleet.apply(good.clone()).await;
        until_clean(&fleet, "dirs").await;
    }

    fleet.hide_repository(true);
    let why = until_error(&fleet, "dirs").await;
    assert!(why.contains("repo"), "{why}");
    assert_eq!((names(&fleet).await.len(), app_deletes(&fleet)), (2, 0));
    fleet.hide_repository(false);
    fleet.commit(&[("dirs/c/x.yaml", &config("x", "1", ""))]);
    fleet.push();
    until_names(&fleet, &["a", "b", "c"]).await;
    until_clean(&fleet, "dirs").await;
    fleet.nothing_is_written().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_that_starts_without_the_repository_keeps_what_was_generated() {
    let mut fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[("dirs/a/x.yaml", &config("x", "1", ""))]);
    let url = fleet.repo();
    let dirs =
        json!([{"git": {"repoURL": url, "revision": "main", "directories": [{"path": "dirs/*"}]}}]);
    fleet
        .apply(set(
            "dirs",
            true,
            &dirs,
            "{{.path.basename}}",
            "dirs/a",
            &fleet,
        ))
        .await;
    until_names(&fleet, &["a"]).await;
    fleet.hide_repository(true);
    fleet.restart_hub();
    until_error(&fleet, "dirs").await;
    assert_eq!((names(&fleet).await.len(), app_deletes(&fleet)), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_name_twice_is_an_error_and_nothing_is_done() {
    let fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[("web/a.yaml", &config("a", "1", ""))]);
    let twice = json!([{"list": {"elements": [{"app": "a", "n": "1"}, {"app": "a", "n": "2"}]}}]);
    fleet
        .apply(set("twice", true, &twice, "{{.app}}", "web", &fleet))
        .await;
    let why = until_error(&fleet, "twice").await;
    assert!(
        why.contains('a') && why.to_lowercase().contains("duplicate"),
        "{why}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn two_sets_with_one_name_leave_it_to_the_first() {
    let fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[
        ("web/a.yaml", &config("a", "1", "")),
        ("two/a.yaml", &config("a", "1", "")),
    ]);
    let one = json!([{"list": {"elements": [{"app": "shared"}]}}]);
    fleet
        .apply(set("first", true, &one, "{{.app}}", "web", &fleet))
        .await;
    until_names(&fleet, &["shared"]).await;
    until_clean(&fleet, "first").await;
    fleet
        .apply(set("second", true, &one, "{{.app}}", "two", &fleet))
        .await;
    let why = until_error(&fleet, "second").await;
    assert!(why.contains("shared"), "{why}");
    let app = fleet.applications().get("shared").await.unwrap();
    assert_eq!(app.spec.sources()[0].path, "web");
    fleet.nothing_is_written().await;
    sets(&fleet)
        .delete("second", &DeleteParams::default())
        .await
        .unwrap();
    fleet.nothing_is_written().await;
    assert!(
        fleet
            .applications()
            .get_opt("shared")
            .await
            .unwrap()
            .is_some()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_that_somebody_changes_or_deletes_is_made_again() {
    let fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[("web/a.yaml", &config("a", "1", ""))]);
    let one = json!([{"list": {"elements": [{"app": "a"}]}}]);
    fleet
        .apply(set("one", true, &one, "{{.app}}", "web", &fleet))
        .await;
    until_names(&fleet, &["a"]).await;
    fleet
        .change("a", json!({"spec": {"source": {"path": "elsewhere"}}}))
        .await;
    fleet
        .until("a", "as generated", |app| {
            app.spec.sources()[0].path == "web"
        })
        .await;
    let before = fleet.applications().get("a").await.unwrap().metadata.uid;
    fleet
        .applications()
        .delete("a", &DeleteParams::default())
        .await
        .unwrap();
    fleet
        .eventually("it is there again", async || {
            let app = fleet.applications().get_opt("a").await.unwrap();
            app.is_some_and(|app| app.metadata.uid != before)
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_set_is_told_which_field_and_stops_no_other() {
    let fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[("web/a.yaml", &config("a", "1", ""))]);
    fleet.without_schema("applicationsets.argoproj.io").await;
    let one = json!([{"list": {"elements": [{"app": "a"}]}}]);
    let mut bad = set("bad", true, &one, "{{.app}}", "web", &fleet);
    bad["spec"]["generators"] = json!({"list": "no list"});
    let api: Api<DynamicObject> = fleet.objects(&bad["apiVersion"], &bad["kind"]);
    api.create(
        &kube::api::PostParams::default(),
        &serde_json::from_value(bad).unwrap(),
    )
    .await
    .unwrap();
    fleet
        .apply(set("good", true, &one, "{{.app}}", "web", &fleet))
        .await;
    until_names(&fleet, &["a"]).await;
    fleet
        .eventually("the field is named", async || {
            let bad = api.get("bad").await.unwrap();
            bad.data["status"]["conditions"]
                .to_string()
                .contains("spec.generators")
        })
        .await;
    fleet.nothing_is_written().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_that_goes_takes_its_applications_along_or_leaves_them() {
    let fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[("web/a.yaml", &config("a", "1", ""))]);
    let one = json!([{"list": {"elements": [{"app": "a"}]}}]);
    fleet
        .apply(set("one", true, &one, "{{.app}}", "web", &fleet))
        .await;
    until_names(&fleet, &["a"]).await;
    sets(&fleet)
        .delete("one", &DeleteParams::background())
        .await
        .unwrap();
    until_names(&fleet, &[]).await;
}
