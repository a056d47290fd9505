//! Things go wrong: whoever is concerned is told, nobody else is, and nothing is deleted.

use argosy::controller::cluster::INFO_CONFIG_MAP;
use argosy_crds::Application;
use argosy_crds::codes::{HealthStatusCode, OperationPhase, SyncStatusCode};
use argosy_sim::{Fault, Rule};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::api::DeleteParams;
use serde_json::{Value, json};

use crate::fleet::Fleet;
use argosy_test_support::manifest::{automated, config, deployment, manual};
use argosy_test_support::wait::is_well;

fn is_unknown(app: &Application) -> bool {
    app.status.as_ref().is_some_and(|status| {
        status.sync.status == SyncStatusCode::Unknown
            && status.health.status == Some(HealthStatusCode::Unknown)
    })
}

pub(crate) fn fails(verb: &str, resource: &str, code: u16, times: Option<u32>) -> Rule {
    Rule {
        verb: Some(verb.to_owned()),
        resource: Some(resource.to_owned()),
        fault: Fault::Fail {
            code,
            message: format!("the simulator says {code}"),
        },
        times,
    }
}

fn deletes(fleet: &Fleet, cluster: &str) -> u64 {
    let counts = fleet.workload(cluster).sim.requests().snapshot();
    counts
        .iter()
        .filter(|((verb, _), _)| verb.starts_with("delete"))
        .map(|(_, count)| count)
        .sum()
}

async fn info(fleet: &Fleet, cluster: &str) -> Value {
    let api: Api<ConfigMap> = Api::namespaced(fleet.client.clone(), "argocd");
    let map = api.get_opt(INFO_CONFIG_MAP).await.unwrap();
    let text = map
        .and_then(|map| map.data?.get(cluster).cloned())
        .unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}

/// Two clusters with an application each, which are well.
async fn two_clusters() -> Fleet {
    let fleet = Fleet::start(&["dev", "prod"]).await;
    fleet.commit(&[
        ("web/a.yaml", &config("a", "1", "")),
        ("web/web.yaml", &deployment("web", "web:1")),
    ]);
    for name in ["dev", "prod"] {
        fleet
            .apply(automated(name, &fleet.repo(), "web", &fleet.server(name)))
            .await;
    }
    for name in ["dev", "prod"] {
        fleet.until_well(name).await;
    }
    fleet
}

/// Commits another value and waits until it has come to the cluster `dev`.
async fn dev_goes_on(fleet: &Fleet, value: &str) {
    fleet.commit(&[("web/a.yaml", &config("a", value, ""))]);
    fleet.push();
    fleet
        .eventually("dev goes on", async || {
            let live = fleet.live("dev", "v1", "ConfigMap", "dev/a").await;
            live.is_some_and(|live| live["data"]["a"] == json!(value))
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_application_is_told_which_field_and_stops_no_other() {
    let fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[("web/a.yaml", &config("a", "1", ""))]);
    fleet.without_schema("applications.argoproj.io").await;
    let mut bad = automated("bad", &fleet.repo(), "web", &fleet.server("dev"));
    bad["spec"]["source"]["path"] = json!(["not", "a", "path"]);
    let api = fleet.objects(&bad["apiVersion"], &bad["kind"]);
    let object = serde_json::from_value(bad).unwrap();
    api.create(&kube::api::PostParams::default(), &object)
        .await
        .unwrap();
    fleet
        .apply(automated("web", &fleet.repo(), "web", &fleet.server("dev")))
        .await;
    fleet.until_well("web").await;
    fleet
        .eventually("the field is named", async || {
            let bad = api.get("bad").await.unwrap();
            let text = bad.data["status"]["conditions"][0]["message"].to_string();
            text.contains("spec.source.path")
        })
        .await;
    fleet.nothing_is_written().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_cluster_secret_stops_no_other_cluster() {
    let fleet = two_clusters().await;
    fleet
        .apply(json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": "broken", "labels": {"argocd.argoproj.io/secret-type": "cluster"}},
            "stringData": {"name": "broken", "server": "https://broken.example.com", "config": "{not json"},
        }))
        .await;
    dev_goes_on(&fleet, "2").await;
    let app = automated("lost", &fleet.repo(), "web", "https://broken.example.com");
    fleet.apply(app).await;
    let why = fleet.until_condition("lost", "InvalidSpecError").await;
    assert!(why.contains("broken.example.com"), "{why}");
    assert_eq!(deletes(&fleet, "dev") + deletes(&fleet, "prod"), 0);
    fleet.nothing_is_written().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_manifest_is_told_with_file_and_line_and_what_runs_stays() {
    let fleet = two_clusters().await;
    fleet.commit(&[(
        "web/bad.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: [bad\n",
    )]);
    fleet.push();
    let why = fleet.until_condition("dev", "ComparisonError").await;
    assert!(why.contains("bad.yaml"), "{why}");
    assert!(why.contains("line") || why.contains("bad.yaml:"), "{why}");
    assert!(why.contains("stay in force"), "{why}");
    let live = fleet.client_of("dev");
    let live: Api<ConfigMap> = Api::namespaced(live, "dev");
    live.delete("a", &DeleteParams::default()).await.unwrap();
    fleet
        .eventually("it is healed all the same", async || {
            live.get_opt("a").await.unwrap().is_some()
        })
        .await;
    fleet.commit(&[("web/bad.yaml", "")]);
    fleet.push();
    fleet
        .until("dev", "well again", |app| {
            is_well(app) && app.status.as_ref().unwrap().conditions.is_empty()
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_is_down_at_the_start_is_used_when_it_comes() {
    let mut fleet = Fleet::start(&[]).await;
    fleet.commit(&[("web/a.yaml", &config("a", "1", ""))]);
    fleet.serve_cluster("late").await;
    fleet.workload("late").sim.faults().stop();
    fleet.register_cluster("late").await;
    fleet
        .apply(automated(
            "late",
            &fleet.repo(),
            "web",
            &fleet.server("late"),
        ))
        .await;
    let why = fleet.until_condition("late", "ComparisonError").await;
    assert!(why.contains("`late` cannot be reached"), "{why}");
    assert!(why.contains("never"), "{why}");
    fleet.workload("late").sim.faults().start();
    fleet.until_well("late").await;
    fleet
        .until("late", "free of conditions", |app| {
            app.status.as_ref().unwrap().conditions.is_empty()
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_cluster_is_told_with_its_last_contact_and_nothing_is_deleted() {
    let mut fleet = two_clusters().await;
    fleet.workload("prod").sim.faults().stop();
    fleet.until("prod", "unknown", is_unknown).await;
    fleet
        .until("prod", "told of the last contact", |app| {
            let conditions = &app.status.as_ref().unwrap().conditions;
            conditions
                .iter()
                .any(|one| one.message.contains("last contact at 20"))
        })
        .await;
    fleet
        .eventually("the published state is Failed", async || {
            info(&fleet, "prod").await["status"] == "Failed"
        })
        .await;
    assert_eq!(info(&fleet, "dev").await["status"], "Successful");
    dev_goes_on(&fleet, "2").await;
    fleet.restart_hub();
    dev_goes_on(&fleet, "3").await;
    fleet.nothing_is_written().await;
    fleet.workload("prod").sim.faults().start();
    fleet.until_well("prod").await;
    fleet
        .eventually("prod has caught up", async || {
            let live = fleet
                .live("prod", "v1", "ConfigMap", "prod/a")
                .await
                .unwrap();
            live["data"]["a"] == json!("3")
        })
        .await;
    assert_eq!(deletes(&fleet, "prod"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_cluster_delays_no_other() {
    let fleet = two_clusters().await;
    let slow = Fault::Slow(std::time::Duration::from_secs(3));
    fleet.workload("prod").sim.faults().add(Rule::all(slow));
    let begun = std::time::Instant::now();
    dev_goes_on(&fleet, "2").await;
    dev_goes_on(&fleet, "3").await;
    assert!(begun.elapsed().as_secs() < 3, "{:?}", begun.elapsed());
    fleet.workload("prod").sim.faults().clear();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_object_is_told_in_the_words_of_the_cluster() {
    let fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[("web/a.yaml", &config("a", "1", ""))]);
    for code in [409, 422, 500] {
        let name = format!("web{code}");
        fleet
            .workload("dev")
            .sim
            .faults()
            .add(fails("patch", "configmaps", code, Some(20)));
        fleet
            .apply(manual(&name, &fleet.repo(), "web", &fleet.server("dev")))
            .await;
        fleet.sync(&name, json!({})).await;
        let app = fleet.until_ended(&name, OperationPhase::Failed).await;
        let state = app.status.unwrap().operation_state.unwrap();
        assert!(
            state
                .message
                .contains(&format!("the simulator says {code}")),
            "{}",
            state.message
        );
        fleet.workload("dev").sim.faults().clear();
        fleet.sync(&name, json!({})).await;
        fleet.until_ended(&name, OperationPhase::Succeeded).await;
    }
    assert_eq!(deletes(&fleet, "dev"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_is_busy_is_asked_again() {
    let fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[("web/a.yaml", &config("a", "1", ""))]);
    fleet
        .workload("dev")
        .sim
        .faults()
        .add(fails("patch", "configmaps", 429, Some(2)));
    fleet
        .apply(automated("web", &fleet.repo(), "web", &fleet.server("dev")))
        .await;
    fleet.until_well("web").await;
    fleet.nothing_is_written().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_immutable_field_is_refused_and_replaced_only_by_force() {
    let fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[("web/web.yaml", &deployment("web", "web:1"))]);
    fleet
        .apply(manual("web", &fleet.repo(), "web", &fleet.server("dev")))
        .await;
    fleet.sync("web", json!({})).await;
    fleet.until_ended("web", OperationPhase::Succeeded).await;
    let renamed = deployment("web", "web:1").replace("{app: web}", "{app: other}");
    fleet.commit(&[("web/web.yaml", &renamed)]);
    fleet.push();
    let uid = async || {
        let live = fleet.live("dev", "apps/v1", "Deployment", "web/web").await;
        live.map(|live| live["metadata"]["uid"].clone())
    };
    let before = uid().await;
    fleet.sync("web", json!({})).await;
    let app = fleet.until_ended("web", OperationPhase::Failed).await;
    let message = app.status.unwrap().operation_state.unwrap().message;
    assert!(message.contains("immutable"), "{message}");
    assert_eq!(uid().await, before);
    fleet
        .sync("web", json!({"syncStrategy": {"apply": {"force": true}}}))
        .await;
    fleet.until_ended("web", OperationPhase::Succeeded).await;
    assert_ne!(uid().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hub_s_own_server_may_fail_and_no_operation_is_lost() {
    let fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[("web/a.yaml", &config("a", "1", ""))]);
    fleet
        .apply(manual("web", &fleet.repo(), "web", &fleet.server("dev")))
        .await;
    fleet
        .until("web", "compared", |app| {
            app.status
                .as_ref()
                .is_some_and(|status| status.sync.status == SyncStatusCode::OutOfSync)
        })
        .await;
    fleet.sync("web", json!({})).await;
    fleet
        .hub_sim
        .faults()
        .add(fails("patch", "applications", 500, Some(2)));
    let app = fleet.until_ended("web", OperationPhase::Succeeded).await;
    assert_eq!(app.status.unwrap().history.len(), 1);
    fleet.nothing_is_written().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_api_of_events_everything_goes_on_and_is_counted() {
    let fleet = Fleet::start(&["dev"]).await;
    let faults = fleet.hub_sim.faults();
    faults.add(fails("create", "events", 500, None));
    fleet.commit(&[("web/a.yaml", &config("a", "1", ""))]);
    fleet
        .apply(automated("web", &fleet.repo(), "web", &fleet.server("dev")))
        .await;
    fleet.until_well("web").await;
    let failed = async || {
        let text = fleet.hub.metrics.expose([]).unwrap();
        text.contains(r#"argosy_kubernetes_events_total{result="failed"}"#)
    };
    fleet.eventually("lost events are counted", failed).await;
    assert_eq!(fleet.events("web").await, []);
    faults.clear();
    fleet.commit(&[("web/a.yaml", &config("a", "2", ""))]);
    fleet.push();
    fleet
        .eventually("later events are there", async || {
            !fleet.events("web").await.is_empty()
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_repository_the_fleet_stays_and_is_healed() {
    let fleet = two_clusters().await;
    fleet.hide_repository(true);
    let why = fleet.until_condition("dev", "ComparisonError").await;
    assert!(why.contains("stay in force"), "{why}");
    let live: Api<ConfigMap> = Api::namespaced(fleet.client_of("dev"), "dev");
    live.delete("a", &DeleteParams::default()).await.unwrap();
    fleet
        .eventually("it is healed all the same", async || {
            live.get_opt("a").await.unwrap().is_some()
        })
        .await;
    fleet.hide_repository(false);
    fleet
        .until("dev", "free of conditions", |app| {
            is_well(app) && app.status.as_ref().unwrap().conditions.is_empty()
        })
        .await;
    assert_eq!(deletes(&fleet, "prod"), 0);
    fleet.until_well("prod").await;
    fleet.nothing_is_written().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_that_starts_without_the_repository_deletes_nothing() {
    let mut fleet = two_clusters().await;
    fleet.hide_repository(true);
    fleet.restart_hub();
    fleet.until("dev", "unknown", is_unknown).await;
    fleet.until_condition("dev", "ComparisonError").await;
    assert_eq!(deletes(&fleet, "dev"), 0);
    fleet.hide_repository(false);
    fleet.until_well("dev").await;
    fleet.until_well("prod").await;
    fleet.nothing_is_written().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_removed_from_git_does_not_wipe_out_what_runs() {
    let fleet = two_clusters().await;
    fleet.commit(&[
        ("web/a.yaml", ""),
        ("web/web.yaml", ""),
        ("web/README.md", "nothing here"),
    ]);
    fleet.push();
    let why = fleet.until_condition("dev", "SyncError").await;
    assert!(why.contains("will wipe out all resources"), "{why}");
    fleet.until_condition("prod", "SyncError").await;
    fleet.nothing_is_written().await;
    assert_eq!(deletes(&fleet, "dev") + deletes(&fleet, "prod"), 0);
    fleet
        .change(
            "dev",
            json!({"spec": {"syncPolicy": {"automated": {"allowEmpty": true}}}}),
        )
        .await;
    fleet
        .eventually("dev may be emptied", async || {
            fleet
                .live("dev", "v1", "ConfigMap", "dev/a")
                .await
                .is_none()
        })
        .await;
    assert!(
        fleet
            .live("prod", "v1", "ConfigMap", "prod/a")
            .await
            .is_some()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_that_is_gone_deletes_nothing() {
    let fleet = two_clusters().await;
    fleet.commit(&[
        ("web/a.yaml", ""),
        ("web/web.yaml", ""),
        ("other/a.yaml", &config("a", "1", "")),
    ]);
    fleet.push();
    let why = fleet.until_condition("dev", "ComparisonError").await;
    assert!(why.contains("web"), "{why}");
    assert_eq!(deletes(&fleet, "dev"), 0);
    assert!(
        fleet
            .live("dev", "v1", "ConfigMap", "dev/a")
            .await
            .is_some()
    );
}
#[tokio::test(flavor = "multi_thread")]
async fn a_watch_that_breaks_is_taken_up_again() {
    let fleet = two_clusters().await;
    let dev = &fleet.workload("dev").sim;
    dev.faults().add(Rule {
        verb: Some("watch".into()),
        resource: None,
        fault: Fault::Disconnect,
        times: Some(3),
    });
    dev.faults().stop();
    dev.faults().start();
    let live: Api<ConfigMap> = Api::namespaced(fleet.client_of("dev"), "dev");
    fleet
        .eventually("it can be deleted", async || {
            live.delete("a", &DeleteParams::default()).await.is_ok()
        })
        .await;
    fleet
        .eventually("it is seen and healed", async || {
            live.get_opt("a").await.unwrap().is_some()
        })
        .await;
    fleet.until_well("dev").await;
    assert_eq!(
        fleet
            .workload("prod")
            .sim
            .requests()
            .count("delete", "configmaps"),
        0
    );
}
