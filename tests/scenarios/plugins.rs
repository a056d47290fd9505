//! Applications whose manifests a config management plugin prints.

use argosy_test_support::manifest::automated;
use argosy_test_support::wait::is_well;
use serde_json::{Value, json};

use crate::fleet::Fleet;
use crate::git_server::GitServer;

/// Prints a ConfigMap with what it is told and with what lies in its directory and beside it.
const PRINTER: &str = r#"
apiVersion: argoproj.io/v1alpha1
kind: ConfigManagementPlugin
metadata: {name: printer}
spec:
  version: v1
  generate:
    command: [sh, -c]
    args:
      - |
        [ "$(cat color)" != none ] || { echo "there is no color" >&2; exit 4; }
        echo '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "cm"}, "data": {'
        echo "\"color\": \"$(cat color)\", \"size\": \"$(cat ../size)\", \"stage\": \"$ARGOCD_ENV_STAGE\","
        echo "\"app\": \"$ARGOCD_APP_NAME\", \"replicas\": \"$PARAM_REPLICAS\"}}"
"#;

/// Recognises directories with a file of its own.
const CAT: &str = r"
apiVersion: argoproj.io/v1alpha1
kind: ConfigManagementPlugin
metadata: {name: cat}
spec:
  discover: {fileName: '*.manifests'}
  generate: {command: [cat, all.manifests]}
";

/// Reads its repository once more by itself, and tries another one of the same server.
const READER: &str = r#"
apiVersion: argoproj.io/v1alpha1
kind: ConfigManagementPlugin
metadata: {name: reader}
spec:
  provideGitCreds: true
  generate:
    command: [sh, -c]
    args:
      - |
        [ "$(cat color)" != none ] || { env >&2; exit 4; }
        git clone -q "$ARGOCD_APP_SOURCE_REPO_URL" copy >&2 || exit 5
        other=$(git ls-remote "${ARGOCD_APP_SOURCE_REPO_URL%/*/*}/other/.git" 2>&1 | grep -c "prompts disabled")
        echo '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "cm"}, "data": {'
        echo "\"color\": \"$(cat copy/web/color)\", \"refused\": \"$other\"}}"
"#;

async fn data(fleet: &Fleet, place: &str) -> Value {
    let map = fleet.live("dev", "v1", "ConfigMap", place).await;
    map.map_or(Value::Null, |map| map["data"].clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugins_manifests_follow_its_commits_and_parameters() {
    let files = [("printer.yaml", PRINTER), ("cat.yaml", CAT)];
    let fleet = Fleet::start_with_plugins(&["dev"], &files).await;
    fleet.commit(&[("web/color", "red"), ("size", "1")]);
    let mut app = automated("web", &fleet.repo(), "web", &fleet.server("dev"));
    app["spec"]["source"]["plugin"] = json!({"name": "printer-v1",
        "env": [{"name": "STAGE", "value": "$ARGOCD_APP_NAME-prod"}],
        "parameters": [{"name": "replicas", "string": "3"}]});
    fleet.apply(app).await;
    let app = fleet.until_well("web").await;
    assert_eq!(app.status.unwrap().source_type, "Plugin");
    let all = |color: &str, size: &str, replicas: &str| json!({"color": color, "size": size, "stage": "web-prod", "app": "web", "replicas": replicas});
    assert_eq!(data(&fleet, "web/cm").await, all("red", "1", "3"));

    fleet.commit(&[("size", "2")]);
    fleet.push();
    fleet
        .eventually("the file beside its directory is followed", async || {
            data(&fleet, "web/cm").await == all("red", "2", "3")
        })
        .await;
    let parameters = json!([{"name": "replicas", "string": "4"}]);
    let change = json!({"spec": {"source": {"plugin": {"parameters": parameters}}}});
    fleet.change("web", change).await;
    fleet
        .eventually("the parameter is followed", async || {
            data(&fleet, "web/cm").await == all("red", "2", "4")
        })
        .await;

    fleet.commit(&[("web/color", "none")]);
    fleet.push();
    let why = "plugin 'printer-v1': its generate command `sh`: exit status: 4: there is no color";
    fleet
        .until("web", "in error", |app| {
            let conditions = &app.status.as_ref().unwrap().conditions;
            conditions.iter().any(|one| one.message.contains(why))
        })
        .await;
    assert_eq!(data(&fleet, "web/cm").await, all("red", "2", "4"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_recognises_its_sources_and_renders_a_commit_once() {
    let files = [("printer.yaml", PRINTER), ("cat.yaml", CAT)];
    let mut fleet = Fleet::start_with_plugins(&["dev"], &files).await;
    let map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: cm}\ndata: {v: '1'}\n";
    fleet.commit(&[
        ("web/all.manifests", map),
        ("web/Chart.yaml", "name: no\n"),
        ("plain/cm.yaml", map),
    ]);
    for path in ["web", "plain"] {
        let app = automated(path, &fleet.repo(), path, &fleet.server("dev"));
        fleet.apply(app).await;
    }
    for (name, kind) in [("web", "Plugin"), ("plain", "Directory")] {
        let app = fleet.until_well(name).await;
        assert_eq!(app.status.unwrap().source_type, kind);
        assert_eq!(data(&fleet, &format!("{name}/cm")).await, json!({"v": "1"}));
    }
    assert_eq!(fleet.hub.applications.render_counts().rendered, 2);
    fleet.restart_hub();
    fleet.nothing_is_written().await;
    assert_eq!(fleet.hub.applications.render_counts().rendered, 0);
    fleet.commit(&[("plain/all.manifests", &map.replace("'1'", "'2'"))]);
    fleet.push();
    fleet
        .until("plain", "a plugin's", |app| {
            app.status.as_ref().unwrap().source_type == "Plugin" && is_well(app)
        })
        .await;
    assert_eq!(data(&fleet, "plain/cm").await, json!({"v": "2"}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_reads_its_own_repository_and_no_other_where_it_asks_for_that() {
    let fleet = Fleet::start_with_plugins(&["dev"], &[("reader.yaml", READER)]).await;
    fleet.commit(&[("web/color", "red")]);
    let server = GitServer::serve(fleet.repository()).await;
    // `ada:hunter2`
    server.admits("Basic YWRhOmh1bnRlcjI=");
    fleet
        .apply(json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": "repo", "labels": {"argocd.argoproj.io/secret-type": "repository"}},
            "stringData": {"url": server.url(), "username": "ada", "password": "hunter2"},
        }))
        .await;
    let mut app = automated("web", server.url(), "web", &fleet.server("dev"));
    app["spec"]["source"]["plugin"] = json!({"name": "reader"});
    fleet.apply(app).await;
    fleet.until_well("web").await;
    let read = json!({"color": "red", "refused": "1"});
    assert_eq!(data(&fleet, "web/cm").await, read);

    fleet.commit(&[("web/color", "none")]);
    let refresh = json!({"metadata": {"annotations": {"argocd.argoproj.io/refresh": "normal"}}});
    fleet.change("web", refresh).await;
    let why = fleet.until_condition("web", "ComparisonError").await;
    assert!(
        why.contains("GIT_CONFIG_VALUE_0=Authorization: Basic ***"),
        "{why}"
    );
    assert!(!why.contains("YWRhOmh1bnRlcjI="), "{why}");
}
