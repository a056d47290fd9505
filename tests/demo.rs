//! `argosy demo` as its user meets it: the program as a child process, git on its repository, and
//! Kubernetes clients with its kubeconfig.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use argosy_crds::Application;
use argosy_crds::codes::{HealthStatusCode, SyncStatusCode};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Api, DeleteParams, ListParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};

/// Far more than an unoptimised build on a busy machine takes; the figures are measured elsewhere.
const PATIENCE: Duration = Duration::from_mins(2);

fn argosy(arguments: &[&str], data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_argosy"));
    command.args(arguments).arg("--data").arg(data);
    command
}

/// The demo, ended with the test whatever its outcome.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts the demo and waits until it prints `line`.
fn start_until(line: &str, data: &Path) -> Running {
    let mut child = argosy(&["demo", "--timeout=100s"], data)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let running = Running(child);
    let (sender, lines) = mpsc::channel();
    // Reads on after the line has come, so that the demo can go on printing.
    std::thread::spawn(move || {
        for line in output.lines().map_while(Result::ok) {
            let _ = sender.send(line);
        }
    });
    let deadline = Instant::now() + PATIENCE;
    let mut seen = Vec::new();
    while !seen.last().is_some_and(|last: &String| last.contains(line)) {
        let left = deadline.saturating_duration_since(Instant::now());
        match lines.recv_timeout(left) {
            Ok(line) => seen.push(line),
            Err(error) => panic!("no `{line}` ({error}) in:\n{}", seen.join("\n")),
        }
    }
    running
}

async fn client(data: &Path, context: &str) -> Client {
    let kubeconfig = Kubeconfig::read_from(data.join("kubeconfig")).unwrap();
    let options = KubeConfigOptions {
        context: Some(context.to_owned()),
        ..KubeConfigOptions::default()
    };
    let config = Config::from_custom_kubeconfig(kubeconfig, &options)
        .await
        .unwrap();
    Client::try_from(config).unwrap()
}

/// Asks until the answer is yes.
async fn eventually(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so().await {
        assert!(Instant::now() < deadline, "never: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[test]
fn ends_with_success_once_all_is_healthy() {
    let folder = tempfile::tempdir().unwrap();
    let output = argosy(
        &["demo", "--exit-when-healthy", "--timeout=100s"],
        folder.path(),
    )
    .output()
    .unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{printed}");
    assert!(
        printed.contains("All 24 applications are Synced and Healthy"),
        "{printed}"
    );
    let row = printed.lines().find(|line| line.starts_with("orders-prod"));
    let cells: Vec<_> = row.unwrap().split_whitespace().collect();
    assert_eq!(cells[1..4], ["prod", "Synced", "Healthy"]);
}

#[test]
fn ends_with_the_reasons_when_time_is_up() {
    let folder = tempfile::tempdir().unwrap();
    let output = argosy(
        &["demo", "--exit-when-healthy", "--timeout=1ms"],
        folder.path(),
    )
    .output()
    .unwrap();
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn a_second_demo_in_the_same_directory_is_refused_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let _first = start_until("hub cluster", folder.path());
    let output = argosy(&["demo"], folder.path()).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("another argosy is running"), "{said}");
    assert!(said.contains("Hint: "), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn follows_commits_heals_by_itself_and_lives_with_a_dead_cluster() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let _demo = start_until("Ctrl-C ends the demo", data);

    let apps: Api<Application> = Api::namespaced(client(data, "hub").await, "argocd");
    let list = apps.list(&ListParams::default()).await.unwrap();
    assert_eq!(list.items.len(), 24);

    commit(data, "Welcome aboard");
    for context in ["dev", "staging", "prod"] {
        greets(data, context, "Welcome aboard").await;
    }

    let web: Api<Deployment> = Api::namespaced(client(data, "staging").await, "team-a");
    let before = web.get("web").await.unwrap().metadata.uid;
    web.delete("web", &DeleteParams::default()).await.unwrap();
    eventually("the deployment is back", async || {
        let now = web.get_opt("web").await.unwrap();
        now.is_some_and(|now| now.metadata.uid != before)
    })
    .await;

    switch("stop-cluster", data);
    commit(data, "Farewell");
    for context in ["dev", "staging"] {
        greets(data, context, "Farewell").await;
    }
    switch("start-cluster", data);
    greets(data, "prod", "Farewell").await;
    eventually("all is well again", async || {
        let list = apps.list(&ListParams::default()).await.unwrap();
        list.items.len() == 24 && list.iter().all(is_well)
    })
    .await;
}

/// Stops or starts the cluster `prod`.
fn switch(command: &str, data: &Path) {
    let switched = argosy(&["demo", command, "prod"], data).output().unwrap();
    assert!(switched.status.success(), "{switched:?}");
}

fn is_well(app: &Application) -> bool {
    app.status.as_ref().is_some_and(|status| {
        status.sync.status == SyncStatusCode::Synced
            && status.health.status == Some(HealthStatusCode::Healthy)
    })
}

/// Commits another greeting, as the demo proposes.
fn commit(data: &Path, greeting: &str) {
    let repository = data.join("fleet");
    let file = repository.join("tenants/team-a/web/config.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    let lines = text
        .lines()
        .map(|line| match line.split_once("GREETING: ") {
            Some((indent, _)) => format!("{indent}GREETING: {greeting}\n"),
            None => format!("{line}\n"),
        });
    std::fs::write(&file, lines.collect::<String>()).unwrap();
    let committed = Command::new("git")
        .arg("-C")
        .arg(&repository)
        .args([
            "-c",
            "commit.gpgsign=false",
            "commit",
            "--quiet",
            "--all",
            "--message",
            greeting,
        ])
        .status()
        .unwrap();
    assert!(committed.success());
}

async fn greets(data: &Path, context: &str, greeting: &str) {
    let maps: Api<ConfigMap> = Api::namespaced(client(data, context).await, "team-a");
    eventually(&format!("{context} says {greeting}"), async || {
        let map = maps.get("web").await;
        map.is_ok_and(|map| {
            map.data
                .unwrap_or_default()
                .get("GREETING")
                .is_some_and(|is| is == greeting)
        })
    })
    .await;
}
