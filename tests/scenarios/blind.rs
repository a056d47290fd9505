//! A part of a cluster cannot be seen, or moves: that part is left alone, told by name, and taken up
//! again; all else of the same application goes on.

use argosy_crds::Application;
use argosy_crds::application::ResourceStatus;
use argosy_crds::codes::{HealthStatusCode, OperationPhase, SyncStatusCode};
use kube::Api;
use kube::api::{DeleteParams, DynamicObject, Patch, PatchParams};
use serde_json::{Value, json};

use crate::compare::argosy;
use crate::fleet::Fleet;
use crate::kinds::{DEFINITION, fails, widget};
use argosy_test_support::manifest::{automated, config, deployment, hook, manual};
use argosy_test_support::wait::{is_well, resource};

/// An application of a custom kind and two ConfigMaps, which is well.
async fn web() -> Fleet {
    let fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[
        ("web/crd.yaml", DEFINITION),
        ("web/w.yaml", &widget(1)),
        ("web/a.yaml", &config("a", "1", "")),
        ("web/b.yaml", &config("b", "1", "")),
    ]);
    fleet
        .apply(automated("web", &fleet.repo(), "web", &fleet.server("dev")))
        .await;
    fleet.until_well("web").await;
    fleet
}

fn status(app: &Application, name: &str) -> Option<ResourceStatus> {
    let mut resources = app.status.iter().flat_map(|status| &status.resources);
    resources.find(|one| one.name == name).cloned()
}

/// Whether the widget alone cannot be judged.
fn is_blind_for_the_widget(app: &Application) -> bool {
    let of = |name| status(app, name);
    let widget = of("w").is_some_and(|one| {
        let health = one.health.and_then(|health| health.status);
        one.status == Some(SyncStatusCode::Unknown) && health == Some(HealthStatusCode::Unknown)
    });
    let rest = of("a").is_some_and(|one| one.status == Some(SyncStatusCode::Synced));
    let all = app.status.as_ref().unwrap();
    widget && rest && all.sync.status == SyncStatusCode::Unknown
}

async fn value(fleet: &Fleet, name: &str) -> Option<Value> {
    let place = format!("web/{name}");
    let live = fleet.live("dev", "v1", "ConfigMap", &place).await;
    live.map(|live| live["data"]["a"].clone())
}

fn widgets(fleet: &Fleet, version: &str) -> Api<DynamicObject> {
    let kind = resource(&format!("example.com/{version}"), "Widget");
    Api::namespaced_with(fleet.client_of("dev"), "web", &kind)
}

async fn live_widget(fleet: &Fleet, version: &str) -> Option<Value> {
    let widgets = widgets(fleet, version);
    // Before its version is served there is not even a list that it could be missing from.
    let found = widgets.get_opt("w").await.ok().flatten();
    found.map(|live| serde_json::to_value(live).unwrap())
}

/// Makes sure that only what can be seen is synced, healed and pruned.
async fn the_rest_goes_on(fleet: &Fleet) {
    let requests = fleet.workload("dev").sim.requests();
    let kind = resource("v1", "ConfigMap");
    let maps: Api<DynamicObject> = Api::namespaced_with(fleet.client_of("dev"), "web", &kind);
    fleet.until("web", "blind", is_blind_for_the_widget).await;
    let edit = Patch::Merge(json!({"data": {"a": "9"}}));
    maps.patch("a", &PatchParams::default(), &edit)
        .await
        .unwrap();
    fleet
        .eventually("the edit is undone", || async {
            value(fleet, "a").await == Some(json!("1"))
        })
        .await;
    let patches = requests.count("patch", "widgets");
    fleet.commit(&[
        ("web/w.yaml", ""),
        ("web/b.yaml", ""),
        ("web/a.yaml", &config("a", "2", "")),
    ]);
    fleet.push();
    fleet
        .eventually("the commit is live", || async {
            value(fleet, "a").await == Some(json!("2")) && value(fleet, "b").await.is_none()
        })
        .await;
    fleet.until("web", "blind", is_blind_for_the_widget).await;
    assert_eq!(requests.count("delete", "widgets"), 0);
    assert_eq!(requests.count("patch", "widgets"), patches);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kind_that_cannot_be_listed_is_left_alone_and_its_application_goes_on() {
    let mut fleet = web().await;
    let dev = &fleet.workload("dev").sim;
    dev.faults().add(fails("list", "widgets", 500, None));
    dev.faults().add(fails("watch", "widgets", 500, None));
    fleet.restart_hub();
    let why = fleet.until_condition("web", "ComparisonError").await;
    assert!(why.contains("example.com/Widget"), "{why}");
    assert!(why.contains("conversion webhook"), "{why}");
    the_rest_goes_on(&fleet).await;
    // Nor does another process forget what it never saw.
    fleet.restart_hub();
    fleet.until("web", "blind", is_blind_for_the_widget).await;
    fleet.workload("dev").sim.faults().clear();
    fleet
        .eventually("it is pruned once it is seen", || async {
            live_widget(&fleet, "v1").await.is_none()
        })
        .await;
    fleet.until_well("web").await;
    fleet.nothing_is_written().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_group_that_cannot_be_asked_is_left_alone_and_its_application_goes_on() {
    let mut fleet = web().await;
    fleet.workload("dev").sim.faults().lose_group("example.com");
    fleet.restart_hub();
    let why = fleet.until_condition("web", "ComparisonError").await;
    assert!(why.contains("API group example.com"), "{why}");
    the_rest_goes_on(&fleet).await;
    fleet.workload("dev").sim.faults().find_group("example.com");
    fleet.push();
    fleet
        .eventually("it is pruned once it is seen", || async {
            live_widget(&fleet, "v1").await.is_none()
        })
        .await;
    fleet.until_well("web").await;
    fleet.nothing_is_written().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_new_goes_ahead_of_a_hook_that_could_not_run() {
    let mut fleet = web().await;
    let dev = &fleet.workload("dev").sim;
    dev.faults().add(fails("list", "widgets", 500, None));
    dev.faults().add(fails("watch", "widgets", 500, None));
    fleet.restart_hub();
    fleet.until("web", "blind", is_blind_for_the_widget).await;
    let revision = fleet.commit(&[
        ("web/hook.yaml", &hook("migrate", "PreSync", "")),
        ("web/a.yaml", &config("a", "2", "")),
    ]);
    fleet.push();
    fleet
        .until("web", "compared with the commit", |app| {
            app.status.as_ref().unwrap().sync.revision == revision
        })
        .await;
    assert_eq!(value(&fleet, "a").await, Some(json!("1")));
    fleet.workload("dev").sim.faults().clear();
    fleet
        .eventually("the commit is live", || async {
            value(&fleet, "a").await == Some(json!("2"))
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_diff_shows_what_it_can_and_names_what_it_cannot_see() {
    let fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[
        ("web/crd.yaml", DEFINITION),
        ("web/w.yaml", &widget(1)),
        ("web/a.yaml", &config("a", "1", "")),
    ]);
    fleet
        .apply(manual("web", &fleet.repo(), "web", &fleet.server("dev")))
        .await;
    fleet.sync("web", json!({})).await;
    fleet.until_ended("web", OperationPhase::Succeeded).await;
    let dev = &fleet.workload("dev").sim;
    dev.faults().add(fails("list", "widgets", 500, None));
    fleet.commit(&[
        ("web/w.yaml", &widget(2)),
        ("web/a.yaml", &config("a", "2", "")),
    ]);
    for more in [&[][..], &["--server-side"][..]] {
        let args: Vec<_> = ["app", "diff", "web"].iter().chain(more).copied().collect();
        let (out, problem, code) = argosy(&fleet, &args).await;
        assert_eq!(code, 20, "it is not the whole answer: {problem}");
        assert!(
            out.contains("+  a: \"2\"") && !out.contains("Widget"),
            "{out}"
        );
        for part in ["example.com/Widget", "conversion webhook"] {
            assert!(problem.contains(part), "{problem}");
        }
    }
    dev.faults().clear();
    let (out, problem, code) = argosy(&fleet, &["app", "diff", "web"]).await;
    assert_eq!(code, 1, "{problem}");
    assert!(
        out.contains("+  a: \"2\"") && out.contains("+  size: 2"),
        "{out}"
    );
}

/// The definition with one version more; only the named one is served and stored.
fn definition(served: &str) -> String {
    let version = |name: &str| {
        let is = name == served;
        format!(
            "  - {{name: {name}, served: {is}, storage: {is}, schema: {{openAPIV3Schema: {{type: \
             object, x-kubernetes-preserve-unknown-fields: true}}}}}}\n"
        )
    };
    let head = DEFINITION.split("  - {name").next().unwrap();
    format!("{head}{}{}", version("v1"), version("v2"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kind_that_moves_to_another_version_is_followed() {
    let fleet = Fleet::start(&["dev"]).await;
    let moved = widget(2).replace("example.com/v1", "example.com/v2");
    fleet.commit(&[
        ("web/crd.yaml", &definition("v1")),
        ("web/w.yaml", &widget(1)),
    ]);
    fleet
        .apply(automated("web", &fleet.repo(), "web", &fleet.server("dev")))
        .await;
    fleet.until_well("web").await;
    let uid = live_widget(&fleet, "v1").await.unwrap()["metadata"]["uid"].clone();
    fleet.commit(&[("web/crd.yaml", &definition("v2")), ("web/w.yaml", &moved)]);
    fleet.push();
    fleet
        .eventually("it has moved", || async {
            let live = live_widget(&fleet, "v2").await;
            live.is_some_and(|live| live["spec"]["size"] == json!(2))
        })
        .await;
    fleet.until_well("web").await;
    let edit = Patch::Merge(json!({"spec": {"size": 9}}));
    widgets(&fleet, "v2")
        .patch("w", &PatchParams::default(), &edit)
        .await
        .unwrap();
    fleet
        .eventually("the edit is undone", || async {
            let live = live_widget(&fleet, "v2").await;
            live.is_some_and(|live| live["spec"]["size"] == json!(2))
        })
        .await;
    let live = live_widget(&fleet, "v2").await.unwrap();
    assert_eq!(live["metadata"]["uid"], uid, "it is the same object");
    fleet.until_well("web").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_of_two_megabytes_stops_nothing() {
    let fleet = Fleet::start(&["dev"]).await;
    let text = "0123456789abcdef".repeat(128 * 1024);
    let big = format!("{}data: '{text}'\n", widget(1));
    fleet.commit(&[
        ("web/crd.yaml", DEFINITION),
        ("web/w.yaml", &big),
        ("web/a.yaml", &config("a", "1", "")),
    ]);
    fleet
        .apply(automated("web", &fleet.repo(), "web", &fleet.server("dev")))
        .await;
    fleet.until_well("web").await;
    let live = live_widget(&fleet, "v1").await.unwrap();
    assert_eq!(live["data"].as_str().map(str::len), Some(2 * 1024 * 1024));
    fleet.nothing_is_written().await;
    fleet.commit(&[("web/a.yaml", &config("a", "2", ""))]);
    fleet.push();
    fleet
        .eventually("the next commit is live", || async {
            value(&fleet, "a").await == Some(json!("2"))
        })
        .await;
    fleet.until_well("web").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kind_is_watched_once_for_all_applications_and_no_other_is() {
    const APPLICATIONS: usize = 10;
    let fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[
        ("web/a.yaml", &config("a", "1", "")),
        ("web/web.yaml", &deployment("web", "web:1")),
    ]);
    let names: Vec<_> = (0..APPLICATIONS).map(|at| format!("web-{at}")).collect();
    for name in &names {
        let app = automated(name, &fleet.repo(), "web", &fleet.server("dev"));
        fleet.apply(app).await;
    }
    for name in &names {
        fleet.until_well(name).await;
    }
    fleet.nothing_is_written().await;
    let requests = fleet.workload("dev").sim.requests();
    let reads: Vec<_> = requests
        .snapshot()
        .into_iter()
        .filter(|((verb, _), _)| ["list", "watch"].contains(&verb.as_str()))
        // Syncs want to know of webhooks, now and then.
        .filter(|((_, resource), _)| !resource.ends_with("webhookconfigurations"))
        .map(|((verb, resource), count)| format!("{count} {verb} {resource}"))
        .collect();
    let kinds = ["configmaps", "deployments", "namespaces"];
    let once = |verb| kinds.map(|kind| format!("1 {verb} {kind}"));
    assert_eq!(reads, [once("list"), once("watch")].concat());

    let read = |kind| requests.bytes("list", kind) + requests.bytes("watch", kind);
    let each = |kind| read(kind) / APPLICATIONS as u64;
    assert!(each("configmaps") < 2_000, "{}", each("configmaps"));
    // Whether a namespace is there is all that is asked.
    assert!(each("namespaces") < 1_000, "{}", each("namespaces"));
    // What they own is there, and not read.
    assert_eq!(read("replicasets") + read("pods"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_desires_what_another_has_gets_it_when_that_one_goes() {
    let fleet = Fleet::start(&["dev"]).await;
    let shared = |name: &str, value: &str| {
        config(name, value, "").replace("metadata: {", "metadata: {namespace: first, ")
    };
    fleet.commit(&[
        ("one/a.yaml", &shared("a", "1")),
        ("other/b.yaml", &shared("b", "1")),
        ("two/a.yaml", &shared("a", "2")),
        ("two/b.yaml", &shared("b", "2")),
    ]);
    for (name, path) in [("first", "one"), ("third", "other")] {
        let app = automated(name, &fleet.repo(), path, &fleet.server("dev"));
        fleet.apply(app).await;
        fleet.until_well(name).await;
    }
    let second = automated("second", &fleet.repo(), "two", &fleet.server("dev"));
    fleet.apply(second).await;
    fleet
        .until_condition("second", "SharedResourceWarning")
        .await;
    fleet.nothing_is_written().await;
    let applications = fleet.applications();
    let has = async |name: &str| {
        let place = format!("first/{name}");
        let live = fleet.live("dev", "v1", "ConfigMap", &place).await;
        live.is_some_and(|live| live["data"]["a"] == json!("2"))
    };
    // One takes what it has with it, the other leaves it behind.
    applications
        .delete("first", &DeleteParams::default())
        .await
        .unwrap();
    fleet.eventually("it is made anew", || has("a")).await;
    fleet
        .change("third", json!({"metadata": {"finalizers": null}}))
        .await;
    applications
        .delete("third", &DeleteParams::default())
        .await
        .unwrap();
    fleet.eventually("it is taken over", || has("b")).await;
    fleet
        .until("second", "well and warned of nothing", |app| {
            is_well(app) && app.status.as_ref().unwrap().conditions.is_empty()
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_git_drops_from_the_plain_text_of_a_secret_goes() {
    let fleet = Fleet::start(&["dev"]).await;
    let secret = |data: &str| {
        format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: s}}\nstringData: {{{data}}}\n")
    };
    fleet.commit(&[("web/s.yaml", &secret("a: '1', b: '2'"))]);
    fleet
        .apply(automated("web", &fleet.repo(), "web", &fleet.server("dev")))
        .await;
    fleet.until_well("web").await;
    fleet.nothing_is_written().await;
    fleet.commit(&[("web/s.yaml", &secret("a: '1'"))]);
    fleet.push();
    fleet
        .eventually("the key is gone", || async {
            let live = fleet.live("dev", "v1", "Secret", "web/s").await.unwrap();
            live["data"] == json!({"a": "MQ=="})
        })
        .await;
    fleet.until_well("web").await;
    fleet.nothing_is_written().await;
}
