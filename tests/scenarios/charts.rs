//! Charts from a Helm repository and from a registry, rendered by the real tools.

use std::process::Command;

use argosy_test_support::manifest::automated;
use argosy_test_support::wait::is_well;
use serde_json::{Value, json};

use crate::chart_server::ChartServer;
use crate::fleet::Fleet;
use crate::rendered::tool_path;

const TEMPLATE: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: '{{ .Release.Name }}-cm'}\n\
data: {version: '{{ .Chart.Version }}', color: '{{ .Values.color }}'}\n";

/// The files of a chart.
pub(crate) fn chart<'a>(meta: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let own = [
        ("Chart.yaml", meta),
        ("values.yaml", "color: red\n"),
        ("templates/cm.yaml", TEMPLATE),
    ];
    own.into_iter().chain(more.iter().copied()).collect()
}

pub(crate) fn meta(name: &str, version: &str) -> String {
    format!("apiVersion: v2\nname: {name}\nversion: {version}\n")
}

/// An application of a chart.
pub(crate) fn of_chart(name: &str, fleet: &Fleet, url: &str, chart: &str, revision: &str) -> Value {
    let mut app = automated(name, url, "", &fleet.server("dev"));
    app["spec"]["source"] = json!({"repoURL": url, "chart": chart, "targetRevision": revision});
    app
}

/// What `argosy app manifests` prints of an application.
async fn manifests(fleet: &Fleet, name: &str, source: &str) -> Value {
    let hub = fleet.hub_kubeconfig().await;
    let mut command = Command::new(env!("CARGO_BIN_EXE_argosy"));
    command.args(["app", "manifests", name, "--source", source, "-o", "json"]);
    command
        .env("KUBECONFIG", hub.path())
        .env("PATH", tool_path());
    let running = move || command.output().unwrap();
    let output = tokio::task::spawn_blocking(running).await.unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaint}");
    serde_json::from_slice(&output.stdout).unwrap()
}

pub(crate) async fn data(fleet: &Fleet, place: &str) -> Value {
    let map = fleet.live("dev", "v1", "ConfigMap", place).await;
    map.map_or(Value::Null, |map| map["data"].clone())
}

pub(crate) fn revision(app: &argosy_crds::Application) -> String {
    app.status.as_ref().unwrap().sync.revision.clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chart_is_followed_in_its_repository_and_the_index_is_read_once() {
    let fleet = Fleet::start_with_tools(&["dev"], tool_path()).await;
    let server = ChartServer::start().await;
    for version in ["1.0.0", "1.1.0", "2.0.0"] {
        server.publish("web", version, &chart(&meta("web", version), &[]));
    }
    fleet
        .apply(ChartServer::secret(
            "stable",
            &json!({"url": server.charts()}),
        ))
        .await;
    let names: Vec<_> = (0..6).map(|number| format!("web-{number}")).collect();
    for name in &names {
        fleet
            .apply(of_chart(name, &fleet, &server.charts(), "web", "1.*"))
            .await;
    }
    for name in &names {
        let app = fleet.until_well(name).await;
        assert_eq!(revision(&app), "1.1.0");
        assert_eq!(app.status.unwrap().source_type, "Helm");
        let data = data(&fleet, &format!("{name}/{name}-cm")).await;
        assert_eq!(data, json!({"version": "1.1.0", "color": "red"}));
    }
    assert_eq!(server.served("/charts/index.yaml"), 1);
    assert_eq!(server.served("/charts/web-1.1.0.tgz"), 1);

    server.publish("web", "1.2.0", &chart(&meta("web", "1.2.0"), &[]));
    let refresh = json!({"metadata": {"annotations": {"argocd.argoproj.io/refresh": "normal"}}});
    fleet.change("web-0", refresh).await;
    let at_new = |app: &argosy_crds::Application| revision(app) == "1.2.0" && is_well(app);
    fleet.until("web-0", "at the new version", at_new).await;
    assert_eq!(data(&fleet, "web-0/web-0-cm").await["version"], "1.2.0");
    assert_eq!(server.served("/charts/index.yaml"), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chart_of_a_registry_gets_its_dependency_and_remote_values() {
    let fleet = Fleet::start_with_tools(&["dev"], tool_path()).await;
    let server = ChartServer::start().await;
    server.publish("part", "0.3.1", &chart(&meta("part", "0.3.1"), &[]));
    let charts = server.charts();
    let parent = format!(
        "{}dependencies:\n- {{name: part, version: 0.3.x, repository: '{charts}', alias: piece}}\n",
        meta("shop", "1.0.0+b1")
    );
    let template = (
        "templates/cm.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: own}\ndata: {c: '{{ .Values.color }}'}\n",
    );
    let mut files = chart(&parent, &[]);
    files.retain(|(path, _)| *path != template.0);
    files.push(template);
    server.push_chart("charts/shop", "1.0.0_b1", &files);
    server.put(
        "/public/values.yaml",
        b"color: green\npiece: {color: blue}\n".to_vec(),
    );
    let registry = json!({"url": format!("{}/charts", server.registry()), "enableOCI": "true", "insecureOCIForceHttp": "true"});
    fleet
        .apply(ChartServer::secret("registry", &registry))
        .await;
    fleet
        .apply(ChartServer::secret("stable", &json!({"url": charts})))
        .await;
    let url = format!("{}/charts", server.registry());
    let mut app = of_chart("shop", &fleet, &url, "shop", ">=1.0.0");
    let values = format!("http://{}/public/values.yaml", server.registry());
    app["spec"]["source"]["helm"] = json!({"valueFiles": [values]});
    fleet.apply(app).await;
    let app = fleet.until_well("shop").await;
    assert_eq!(revision(&app), "1.0.0+b1");
    assert_eq!(data(&fleet, "shop/own").await, json!({"c": "green"}));
    assert_eq!(
        data(&fleet, "shop/shop-cm").await,
        json!({"version": "0.3.1", "color": "blue"})
    );
    // The command fetches for itself what the hub has fetched.
    let shown = manifests(&fleet, "shop", "git").await;
    assert_eq!(shown["sourceType"], "Helm");
    assert_eq!(shown["revisions"], json!(["1.0.0+b1"]));
    let mut names: Vec<_> = shown["manifests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["metadata"]["name"])
        .collect();
    names.sort_by_key(ToString::to_string);
    assert_eq!(names, ["own", "shop-cm"]);
    let live = manifests(&fleet, "shop", "live").await;
    assert_eq!(live["manifests"].as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_artifact_is_a_source_whose_revision_is_its_digest() {
    let fleet = Fleet::start_with_tools(&["dev"], tool_path()).await;
    let server = ChartServer::start().await;
    let map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: plain}\ndata: {a: '1'}\n";
    let digest = server.push_files(
        "apps/web",
        "v1.0.0",
        &[("deploy/cm.yaml", map), ("other/x.yaml", "x")],
    );
    let url = format!("oci://{}/apps/web", server.registry());
    let registered = json!({"url": url, "type": "oci", "insecureOCIForceHttp": "true"});
    fleet
        .apply(ChartServer::secret("artifacts", &registered))
        .await;
    let mut app = automated("web", &url, "deploy", &fleet.server("dev"));
    app["spec"]["source"]["targetRevision"] = json!("v1.x");
    fleet.apply(app).await;
    let app = fleet.until_well("web").await;
    assert_eq!(revision(&app), digest);
    assert_eq!(data(&fleet, "web/plain").await, json!({"a": "1"}));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_fixed_needs_no_repository_and_what_is_not_there_says_so() {
    let mut fleet = Fleet::start_with_tools(&["dev"], tool_path()).await;
    let server = ChartServer::start().await;
    server.publish("web", "1.0.0", &chart(&meta("web", "1.0.0"), &[]));
    fleet
        .apply(ChartServer::secret(
            "stable",
            &json!({"url": server.charts()}),
        ))
        .await;
    for (name, chart, revision, text) in [
        ("gone", "wep", "1.0.0", "did you mean `web`?"),
        ("new", "web", "^3", "the newest version is 1.0.0"),
    ] {
        fleet
            .apply(of_chart(name, &fleet, &server.charts(), chart, revision))
            .await;
        let message = fleet.until_condition(name, "ComparisonError").await;
        assert!(message.contains(text), "{message}");
    }
    fleet
        .apply(of_chart("web", &fleet, &server.charts(), "web", "1.0.0"))
        .await;
    fleet.until_well("web").await;

    server.stop();
    fleet.restart_hub();
    fleet
        .change(
            "web",
            json!({"spec": {"source": {"helm": {"values": "color: grey"}}}}),
        )
        .await;
    fleet
        .eventually("the new value is there", || async {
            data(&fleet, "web/web-cm").await["color"] == "grey"
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_told_without_it_and_a_hostile_chart_is_refused() {
    let fleet = Fleet::start_with_tools(&["dev"], tool_path()).await;
    let server = ChartServer::start().await;
    server.publish("web", "1.0.0", &[("../../escaped", "x")]);
    let wrong = json!({"url": server.charts(), "password": "s3cret"});
    fleet.apply(ChartServer::secret("stable", &wrong)).await;
    fleet
        .apply(of_chart("web", &fleet, &server.charts(), "web", "1.0.0"))
        .await;
    let message = fleet.until_condition("web", "ComparisonError").await;
    assert!(
        message.contains("authentication failed") && !message.contains("s3cret"),
        "{message}"
    );

    fleet
        .apply(ChartServer::secret(
            "stable",
            &json!({"url": server.charts()}),
        ))
        .await;
    // A changed registration wakes whoever reads by it.
    let refused = |app: &argosy_crds::Application| {
        let mut conditions = app.status.iter().flat_map(|status| &status.conditions);
        conditions.any(|one| one.message.contains("out-of-bounds"))
    };
    fleet.until("web", "refused", refused).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_is_published_anew_is_refused_until_somebody_asks_for_it() {
    let mut fleet = Fleet::start_with_tools(&["dev"], tool_path()).await;
    let server = ChartServer::start().await;
    server.publish("web", "1.0.0", &chart(&meta("web", "1.0.0"), &[]));
    fleet
        .apply(ChartServer::secret(
            "stable",
            &json!({"url": server.charts()}),
        ))
        .await;
    fleet
        .apply(of_chart("web", &fleet, &server.charts(), "web", "1.0.0"))
        .await;
    fleet.until_well("web").await;

    let mut other = chart("apiVersion: v2\nname: web\nversion: 1.0.0\n", &[]);
    other[1].1 = "color: blue\n";
    server.publish_anew("web", "1.0.0", &other);
    let refresh =
        |how: &str| json!({"metadata": {"annotations": {"argocd.argoproj.io/refresh": how}}});
    fleet
        .eventually("the other content is refused", || async {
            // The index is read while what is known is used, so that the first look may not see it.
            fleet.change("web", refresh("normal")).await;
            let app = fleet.applications().get("web").await.unwrap();
            let mut conditions = app.status.iter().flat_map(|status| &status.conditions);
            conditions.any(|one| one.message.contains("DigestChanged"))
        })
        .await;
    assert_eq!(data(&fleet, "web/web-cm").await["color"], "red");

    fleet.restart_hub();
    fleet.change("web", refresh("hard")).await;
    fleet
        .eventually("the other content is there", || async {
            data(&fleet, "web/web-cm").await["color"] == "blue"
        })
        .await;
    fleet.until_well("web").await;
}
