//! The cluster over HTTPS: tokens, kubectl, faults, and what a restart keeps.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

use std::io::ErrorKind;
use std::process::Command;

use argosy_facts::Secret;
use argosy_sim::{Fault, Rule, RunningServer, ServeOptions, SimCluster, SimConfig, SimServer};
use k8s_openapi::api::core::v1::{ConfigMap, Secret as SecretObject};
use kube::api::{Api, ListParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde_json::json;
use tokio::net::TcpStream;

async fn serve(cluster: &SimCluster) -> RunningServer {
    let options = ServeOptions {
        token: Secret::new("right"),
    };
    SimServer::serve(cluster.clone(), ([127, 0, 0, 1], 0).into(), options)
        .await
        .unwrap()
}

async fn client(kubeconfig: &str) -> Client {
    let kubeconfig = Kubeconfig::from_yaml(kubeconfig).unwrap();
    let options = KubeConfigOptions::default();
    let config = Config::from_custom_kubeconfig(kubeconfig, &options)
        .await
        .unwrap();
    Client::try_from(config).unwrap()
}

#[tokio::test]
async fn only_a_valid_token_gets_in_and_a_service_account_token_is_one() {
    let cluster = SimCluster::new(SimConfig::new("test")).unwrap();
    let server = serve(&cluster).await;
    let admin = client(&server.kubeconfig()).await;
    let secrets: Api<SecretObject> = Api::default_namespaced(admin);
    let secret = serde_json::from_value(json!({
        "metadata": {"name": "t", "annotations": {"kubernetes.io/service-account.name": "default"}},
        "type": "kubernetes.io/service-account-token",
    }));
    let made = secrets
        .create(&PostParams::default(), &secret.unwrap())
        .await
        .unwrap();
    let token = String::from_utf8(made.data.unwrap()["token"].0.clone()).unwrap();

    for (token, wanted) in [(token.as_str(), true), ("wrong", false)] {
        let config = cluster.kubeconfig(&server.url(), &server.ca_pem, token);
        let maps: Api<ConfigMap> = Api::default_namespaced(client(&config).await);
        assert_eq!(
            maps.list(&ListParams::default()).await.is_ok(),
            wanted,
            "{token}"
        );
    }
}

#[tokio::test]
async fn a_stopped_cluster_refuses_and_comes_back_as_it_was() {
    let cluster = SimCluster::new(SimConfig::new("test")).unwrap();
    let server = serve(&cluster).await;
    let maps: Api<ConfigMap> = Api::default_namespaced(client(&server.kubeconfig()).await);
    maps.get("kube-root-ca.crt").await.unwrap();
    cluster.faults().stop();
    maps.get("kube-root-ca.crt").await.unwrap_err();
    let refused = loop {
        match TcpStream::connect(server.addr).await {
            Ok(_) => tokio::task::yield_now().await,
            Err(error) => break error.kind(),
        }
    };
    assert_eq!(refused, ErrorKind::ConnectionRefused);
    cluster.faults().start();
    while TcpStream::connect(server.addr).await.is_err() {
        tokio::task::yield_now().await;
    }
    maps.get("kube-root-ca.crt").await.unwrap();

    let rule = Rule {
        verb: Some("get".to_owned()),
        resource: Some("configmaps".to_owned()),
        fault: Fault::Fail {
            code: 500,
            message: "out of order".to_owned(),
        },
        times: Some(1),
    };
    cluster.faults().add(rule);
    assert!(
        maps.get("kube-root-ca.crt")
            .await
            .unwrap_err()
            .to_string()
            .contains("out of order")
    );
    maps.get("kube-root-ca.crt").await.unwrap();
    assert_eq!(cluster.requests().count("get", "configmaps"), 4);
}

#[tokio::test]
async fn a_restart_keeps_objects_versions_and_tokens() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = SimConfig::new("test");
    config.persist = Some(folder.path().join("state.redb"));
    let map = serde_json::from_value(json!({"metadata": {"name": "kept"}, "data": {"a": "b"}}));
    let (made, version) = {
        let cluster = SimCluster::new(config.clone()).unwrap();
        let maps: Api<ConfigMap> =
            Api::default_namespaced(Client::new(cluster.service(), "default"));
        let made = maps
            .create(&PostParams::default(), &map.unwrap())
            .await
            .unwrap();
        (made, cluster.resource_version())
    };
    // The client's worker may hold the cluster a moment longer.
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    let cluster = SimCluster::new(config).unwrap();
    assert_eq!(cluster.resource_version(), version);
    let maps: Api<ConfigMap> = Api::default_namespaced(Client::new(cluster.service(), "default"));
    assert_eq!(maps.get("kept").await.unwrap(), made);
    maps.get("kube-root-ca.crt").await.unwrap();
}

/// Runs kubectl and answers its output; `None` where there is no kubectl.
fn kubectl(config: &std::path::Path, arguments: &[&str], stdin: &str) -> Option<(bool, String)> {
    use std::io::Write as _;
    use std::process::Stdio;
    let mut child = Command::new("kubectl")
        .arg("--kubeconfig")
        .arg(config)
        .args(arguments)
        .env("HOME", config.parent()?)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .ok()?;
    child.stdin.take()?.write_all(stdin.as_bytes()).ok()?;
    let output = child.wait_with_output().ok()?;
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    Some((
        output.status.success(),
        text(&output.stdout) + &text(&output.stderr),
    ))
}

const MANIFEST: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: web, image: 'web:1', ports: [{containerPort: 80}]}
";

const DEFINITION: &str = "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Widget, plural: widgets, shortNames: [wd]}
  versions:
  - name: v1
    served: true
    storage: true
    additionalPrinterColumns: [{name: Size, type: integer, jsonPath: .spec.size}]
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec: {type: object, properties: {size: {type: integer}}}
";

const WIDGET: &str = "
apiVersion: example.com/v1
kind: Widget
metadata: {name: w}
spec: {size: 3}
";

/// What is run, what it reads, and what it prints.
type Step = (&'static [&'static str], &'static str, &'static str);

const ENV: &str = r#"{"spec":{"template":{"spec":{"containers":[{"name":"web","env":[{"name":"A","value":"1"}]}]}}}}"#;

const WORKLOAD: &[Step] = &[
    (
        &["apply", "-f", "-"],
        MANIFEST,
        "deployment.apps/web created",
    ),
    (
        &["apply", "-f", "-"],
        MANIFEST,
        "deployment.apps/web unchanged",
    ),
    (
        &["apply", "--server-side", "--force-conflicts", "-f", "-"],
        MANIFEST,
        "serverside-applied",
    ),
    (&["diff", "-f", "-"], MANIFEST, ""),
    (&["get", "deploy"], "", "web    0/2"),
    (
        &["set", "image", "deploy/web", "web=web:2"],
        "",
        "image updated",
    ),
    (&["get", "deploy", "-o", "jsonpath={..image}"], "", "web:2"),
    (
        &["label", "deploy", "web", "a=b"],
        "",
        "deployment.apps/web labeled",
    ),
    (
        &["annotate", "deploy", "web", "a=b"],
        "",
        "deployment.apps/web annotated",
    ),
    (
        &["scale", "deploy", "web", "--replicas=3"],
        "",
        "deployment.apps/web scaled",
    ),
    (&["patch", "deploy", "web", "-p", ENV], "", "patched"),
    (
        &["describe", "deploy", "web"],
        "",
        "Replicas:               3 desired",
    ),
    (&["get", "all", "-A"], "", "deployment.apps/web"),
    (
        &["wait", "deploy", "web", "--for=jsonpath={.spec.replicas}=3"],
        "",
        "condition met",
    ),
    (&["delete", "deploy", "web"], "", "\"web\" deleted"),
];

const OTHERS: &[Step] = &[
    (
        &["create", "configmap", "c", "--from-literal=a=b"],
        "",
        "configmap/c created",
    ),
    (
        &["create", "namespace", "extra"],
        "",
        "namespace/extra created",
    ),
    (&["create", "token", "default"], "", "ey"),
    (&["auth", "can-i", "create", "pods"], "", "yes"),
    (
        &["apply", "-f", "-"],
        DEFINITION,
        "widgets.example.com created",
    ),
    (
        &[
            "wait",
            "crd/widgets.example.com",
            "--for=condition=Established",
        ],
        "",
        "condition met",
    ),
    (
        &["apply", "-f", "-"],
        WIDGET,
        "widget.example.com/w created",
    ),
    (&["get", "wd"], "", "w      3"),
    (&["explain", "widget.spec.size"], "", "<integer>"),
    (&["delete", "namespace", "extra"], "", "\"extra\" deleted"),
    (&["delete", "crd", "widgets.example.com"], "", "deleted"),
    (&["get", "configmaps", "-o", "name"], "", "configmap/c"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kubectl_works() {
    let cluster = SimCluster::new(SimConfig::new("test")).unwrap();
    let server = serve(&cluster).await;
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config");
    std::fs::write(&config, server.kubeconfig()).unwrap();
    if kubectl(&config, &["version"], "").is_none() {
        return;
    }
    for (arguments, stdin, wanted) in WORKLOAD.iter().chain(OTHERS) {
        let (done, text) = kubectl(&config, arguments, stdin).unwrap();
        assert!(
            done && text.contains(wanted),
            "kubectl {arguments:?}: {text}"
        );
    }
}
