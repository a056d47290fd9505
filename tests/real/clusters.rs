//! Clusters registered by the program, as a person does it.

use std::process::{Command, Output};

use kube::api::{Patch, PatchParams};
use serde_json::json;

use crate::fleet::Fleet;
use argosy_test_support::manifest::automated;
use argosy_test_support::wait::{eventually, is_synced};

const CONFIG: &str =
    "{apiVersion: v1, kind: ConfigMap, metadata: {name: settings}, data: {a: '1'}}";

fn cluster(fleet: &Fleet, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_argosy"));
    command
        .arg("cluster")
        .args(arguments)
        .arg("--kubeconfig")
        .arg(fleet.server(0).kubeconfig())
        .args(["--namespace", &fleet.namespace]);
    command
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    succeeded(&output)
}

fn succeeded(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_is_added_by_its_address_and_runs_applications() {
    let fleet = Fleet::start("hub-add-server").await;
    let server = fleet.server(1);
    let ca = fleet.folder.path().join("ca.pem");
    std::fs::write(&ca, server.ca_pem()).unwrap();
    let mut add = cluster(&fleet, &["add", "--server", server.url(), "--name", "edge"]);
    run(add
        .args(["--token", server.token(), "--label", "env=edge", "--ca"])
        .arg(&ca));

    eventually("the hub says that the cluster answers", async || {
        let list = run(&mut cluster(&fleet, &["list"]));
        let row = list.lines().find(|line| line.contains("edge"));
        row.is_some_and(|row| row.contains("Successful"))
    })
    .await;
    fleet.tree.commit(&[("web/config.yaml", CONFIG)]);
    let mut app = automated("added", &fleet.tree.url(), "web", "");
    app["spec"]["destination"] = json!({"name": "edge", "namespace": "added"});
    fleet.apply(app).await;
    fleet.until("added", "synced", is_synced).await;
    assert!(
        fleet
            .live(1, "v1", "ConfigMap", "added/settings")
            .await
            .is_some()
    );

    run(&mut cluster(&fleet, &["rm", "edge", "--force"]));
    eventually("the cluster is gone", async || {
        !run(&mut cluster(&fleet, &["list"])).contains("edge")
    })
    .await;
    // Nobody is at home any more, so nothing is deleted there.
    assert!(
        fleet
            .live(1, "v1", "ConfigMap", "added/settings")
            .await
            .is_some()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_is_added_by_a_context_with_an_account_of_its_own() {
    let fleet = Fleet::start("hub-add-context").await;
    let server = fleet.server(2);
    let mut add = cluster(&fleet, &["add", "test", "--name", "far"]);
    add.arg("--cluster-kubeconfig").arg(server.kubeconfig());
    let adding = tokio::task::spawn_blocking(move || add.output().unwrap());

    // Plays the controller that fills in tokens.
    let secrets = fleet.objects(2, "v1", "Secret", "kube-system");
    let name = "argocd-manager-long-lived-token";
    eventually("a token is asked for, or the program gave up", async || {
        secrets.get_opt(name).await.unwrap().is_some() || adding.is_finished()
    })
    .await;
    let token = json!({"stringData": {"token": server.token()}});
    let filled = secrets
        .patch(name, &PatchParams::default(), &Patch::Merge(token))
        .await;
    assert!(filled.is_ok(), "{}", succeeded(&adding.await.unwrap()));
    succeeded(&adding.await.unwrap());
    let role = fleet.objects(2, "rbac.authorization.k8s.io/v1", "ClusterRole", "");
    assert!(role.get_opt("argocd-manager-role").await.unwrap().is_some());
    eventually("the hub says that the cluster answers", async || {
        let list = run(&mut cluster(&fleet, &["list"]));
        let row = list.lines().find(|line| line.contains("far"));
        row.is_some_and(|row| row.contains("Successful"))
    })
    .await;
}
