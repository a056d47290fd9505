//! `examples/fleet` on real clusters: one object applied by hand, and everything is there.

use std::path::Path;

use kube::api::DeleteParams;
use serde_json::{Value, json};

use crate::controllers;
use crate::fleet::Fleet;
use argosy_test_support::wait::eventually;

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/fleet");
const PLACEHOLDER: &str = "https://git.example.com/platform/fleet.git";

/// Puts the example into the work tree, with the tree's own address in it.
fn copy(fleet: &Fleet, folder: &Path) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            copy(fleet, &path);
        } else {
            let text = std::fs::read_to_string(&path).unwrap();
            let inside = path.strip_prefix(EXAMPLE).unwrap().to_str().unwrap();
            let text = text.replace(PLACEHOLDER, &fleet.tree.url());
            fleet.tree.write(inside, &text);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_example_fleet_comes_up_follows_git_and_heals() {
    let fleet = Fleet::start("argocd").await;
    copy(&fleet, Path::new(EXAMPLE));
    // There are two workload clusters here, and the example has three.
    let set = "platform/sets/tools.yaml";
    let tools = std::fs::read_to_string(fleet.tree.path().join(set)).unwrap();
    let tools = tools.replace("cluster: staging", "cluster: dev");
    fleet
        .tree
        .commit(&[("clusters/staging.yaml", ""), (set, &tools)]);
    for index in [1, 2] {
        controllers::play(fleet.plane.client(index));
    }
    fleet
        .register_with_token("dev", 1, json!({"env": "dev", "tier": "standard"}))
        .await;
    fleet
        .register_with_certificate("prod", 2, json!({"env": "prod", "tier": "critical"}))
        .await;
    let root = std::fs::read_to_string(fleet.tree.path().join("root.yaml")).unwrap();
    let root: Value = serde_yaml::from_str(&root).unwrap();
    fleet.apply(root).await;

    let expected = [
        "backup-prod",
        "dashboard",
        "docs",
        "ingress-dev",
        "ingress-prod",
        "metrics-agent-dev",
        "metrics-agent-prod",
        "orders-dev",
        "orders-prod",
        "status-page",
        "team-a-web-dev",
        "team-a-web-prod",
        "team-a-worker-dev",
        "team-a-worker-prod",
        "team-b-api-dev",
        "team-b-api-prod",
    ];
    fleet.until_well("fleet").await;
    for name in expected {
        fleet.until_well(name).await;
    }

    // The migration ran and stays, the smoke test ran and went.
    let job = async |name: &str| fleet.live(2, "batch/v1", "Job", name).await;
    assert!(job("orders/orders-migrate").await.is_some());
    eventually("the smoke test is gone", async || {
        job("orders/orders-smoke").await.is_none()
    })
    .await;
    let schedule = fleet
        .live(
            2,
            "backup.example.com/v1",
            "BackupSchedule",
            "backup-system/hourly",
        )
        .await;
    assert_eq!(schedule.unwrap()["spec"]["keep"], json!(7));

    follows_a_commit(&fleet).await;
    heals(&fleet).await;
    fleet.nothing_is_written().await;
}

async fn follows_a_commit(fleet: &Fleet) {
    let path = "tenants/team-a/web/config.yaml";
    let text = std::fs::read_to_string(fleet.tree.path().join(path)).unwrap();
    let greeting = text.replace("Ahoy", "Welcome");
    let commit = fleet.tree.commit(&[(path, &greeting)]);
    fleet.push();
    for index in [1, 2] {
        eventually("the commit is live", async || {
            let map = fleet.live(index, "v1", "ConfigMap", "team-a/web").await;
            map.unwrap()["data"]["GREETING"] == "Welcome"
        })
        .await;
    }
    // Those that it does not concern tell of it, too, in their time.
    eventually("all tell of the commit", async || {
        let index = fleet.hub.fleet.index();
        let mut statuses = index.applications.iter().map(|(_, app)| &app.status);
        statuses.all(|status| status.as_ref().is_some_and(|it| it.sync.revision == commit))
    })
    .await;
}

async fn heals(fleet: &Fleet) {
    let deployments = fleet.objects(1, "apps/v1", "Deployment", "team-a");
    let uid = async || {
        deployments
            .get_opt("web")
            .await
            .unwrap()
            .and_then(|one| one.metadata.uid)
    };
    let before = uid().await;
    let background = DeleteParams::background();
    deployments.delete("web", &background).await.unwrap();
    eventually("the deployment is back", async || {
        let now = uid().await;
        now.is_some() && now != before
    })
    .await;
}
