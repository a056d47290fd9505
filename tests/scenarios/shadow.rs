//! A hub in shadow mode beside whoever writes: what it tells, and that it sends nothing but reads.

use argosy::controller::application::Report;
use argosy_test_support::manifest::{automated, config};
use kube::Api;
use kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::json;

use crate::fleet::Fleet;

/// Requests that are no reads, whoever sent them.
fn writes(fleet: &Fleet) -> u64 {
    let dev = fleet.workload("dev").sim.requests().writes();
    dev + fleet.hub_sim.requests().writes()
}

fn report(fleet: &Fleet) -> Report {
    fleet.hub.shadow_report().unwrap()
}

/// What both disagree on, with a question mark where the hub is not sure.
fn disagreements(fleet: &Fleet) -> Vec<String> {
    let report = report(fleet);
    let verdicts = report.disagreed.values().chain(report.undecided.values());
    let all = verdicts.flat_map(|verdict| &verdict.disagreements);
    all.map(|one| {
        let doubt = if one.certain { "" } else { "?" };
        format!("{} {} {}{doubt}", one.about, one.theirs, one.ours)
    })
    .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shadow_tells_where_verdicts_differ_and_sends_nothing_but_reads() {
    let mut fleet = Fleet::start(&["dev"]).await;
    assert!(fleet.hub.shadow_report().is_none());
    fleet.commit(&[
        ("web/a.yaml", &config("a", "1", "")),
        ("web/b.yaml", &config("b", "1", "")),
    ]);
    fleet
        .apply(automated("web", &fleet.repo(), "web", &fleet.server("dev")))
        .await;
    fleet.until_well("web").await;
    fleet.restart_as_a_shadow();
    let before = writes(&fleet);
    fleet
        .eventually("both agree", async || report(&fleet).agreed == 1)
        .await;

    // What is there and differs would be tried by a dry run, which is no read.
    let maps: Api<k8s_openapi::api::core::v1::ConfigMap> =
        Api::namespaced(fleet.client_of("dev"), "web");
    let by_hand = Patch::Merge(json!({"data": {"a": "by hand"}}));
    maps.patch("a", &PatchParams::default(), &by_hand)
        .await
        .unwrap();
    fleet
        .eventually("drift is seen", async || {
            disagreements(&fleet)
                == [
                    "sync Synced OutOfSync?",
                    "/ConfigMap/web/a sync Synced OutOfSync?",
                ]
        })
        .await;
    maps.delete("b", &DeleteParams::default()).await.unwrap();
    fleet
        .eventually("what is missing is sure", async || {
            let told = disagreements(&fleet);
            report(&fleet).disagreed.contains_key("argocd/web")
                && told.contains(&"sync Synced OutOfSync".to_owned())
                && told.contains(&"/ConfigMap/web/b sync Synced OutOfSync".to_owned())
        })
        .await;
    let commit = fleet.commit(&[("web/c.yaml", &config("c", "1", ""))]);
    fleet.push();
    fleet
        .eventually("a commit is seen", async || {
            let told = disagreements(&fleet);
            told.iter()
                .any(|one| one.starts_with("revision ") && one.ends_with(&commit))
                && told.contains(&"/ConfigMap/web/c not listed listed".to_owned())
        })
        .await;
    let address = fleet.serve().await;
    let client = reqwest::Client::new();
    let get = async |path: &str| {
        let answer = client.get(format!("http://{address}{path}")).send().await;
        answer.unwrap().text().await.unwrap()
    };
    let told: serde_json::Value = serde_json::from_str(&get("/api/shadow").await).unwrap();
    assert_eq!(
        told["disagreed"]["argocd/web"]["disagreements"][0]["about"],
        "revision"
    );
    let metrics = get("/metrics").await;
    assert!(
        metrics.contains("argosy_shadow_applications{verdict=\"disagreed\"} 1")
            && metrics.contains("argosy_shadow_refused_writes_total 0"),
        "{metrics}"
    );

    // The edit and the deletion are the test's own.
    assert_eq!(writes(&fleet) - before, 2);
    assert_eq!(report(&fleet).refused_writes, 0);
}
