//! Comparisons as users ask for them: what is ignored, shared, foreign, and how it is told.

use std::process::Command;

use argosy_crds::Application;
use argosy_crds::application::ResourceStatus;
use argosy_crds::codes::{OperationPhase, SyncStatusCode};
use kube::Api;
use kube::api::{ApiResource, DeleteParams, DynamicObject, Patch, PatchParams, PostParams};
use kube::core::GroupVersionKind;
use serde_json::{Value, json};

use crate::fleet::Fleet;
use argosy_test_support::manifest::{automated, config, deployment, manual};
use argosy_test_support::wait::is_well;

/// Changes an object of the cluster `dev` as somebody else.
async fn edit(fleet: &Fleet, api_version: &str, kind: &str, place: &str, patch: Value) {
    let (namespace, name) = place.split_once('/').unwrap();
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
    let api: Api<DynamicObject> =
        Api::namespaced_with(fleet.client_of("dev"), namespace, &resource);
    api.patch(name, &PatchParams::default(), &Patch::Merge(patch))
        .await
        .unwrap();
}

/// An application `web` whose replicas are somebody else's business.
fn scaled_by_others(fleet: &Fleet, options: &[&str]) -> Value {
    let mut app = automated("web", &fleet.repo(), "web", &fleet.server("dev"));
    let options: Vec<_> = ["CreateNamespace=true"].iter().chain(options).collect();
    app["spec"]["syncPolicy"]["syncOptions"] = json!(options);
    app["spec"]["ignoreDifferences"] =
        json!([{"group": "apps", "kind": "Deployment", "jsonPointers": ["/spec/replicas"]}]);
    app
}

async fn web(fleet: &Fleet) -> Value {
    let live = fleet.live("dev", "apps/v1", "Deployment", "web/web").await;
    live.unwrap()["spec"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_leaves_alone_what_is_ignored_where_it_is_asked_to() {
    let fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[("web/web.yaml", &deployment("web", "web:1"))]);
    fleet
        .apply(scaled_by_others(&fleet, &["RespectIgnoreDifferences=true"]))
        .await;
    fleet.until_well("web").await;
    edit(
        &fleet,
        "apps/v1",
        "Deployment",
        "web/web",
        json!({"spec": {"replicas": 3}}),
    )
    .await;
    fleet.nothing_is_written().await;

    for (image, replicas) in [("web:2", 3), ("web:3", 3)] {
        let commit = fleet.commit(&[("web/web.yaml", &deployment("web", image))]);
        fleet.push();
        fleet
            .until("web", "at the commit", |app| {
                is_well(app) && app.status.as_ref().unwrap().sync.revision == commit
            })
            .await;
        let spec = web(&fleet).await;
        assert_eq!(
            spec["template"]["spec"]["containers"][0]["image"],
            json!(image)
        );
        assert_eq!(spec["replicas"], json!(replicas));
    }
    fleet.nothing_is_written().await;

    // Without the option a sync sets what git says, although nobody compares it.
    fleet.apply(scaled_by_others(&fleet, &[])).await;
    fleet.commit(&[("web/web.yaml", &deployment("web", "web:4"))]);
    fleet.push();
    fleet
        .eventually("git's replicas are back", || async {
            web(&fleet).await["replicas"] == json!(1)
        })
        .await;
}

/// A ConfigMap in a namespace of its own choice.
fn placed(namespace: &str, name: &str, value: &str, annotations: &str) -> String {
    config(name, value, annotations).replace(
        &format!("{{name: {name},"),
        &format!("{{name: {name}, namespace: {namespace},"),
    )
}

async fn live_config(fleet: &Fleet, place: &str) -> Option<Value> {
    fleet.live("dev", "v1", "ConfigMap", place).await
}

fn resource<'a>(app: &'a Application, name: &str) -> Option<&'a ResourceStatus> {
    let resources = &app.status.as_ref()?.resources;
    resources.iter().find(|one| one.name == name)
}

/// Has the hub look at an application anew and waits until it has.
pub(crate) async fn refresh(fleet: &Fleet, name: &str) -> Application {
    let annotation = json!({"argocd.argoproj.io/refresh": "normal"});
    fleet
        .change(name, json!({"metadata": {"annotations": annotation}}))
        .await;
    fleet
        .until(name, "refreshed", |app| {
            app.annotation("argocd.argoproj.io/refresh").is_none()
        })
        .await
}

/// Runs the program against the hub: what it printed, what it complained of, and its exit code.
pub(crate) async fn argosy(fleet: &Fleet, args: &[&str]) -> (String, String, i32) {
    let kubeconfig = fleet.hub_kubeconfig().await;
    let path = kubeconfig.path().to_owned();
    let args: Vec<_> = args.iter().map(|arg| (*arg).to_owned()).collect();
    let ran = tokio::task::spawn_blocking(move || {
        Command::new(env!("CARGO_BIN_EXE_argosy"))
            .args(args)
            .env("KUBECONFIG", path)
            .output()
            .unwrap()
    });
    let output = ran.await.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (
        text(output.stdout),
        text(output.stderr),
        output.status.code().unwrap(),
    )
}

async fn answer(fleet: &Fleet, args: &[&str]) -> Value {
    let (out, problem, code) = argosy(fleet, args).await;
    assert!(code < 2, "{args:?}: {problem}");
    serde_json::from_str(&out).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_of_two_applications_stays_with_the_first_and_the_second_is_told() {
    let fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[
        ("one/a.yaml", &placed("first", "a", "1", "")),
        ("two/a.yaml", &placed("first", "a", "2", "")),
        ("two/own.yaml", &config("own", "1", "")),
    ]);
    fleet
        .apply(automated(
            "first",
            &fleet.repo(),
            "one",
            &fleet.server("dev"),
        ))
        .await;
    fleet.until_well("first").await;
    fleet
        .apply(automated(
            "second",
            &fleet.repo(),
            "two",
            &fleet.server("dev"),
        ))
        .await;
    let why = fleet
        .until_condition("second", "SharedResourceWarning")
        .await;
    assert!(
        why.contains("argocd/first") && why.contains("argocd/second"),
        "{why}"
    );
    let app = fleet.until_well("second").await;
    assert_eq!(
        resource(&app, "a").unwrap().status,
        Some(SyncStatusCode::OutOfSync)
    );
    fleet.nothing_is_written().await;
    let live = live_config(&fleet, "first/a").await.unwrap();
    assert_eq!(live["data"]["a"], json!("1"));
    let (out, problem, code) = argosy(&fleet, &["app", "diff", "second"]).await;
    assert_eq!(
        (out.as_str(), code),
        ("", 0),
        "no sync writes it: {problem}"
    );
    assert!(
        fleet
            .until_well("first")
            .await
            .status
            .unwrap()
            .conditions
            .is_empty()
    );

    let sync = json!({"sync": {"syncOptions": ["FailOnSharedResource=true"]}});
    fleet.change("second", json!({"operation": sync})).await;
    let app = fleet.until_ended("second", OperationPhase::Failed).await;
    let message = app.status.unwrap().operation_state.unwrap().message;
    assert!(
        message.contains("Shared resource found: ConfigMap/a"),
        "{message}"
    );

    // What is left behind may be taken over.
    fleet
        .change("first", json!({"metadata": {"finalizers": null}}))
        .await;
    let applications = fleet.applications();
    applications
        .delete("first", &DeleteParams::default())
        .await
        .unwrap();
    fleet.sync("second", json!({})).await;
    fleet
        .eventually("the second has it", || async {
            let live = live_config(&fleet, "first/a").await.unwrap();
            live["data"]["a"] == json!("2")
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copied_tracking_id_makes_nothing_an_applications_own() {
    let fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[("web/a.yaml", &config("a", "1", ""))]);
    fleet
        .apply(automated("web", &fleet.repo(), "web", &fleet.server("dev")))
        .await;
    fleet.until_well("web").await;
    let maps: Api<DynamicObject> = configs(&fleet);
    let copy = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "copy",
        "annotations": {"argocd.argoproj.io/tracking-id": "web:/ConfigMap:web/a"}}});
    let copy = serde_json::from_value(copy).unwrap();
    maps.create(&PostParams::default(), &copy).await.unwrap();
    let app = refresh(&fleet, "web").await;
    assert!(is_well(&app) && resource(&app, "copy").is_none());
    fleet.nothing_is_written().await;
    assert!(maps.get_opt("copy").await.unwrap().is_some());
}

fn configs(fleet: &Fleet) -> Api<DynamicObject> {
    let kind = ApiResource::from_gvk(&GroupVersionKind::gvk("", "v1", "ConfigMap"));
    Api::namespaced_with(fleet.client_of("dev"), "web", &kind)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_extra_and_says_so_leaves_the_application_in_sync() {
    let fleet = Fleet::start(&["dev"]).await;
    let extra = "argocd.argoproj.io/compare-options: IgnoreExtraneous";
    fleet.commit(&[
        ("web/a.yaml", &config("a", "1", "")),
        ("web/b.yaml", &config("b", "1", extra)),
    ]);
    fleet
        .apply(manual("web", &fleet.repo(), "web", &fleet.server("dev")))
        .await;
    fleet.sync("web", json!({})).await;
    fleet.until_ended("web", OperationPhase::Succeeded).await;
    fleet.commit(&[("web/b.yaml", "")]);
    fleet.push();
    let app = fleet
        .until("web", "told of the extra object", |app| {
            resource(app, "b").is_some_and(|one| one.status == Some(SyncStatusCode::OutOfSync))
        })
        .await;
    assert_eq!(app.status.unwrap().sync.status, SyncStatusCode::Synced);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_lives_beside_an_application_is_told_where_the_project_asks() {
    let fleet = Fleet::start(&["dev"]).await;
    fleet
        .apply(json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject",
            "metadata": {"name": "watched"}, "spec": {"sourceRepos": ["*"],
                "destinations": [{"server": "*", "namespace": "*"}],
                "clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
                "orphanedResources": {"warn": true, "ignore": [{"kind": "ConfigMap", "name": "known-*"}]}}}))
        .await;
    fleet.commit(&[("web/a.yaml", &config("a", "1", ""))]);
    let kind = ApiResource::from_gvk(&GroupVersionKind::gvk("", "v1", "Namespace"));
    let namespaces: Api<DynamicObject> = Api::all_with(fleet.client_of("dev"), &kind);
    let web = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "web"}});
    let web = serde_json::from_value(web).unwrap();
    namespaces
        .create(&PostParams::default(), &web)
        .await
        .unwrap();
    for name in ["left-over", "known-one"] {
        let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}});
        let map = serde_json::from_value(map).unwrap();
        configs(&fleet)
            .create(&PostParams::default(), &map)
            .await
            .unwrap();
    }
    let mut app = automated("web", &fleet.repo(), "web", &fleet.server("dev"));
    app["spec"]["project"] = json!("watched");
    fleet.apply(app).await;
    let why = fleet
        .until_condition("web", "OrphanedResourceWarning")
        .await;
    assert_eq!(why, "Application has 1 orphaned resources");
    fleet.until_well("web").await;
    let orphans = answer(
        &fleet,
        &["app", "resources", "web", "--orphaned", "-o", "json"],
    )
    .await;
    assert_eq!(orphans["items"].as_array().unwrap().len(), 1, "{orphans}");
    assert_eq!(orphans["items"][0]["name"], "left-over");
    let own = answer(&fleet, &["app", "resources", "web", "-o", "json"]).await;
    assert_eq!(own["items"][0]["name"], "a");
    assert_eq!(own["items"][0]["orphaned"], json!(false));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_that_names_nothing_is_told_and_one_that_does_is_not() {
    let fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[("web/web.yaml", &deployment("web", "web:1"))]);
    let mut app = scaled_by_others(&fleet, &[]);
    app["spec"]["ignoreDifferences"]
        .as_array_mut()
        .unwrap()
        .push(json!({"group": "apps", "kind": "Deployment", "jsonPointers": ["/spec/replica"]}));
    fleet.apply(app).await;
    let app = fleet.until_well("web").await;
    assert!(app.status.unwrap().conditions.is_empty());
    for _ in 0..10 {
        refresh(&fleet, "web").await;
    }
    let why = fleet
        .until_condition("web", "UnusedIgnoreRuleWarning")
        .await;
    assert!(why.contains("apps/Deployment: /spec/replica;"), "{why}");
    assert!(!why.contains("/spec/replicas"), "{why}");
    fleet.nothing_is_written().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn actions_are_listed_and_run_within_what_the_project_permits() {
    let fleet = Fleet::start(&["dev"]).await;
    fleet
        .apply(
            json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject",
            "metadata": {"name": "narrow"}, "spec": {"sourceRepos": ["*"],
                "destinations": [{"server": "*", "namespace": "*"}],
                "clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
                "namespaceResourceBlacklist": [{"group": "batch", "kind": "Job"}]}}),
        )
        .await;
    let cron = "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: tick}\nspec:\n  schedule: '@daily'\n  \
                jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: t, image: 't:1'}]}}}}\n";
    fleet.commit(&[
        ("web/web.yaml", &deployment("web", "web:1")),
        ("web/cron.yaml", cron),
    ]);
    let mut app = manual("web", &fleet.repo(), "web", &fleet.server("dev"));
    app["spec"]["project"] = json!("narrow");
    fleet.apply(app).await;
    fleet.sync("web", json!({})).await;
    fleet.until_ended("web", OperationPhase::Succeeded).await;

    let offered = answer(
        &fleet,
        &[
            "app",
            "actions",
            "list",
            "web",
            "--kind",
            "Deployment",
            "-o",
            "json",
        ],
    )
    .await;
    let names: Vec<_> = offered[0]["actions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["name"])
        .collect();
    assert_eq!(names, ["pause", "restart", "resume", "scale"]);
    let run = [
        "app",
        "actions",
        "run",
        "web",
        "scale",
        "--kind",
        "Deployment",
        "--param",
        "replicas=3",
    ];
    let (out, problem, code) = argosy(&fleet, &run).await;
    assert_eq!(
        (out.as_str(), code),
        ("apps/Deployment/web/web patched\n", 0),
        "{problem}"
    );
    assert_eq!(web(&fleet).await["replicas"], json!(3));

    let (_, problem, code) = argosy(&fleet, &["app", "actions", "run", "web", "create-job"]).await;
    assert_eq!(code, 20);
    assert!(
        problem.contains("batch:Job is not permitted in project narrow"),
        "{problem}"
    );
    let writes = fleet.workload("dev").sim.requests().count("create", "jobs");
    assert_eq!(writes, 0);
    let (_, problem, code) = argosy(&fleet, &["app", "actions", "run", "web", "explode"]).await;
    assert_eq!(code, 20);
    assert!(problem.contains("argosy app actions list web"), "{problem}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_is_asked_about_every_object_once_where_an_application_wants_that() {
    let fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[("web/a.yaml", &config("a", "1", ""))]);
    let mut app = manual("web", &fleet.repo(), "web", &fleet.server("dev"));
    let options = "ServerSideDiff=true,IncludeMutationWebhook=true";
    app["metadata"]["annotations"] = json!({"argocd.argoproj.io/compare-options": options});
    fleet.apply(app).await;
    fleet.sync("web", json!({})).await;
    fleet.until_ended("web", OperationPhase::Succeeded).await;
    let asked = || {
        fleet
            .workload("dev")
            .sim
            .requests()
            .count("patch", "configmaps")
    };
    fleet
        .eventually("it has been asked", || async { asked() >= 2 })
        .await;
    let before = asked();
    for _ in 0..3 {
        refresh(&fleet, "web").await;
    }
    assert_eq!(asked(), before, "its word is remembered");
    let edit_it = json!({"data": {"a": "2"}});
    edit(&fleet, "v1", "ConfigMap", "web/a", edit_it).await;
    fleet
        .until("web", "out of sync", |app| {
            app.status.as_ref().unwrap().sync.status == SyncStatusCode::OutOfSync
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_diff_compares_with_the_cluster_a_folder_or_a_revision() {
    let fleet = Fleet::start(&["dev"]).await;
    let first = fleet.commit(&[("web/a.yaml", &config("a", "1", ""))]);
    fleet
        .apply(automated("web", &fleet.repo(), "web", &fleet.server("dev")))
        .await;
    fleet.until_well("web").await;
    fleet.commit(&[("web/a.yaml", &config("a", "2", ""))]);
    fleet.push();
    fleet
        .eventually("the commit is live", || async {
            let live = live_config(&fleet, "web/a").await.unwrap();
            live["data"]["a"] == json!("2")
        })
        .await;
    fleet.until_well("web").await;
    for more in [&[][..], &["--server-side"][..]] {
        let args: Vec<_> = ["app", "diff", "web"].iter().chain(more).copied().collect();
        let (out, problem, code) = argosy(&fleet, &args).await;
        assert_eq!((out.trim(), code), ("", 0), "{problem}");
    }
    let (out, _, code) = argosy(&fleet, &["app", "diff", "web", "--revision", &first]).await;
    assert_eq!(code, 1);
    assert!(
        out.contains("-  a: \"2\"") && out.contains("+  a: \"1\""),
        "{out}"
    );
    assert!(
        !out.contains('\u{1b}'),
        "no colours where nobody looks: {out}"
    );

    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("web")).unwrap();
    let local = [("a", "3"), ("b", "1")];
    for (name, value) in local {
        let file = folder.path().join(format!("web/{name}.yaml"));
        std::fs::write(file, config(name, value, "")).unwrap();
    }
    let folder = folder.path().to_str().unwrap();
    let found = answer(
        &fleet,
        &["app", "diff", "web", "--local", folder, "-o", "json"],
    )
    .await;
    let found = found.as_array().unwrap();
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!(found[0]["predicted"]["data"]["a"], "3");
    assert_eq!(found[1]["live"], Value::Null);
    fleet.nothing_is_written().await;
}
