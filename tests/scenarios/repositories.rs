//! Repositories registered by command.

use argosy_test_support::manifest::{automated, config};
use kube::api::ListParams;
use serde_json::{Value, json};

use crate::chart_server::ChartServer;
use crate::fleet::{Fleet, HubKubeconfig};
use crate::secrets::{argosy, metrics};

async fn run(kubeconfig: &HubKubeconfig, args: &[&str]) -> String {
    let path = kubeconfig.path().to_owned();
    let args: Vec<_> = args.iter().map(|arg| (*arg).to_owned()).collect();
    let running = move || argosy(&path, &args.iter().map(String::as_str).collect::<Vec<_>>());
    tokio::task::spawn_blocking(running).await.unwrap()
}

async fn secrets(fleet: &Fleet) -> Vec<Value> {
    let all = fleet
        .objects(&json!("v1"), &json!("Secret"))
        .list(&ListParams::default())
        .await
        .unwrap();
    let all = all
        .into_iter()
        .map(|secret| serde_json::to_value(secret).unwrap());
    let is_ours = |secret: &Value| {
        let kind = &secret["metadata"]["labels"]["argocd.argoproj.io/secret-type"];
        kind == "repository" || kind == "repo-creds"
    };
    all.filter(is_ours).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_is_added_when_it_answers_and_shown_without_its_password() {
    let fleet = Fleet::start(&[]).await;
    let server = ChartServer::start().await;
    server.publish("web", "1.0.0", &[("Chart.yaml", "name: web\n")]);
    let hub = fleet.hub_kubeconfig().await;
    let charts = server.charts();
    let add = [
        "repo",
        "add",
        &charts,
        "--type",
        "helm",
        "--name",
        "stable",
        "--username",
        "ada",
    ];
    let wrong = run(&hub, &[add.as_slice(), &["--password", "s3cret"]].concat()).await;
    assert!(
        wrong.contains("authentication failed") && !wrong.contains("s3cret"),
        "{wrong}"
    );
    assert_eq!(secrets(&fleet).await, Vec::<Value>::new());

    let right = [add.as_slice(), &["--password", "hunter2"]].concat();
    let added = run(&hub, &right).await;
    assert!(added.contains("is registered"), "{added}");
    let again = run(&hub, &right).await;
    assert!(
        again.contains("already registered") && again.contains("--upsert"),
        "{again}"
    );
    let found = secrets(&fleet).await;
    assert_eq!(found.len(), 1);
    assert!(
        found[0]["metadata"]["name"]
            .as_str()
            .unwrap()
            .starts_with("repo-")
    );
    assert_eq!(found[0]["data"]["type"], "aGVsbQ==");

    let listed = run(&hub, &["repo", "list"]).await;
    assert!(
        listed.contains("stable") && listed.contains("Successful"),
        "{listed}"
    );
    let json = run(&hub, &["repo", "list", "-o", "json"]).await;
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["items"][0]["connectionState"]["status"], "Successful");
    assert_eq!(json["items"][0]["credentials"], "user ada");
    let shown = run(&hub, &["repo", "get", "stable"]).await;
    assert!(
        shown.contains(&charts) && !shown.contains("hunter2"),
        "{shown}"
    );
    assert!(
        run(&hub, &["repo", "test", "stable"])
            .await
            .contains("answers")
    );
    server.stop();
    assert!(
        run(&hub, &["repo", "test", "stable"])
            .await
            .contains("cannot read")
    );
    let gone = run(&hub, &["repo", "rm", "stable"]).await;
    assert!(gone.contains("let go of"), "{gone}");
    assert_eq!(secrets(&fleet).await, Vec::<Value>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_serve_every_repository_below_their_url() {
    let fleet = Fleet::start(&[]).await;
    let server = ChartServer::start().await;
    server.publish("web", "1.0.0", &[("Chart.yaml", "name: web\n")]);
    let hub = fleet.hub_kubeconfig().await;
    let charts = server.charts();
    let base = charts.trim_end_matches("/charts");
    let password = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(password.path(), "hunter2\n").unwrap();
    let password = format!("@{}", password.path().display());
    let creds = [
        "repo",
        "add",
        base,
        "--creds",
        "--type",
        "helm",
        "--username",
        "ada",
        "--password",
        &password,
    ];
    let added = run(&hub, &creds).await;
    assert!(added.contains("are registered"), "{added}");
    let added = run(
        &hub,
        &["repo", "add", &charts, "--type", "helm", "--name", "stable"],
    )
    .await;
    assert!(added.contains("is registered"), "{added}");
    let shown = run(&hub, &["repo", "get", &charts]).await;
    assert!(
        shown.contains("user ada") && shown.contains("Successful"),
        "{shown}"
    );
    let listed = run(&hub, &["repo", "list", "--creds", "-o", "wide"]).await;
    assert!(
        listed.contains(base) && !listed.contains("hunter2"),
        "{listed}"
    );
    let gone = run(&hub, &["repo", "rm", base, "--creds"]).await;
    assert!(gone.contains("let go of"), "{gone}");
    assert_eq!(secrets(&fleet).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_cannot_be_read_is_told_to_whoever_reads_its_url() {
    let fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[("web/a.yaml", &config("a", "1", ""))]);
    let register = async |insecure: &str| {
        fleet
            .apply(json!({
                "apiVersion": "v1", "kind": "Secret",
                "metadata": {"name": "repo", "labels": {"argocd.argoproj.io/secret-type": "repository"}},
                "stringData": {"url": fleet.repo(), "insecure": insecure, "password": "hunter2"},
            }))
            .await;
    };
    register("perhaps").await;
    fleet
        .apply(automated("web", &fleet.repo(), "web", &fleet.server("dev")))
        .await;
    let why = fleet.until_condition("web", "ComparisonError").await;
    let wrong = "the repository Secret repo cannot be used: `insecure` must be `true` or `false`";
    assert!(why.contains(&fleet.repo()) && why.contains(wrong), "{why}");
    assert!(
        metrics(&fleet)
            .await
            .contains("argosy_malformed_objects{kind=\"Secret\"} 1")
    );
    let hub = fleet.hub_kubeconfig().await;
    for command in [&["repo", "list"][..], &["repo", "list", "--skip-test"]] {
        let listed = run(&hub, command).await;
        assert!(
            listed.contains("Failed") && listed.contains(wrong),
            "{listed}"
        );
    }

    register("false").await;
    fleet.until_well("web").await;
}
