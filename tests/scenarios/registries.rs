//! Charts and artifacts over TLS: from Debian's registry and from a Helm repository.

use argosy_crds::Application;
use argosy_test_support::manifest::automated;
use serde_json::{Value, json};

use crate::chart_server::ChartServer;
use crate::charts::{chart, data, meta, of_chart, revision};
use crate::docker_registry::DockerRegistry;
use crate::fleet::Fleet;
use crate::rendered::tool_path;
use crate::tls::Authority;

/// A hub that trusts an authority.
async fn trusting(authority: &Authority) -> Fleet {
    let fleet = Fleet::start_with_tools(&["dev"], tool_path()).await;
    let certificates = json!({"127.0.0.1": authority.pem()});
    fleet.configure("argocd-tls-certs-cm", certificates).await;
    fleet
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_gives_charts_and_artifacts_to_whom_it_knows() {
    let authority = Authority::new();
    let fleet = trusting(&authority).await;
    let registry = DockerRegistry::start(&authority).await;
    for version in ["1.0.0", "1.1.0"] {
        registry
            .push_chart("charts/web", version, &chart(&meta("web", version), &[]))
            .await;
    }
    let plain = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: plain}\ndata: {a: '1'}\n";
    let digest = registry
        .push_files("apps/plain", "v1", &[("deploy/cm.yaml", plain)])
        .await;

    let charts = format!("{}/charts", registry.address());
    let of_charts = json!({"url": charts, "enableOCI": "true", "password": "s3cret"});
    fleet.apply(ChartServer::secret("charts", &of_charts)).await;
    fleet
        .apply(of_chart("web", &fleet, &charts, "web", "1.*"))
        .await;
    let why = fleet.until_condition("web", "ComparisonError").await;
    assert!(
        why.contains("authentication failed") && why.contains(&charts) && !why.contains("s3cret"),
        "{why}"
    );
    let of_charts = json!({"url": charts, "enableOCI": "true"});
    fleet.apply(ChartServer::secret("charts", &of_charts)).await;
    assert_eq!(revision(&fleet.until_well("web").await), "1.1.0");
    let expected = json!({"version": "1.1.0", "color": "red"});
    assert_eq!(data(&fleet, "web/web-cm").await, expected);

    let artifact = format!("oci://{}/apps/plain", registry.address());
    let of_artifact = json!({"url": artifact, "type": "oci"});
    fleet
        .apply(ChartServer::secret("artifact", &of_artifact))
        .await;
    let mut app = automated("plain", &artifact, "deploy", &fleet.server("dev"));
    app["spec"]["source"]["targetRevision"] = json!("v1");
    fleet.apply(app).await;
    assert_eq!(revision(&fleet.until_well("plain").await), digest);
    assert_eq!(data(&fleet, "plain/plain").await, json!({"a": "1"}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_helm_repository_is_read_over_tls_and_its_index_confirmed() {
    let authority = Authority::new();
    let fleet = Fleet::start_with_tools(&["dev"], tool_path()).await;
    let server = ChartServer::start_over(Some(authority.acceptor(None))).await;
    server.publish("web", "1.0.0", &chart(&meta("web", "1.0.0"), &[]));
    let registered = json!({"url": server.charts()});
    fleet
        .apply(ChartServer::secret("stable", &registered))
        .await;
    fleet
        .apply(of_chart("web", &fleet, &server.charts(), "web", "1.*"))
        .await;
    let why = fleet.until_condition("web", "ComparisonError").await;
    assert!(why.contains("argocd-tls-certs-cm"), "{why}");
    let certificates = json!({"127.0.0.1": authority.pem()});
    fleet.configure("argocd-tls-certs-cm", certificates).await;
    fleet.until_well("web").await;

    let refresh: Value =
        json!({"metadata": {"annotations": {"argocd.argoproj.io/refresh": "normal"}}});
    fleet.change("web", refresh).await;
    fleet
        .eventually("the index was confirmed", async || {
            server.confirmed("/charts/index.yaml") > 0
        })
        .await;
    assert_eq!(server.served("/charts/index.yaml"), 1);
    let is_answered = |app: &Application| {
        let annotations = app.metadata.annotations.as_ref();
        annotations.is_none_or(|all| !all.contains_key("argocd.argoproj.io/refresh"))
    };
    fleet.until("web", "refreshed", is_answered).await;
    fleet.until_well("web").await;
}
