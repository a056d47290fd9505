//! Projects that want commits signed.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::Ordering;

use argosy_crds::Application;
use argosy_test_support::manifest::{automated, config};
use serde_json::{Value, json};

use crate::addresses::trap;
use crate::chart_server::ChartServer;
use crate::fleet::Fleet;

/// A key, and a commit that is signed with it, of a tree with `web/a.yaml` alone.
const KEY: &str = include_str!("signed/key.asc");
const COMMIT: &str = include_str!("signed/commit");
const KEY_ID: &str = "7E023120201D95B2";

fn project(key: &str) -> Value {
    json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject", "metadata": {"name": "signed"},
           "spec": {"sourceRepos": ["*"], "destinations": [{"server": "*", "namespace": "*"}],
                    "clusterResourceWhitelist": [{"group": "", "kind": "Namespace"}],
                    "signatureKeys": [{"keyID": key}]}})
}

fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Makes a commit of this text the newest one.
fn push(fleet: &Fleet, commit: &str) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), commit).unwrap();
    let path = file.path().to_str().unwrap();
    let folder = fleet.repository();
    let sha = git(folder, &["hash-object", "-t", "commit", "-w", path]);
    git(folder, &["update-ref", "refs/heads/main", &sha]);
    fleet.push();
}

async fn until_refused(fleet: &Fleet, why: &str) {
    let is_refused = |app: &Application| {
        let mut conditions = app.status.iter().flat_map(|status| &status.conditions);
        conditions.any(|one| one.type_ == "ComparisonError" && one.message.contains(why))
    };
    fleet.until("web", why, is_refused).await;
}

async fn value(fleet: &Fleet) -> Value {
    let live = fleet.live("dev", "v1", "ConfigMap", "web/a").await;
    live.map_or(Value::Null, |live| live["data"]["a"].clone())
}

/// CVE-2026-35205: what nobody could verify is refused, and not asked for.
#[tokio::test(flavor = "multi_thread")]
async fn a_project_that_wants_signatures_takes_no_chart_and_no_artifact() {
    let fleet = Fleet::start(&["dev"]).await;
    fleet.apply(project(KEY_ID)).await;
    let (server, asked) = trap("127.0.0.1:0").await;
    let of_registry = json!({"url": format!("oci://{server}/app"), "type": "oci", "insecureOCIForceHttp": "true"});
    fleet
        .apply(ChartServer::secret("registry", &of_registry))
        .await;
    let artifact =
        json!({"repoURL": format!("oci://{server}/app"), "path": ".", "targetRevision": "v1"});
    let chart =
        json!({"repoURL": format!("http://{server}"), "chart": "web", "targetRevision": "1.0.0"});
    for source in [chart, artifact] {
        let mut app = automated("web", "", "", &fleet.server("dev"));
        app["spec"]["source"].clone_from(&source);
        app["spec"]["project"] = json!("signed");
        fleet.apply(app).await;
        let version = source["targetRevision"].as_str().unwrap();
        until_refused(
            &fleet,
            &format!("{version} is the version of a chart or artifact"),
        )
        .await;
    }
    assert_eq!(asked.load(Ordering::Relaxed), 0);
    assert_eq!(fleet.workload("dev").sim.requests().writes(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_that_wants_signatures_takes_those_of_its_keys_alone() {
    let fleet = Fleet::start(&["dev"]).await;
    fleet.apply(project(KEY_ID)).await;
    fleet.commit(&[("web/a.yaml", &config("a", "signed", ""))]);
    let mut app = automated("web", &fleet.repo(), "web", &fleet.server("dev"));
    app["spec"]["project"] = json!("signed");
    fleet.apply(app).await;
    until_refused(&fleet, "is not signed").await;

    push(&fleet, COMMIT);
    until_refused(&fleet, "argocd-gpg-keys-cm holds no key").await;
    assert_eq!(fleet.workload("dev").sim.requests().writes(), 0);

    fleet
        .configure("argocd-gpg-keys-cm", json!({KEY_ID: KEY}))
        .await;
    fleet.until_well("web").await;
    assert_eq!(value(&fleet).await, "signed");

    push(&fleet, &COMMIT.replace("\nsigned\n", "\nforged\n"));
    until_refused(&fleet, "it is not of this commit").await;
    fleet.commit(&[("web/a.yaml", &config("a", "unsigned", ""))]);
    fleet.push();
    until_refused(&fleet, "is not signed").await;
    assert_eq!(value(&fleet).await, "signed");

    push(&fleet, COMMIT);
    fleet.until_well("web").await;
    fleet.apply(project("89ABCDEF01234567")).await;
    until_refused(&fleet, "this key is not allowed").await;
    assert_eq!(value(&fleet).await, "signed");
}
