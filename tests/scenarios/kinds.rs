//! One kind, one rule or one object goes wrong: what is concerned is told, and all else goes on.

use argosy_crds::Application;
use argosy_crds::codes::{HealthStatusCode, SyncStatusCode};
use argosy_sim::{Fault, Rule};
use kube::Api;
use kube::api::{DynamicObject, Patch, PatchParams};
use serde_json::json;

use crate::fleet::Fleet;
use argosy_test_support::manifest::{automated, config, deployment};
use argosy_test_support::wait::{is_well, resource};

pub(crate) const DEFINITION: &str = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n\
    metadata: {name: widgets.example.com}\nspec:\n  group: example.com\n  scope: Namespaced\n  \
    names: {kind: Widget, plural: widgets}\n  versions:\n  - {name: v1, served: true, storage: true, schema: \
    {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}\n";

pub(crate) fn widget(size: u64) -> String {
    format!(
        "apiVersion: example.com/v1\nkind: Widget\nmetadata: {{name: w}}\nspec: {{size: {size}, none: [], empty: {{}}}}\n"
    )
}

pub(crate) fn fails(verb: &str, resource: &str, code: u16, times: Option<u32>) -> Rule {
    Rule {
        verb: Some(verb.to_owned()),
        resource: Some(resource.to_owned()),
        fault: Fault::Fail {
            code,
            message: "conversion webhook for example.com/v1, Kind=Widget failed".to_owned(),
        },
        times,
    }
}

/// Settings of the hub.
async fn settings(fleet: &Fleet, data: serde_json::Value) {
    fleet
        .apply(
            json!({"apiVersion": "v1", "kind": "ConfigMap", "data": data, "metadata": {
            "name": "argocd-cm", "labels": {"app.kubernetes.io/part-of": "argocd"}}}),
        )
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_health_script_that_loops_or_eats_memory_concerns_its_kind_alone() {
    let fleet = Fleet::start(&["dev"]).await;
    settings(&fleet, json!({
        "resource.customizations.health.ConfigMap": "while true do end",
        "resource.customizations.health.Secret": "local t = {} for i = 1, 1e9 do t[i] = {i} end",
    }))
    .await;
    fleet.commit(&[
        ("loops/a.yaml", &config("a", "1", "")),
        (
            "eats/s.yaml",
            "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n",
        ),
        ("web/web.yaml", &deployment("web", "web:1")),
    ]);
    for name in ["loops", "eats", "web"] {
        fleet
            .apply(automated(name, &fleet.repo(), name, &fleet.server("dev")))
            .await;
    }
    fleet.until_well("web").await;
    for name in ["loops", "eats"] {
        let app = fleet
            .until(name, "synced, with unknown health", |app| {
                app.status.as_ref().is_some_and(|status| {
                    status.sync.status == SyncStatusCode::Synced
                        && status.health.status == Some(HealthStatusCode::Unknown)
                        && !status.resources.is_empty()
                })
            })
            .await;
        let resources = app.status.unwrap().resources;
        let health = resources[0].health.as_ref().unwrap();
        assert!(health.message.contains("Lua"), "{health:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ignore_rule_that_never_ends_is_told_by_name_and_others_go_on() {
    let fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[
        ("web/a.yaml", &config("a", "1", "")),
        ("web/b.yaml", &config("b", "1", "")),
    ]);
    let mut app = automated("web", &fleet.repo(), "web", &fleet.server("dev"));
    let endless = ".data | select(\"x\" | test(\"(a{9999}){9999}\"))";
    app["spec"]["ignoreDifferences"] = json!([
        {"kind": "ConfigMap", "name": "a", "jqPathExpressions": [endless]},
        {"kind": "ConfigMap", "name": "b", "jsonPointers": ["/data/ignored"]},
        {"kind": "Secret", "jqPathExpressions": ["repeat(.data)"]},
    ]);
    fleet.apply(app).await;
    let status = |app: &Application, name: &str| {
        let mut resources = app.status.iter().flat_map(|status| &status.resources);
        resources
            .find(|one| one.name == name)
            .and_then(|one| one.status)
    };
    let app = fleet
        .until("web", "judged but for one object", |app| {
            status(app, "a") == Some(SyncStatusCode::Unknown)
                && status(app, "b") == Some(SyncStatusCode::Synced)
        })
        .await;
    let told: Vec<_> = app.status.unwrap().conditions;
    for part in ["(a{9999})", "`repeat(.data)`"] {
        assert!(
            told.iter().any(|one| one.message.contains(part)),
            "{told:?}"
        );
    }
    let kind = resource("v1", "ConfigMap");
    let maps: Api<DynamicObject> = Api::namespaced_with(fleet.client_of("dev"), "web", &kind);
    let edit = Patch::Merge(json!({"data": {"a": "2", "ignored": "3"}}));
    for name in ["a", "b"] {
        maps.patch(name, &PatchParams::default(), &edit)
            .await
            .unwrap();
    }
    fleet
        .eventually("the edit of the other is undone", || async {
            let live = maps.get("b").await.unwrap();
            live.data["data"] == json!({"a": "1", "ignored": "3"})
        })
        .await;
    let left = maps.get("a").await.unwrap();
    assert_eq!(
        left.data["data"]["a"],
        json!("2"),
        "nobody knows whether it is ignored"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_whose_version_is_gone_lists_again() {
    let fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[("web/a.yaml", &config("a", "1", ""))]);
    fleet
        .apply(automated("web", &fleet.repo(), "web", &fleet.server("dev")))
        .await;
    fleet.until_well("web").await;
    let dev = &fleet.workload("dev").sim;
    dev.faults().add(fails("watch", "configmaps", 410, Some(2)));
    dev.faults().stop();
    dev.faults().start();
    let kind = kube::api::ApiResource::erase::<k8s_openapi::api::core::v1::ConfigMap>(&());
    let maps: Api<DynamicObject> = Api::namespaced_with(fleet.client_of("dev"), "web", &kind);
    let edit = json!({"data": {"a": "2"}});
    fleet
        .eventually("it can be edited", || async {
            let patch = Patch::Merge(&edit);
            maps.patch("a", &PatchParams::default(), &patch)
                .await
                .is_ok()
        })
        .await;
    fleet
        .eventually("the edit is seen and undone", || async {
            maps.get("a")
                .await
                .is_ok_and(|map| map.data["data"]["a"] == "1")
        })
        .await;
    fleet.until_well("web").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_custom_kind_without_a_schema_is_in_sync_after_its_sync() {
    let fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[("web/crd.yaml", DEFINITION), ("web/w.yaml", &widget(1))]);
    fleet
        .apply(automated("web", &fleet.repo(), "web", &fleet.server("dev")))
        .await;
    fleet.until_well("web").await;
    fleet.nothing_is_written().await;
    fleet.commit(&[("web/w.yaml", &widget(2))]);
    fleet.push();
    fleet
        .eventually("the commit is live", || async {
            let live = fleet.live("dev", "example.com/v1", "Widget", "web/w").await;
            live.is_some_and(|live| live["spec"]["size"] == json!(2))
        })
        .await;
    fleet.until_well("web").await;
    fleet.nothing_is_written().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kind_that_cannot_be_read_loses_nothing_and_others_go_on() {
    let mut fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[
        ("web/crd.yaml", DEFINITION),
        ("web/w.yaml", &widget(1)),
        ("other/a.yaml", &config("a", "1", "")),
    ]);
    for (name, path) in [("web", "web"), ("other", "other")] {
        fleet
            .apply(automated(name, &fleet.repo(), path, &fleet.server("dev")))
            .await;
        fleet.until_well(name).await;
    }
    let dev = &fleet.workload("dev").sim;
    dev.faults().add(fails("list", "widgets", 500, None));
    dev.faults().add(fails("watch", "widgets", 500, None));
    fleet.restart_hub();
    let why = fleet.until_condition("web", "ComparisonError").await;
    assert!(why.contains("example.com/Widget"), "{why}");
    fleet.commit(&[("web/w.yaml", ""), ("other/a.yaml", &config("a", "2", ""))]);
    fleet.push();
    fleet
        .eventually("the other goes on", || async {
            let live = fleet.live("dev", "v1", "ConfigMap", "other/a").await;
            live.is_some_and(|live| live["data"]["a"] == json!("2"))
        })
        .await;
    let deleted = fleet
        .workload("dev")
        .sim
        .requests()
        .count("delete", "widgets");
    assert_eq!(deleted, 0, "what nobody sees is not pruned");
    fleet.workload("dev").sim.faults().clear();
    fleet
        .eventually("it is pruned once it is seen", || async {
            let live = fleet.live("dev", "example.com/v1", "Widget", "web/w").await;
            live.is_none()
        })
        .await;
    fleet.until_well("web").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_of_what_has_not_changed_asks_the_cluster_nothing() {
    let fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[
        ("web/crd.yaml", DEFINITION),
        ("web/w.yaml", &widget(1)),
        ("web/web.yaml", &deployment("web", "web:1")),
    ]);
    fleet
        .apply(automated("web", &fleet.repo(), "web", &fleet.server("dev")))
        .await;
    fleet.until_well("web").await;
    fleet.nothing_is_written().await;
    let asked = || {
        let mut asked = fleet.workload("dev").sim.requests().snapshot();
        // The connection is tried at an interval, whatever is refreshed.
        asked.retain(|(_, resource), _| !resource.is_empty());
        asked
    };
    let before = asked();
    for _ in 0..3 {
        let annotation = json!({"argocd.argoproj.io/refresh": "normal"});
        fleet
            .change("web", json!({"metadata": {"annotations": annotation}}))
            .await;
        fleet
            .until("web", "refreshed", |app| {
                app.annotation("argocd.argoproj.io/refresh").is_none() && is_well(app)
            })
            .await;
    }
    assert_eq!(asked(), before);
}
