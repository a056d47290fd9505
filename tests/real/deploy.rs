//! What `deploy/` installs: the chart and the kustomizations say the same, a cluster accepts all
//! of it under restricted Pod Security, and a hub runs with the rights that it asks for.

use std::collections::BTreeMap;
use std::process::Command;

use argosy_test_support::manifest::automated;
use argosy_test_support::wait::{eventually, is_synced, resource};
use argosy_test_support::{Authorization, ControlPlane, Options, Tool, WorkTree, tool};
use kube::api::{DynamicObject, ListParams, Patch, PatchParams, PostParams};
use kube::{Api, Client};
use serde::Deserialize as _;
use serde_json::{Value, json};

use crate::hub_process::HubProcess;

const DEPLOY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy");
const CONFIG: &str =
    "{apiVersion: v1, kind: ConfigMap, metadata: {name: settings}, data: {a: '1'}}";

/// What says who rendered a manifest, and nothing else.
const RENDERED_BY: [&str; 2] = ["helm.sh/chart", "app.kubernetes.io/managed-by"];

fn printed(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    String::from_utf8(output.stdout).unwrap()
}

/// Helm, about to print what the chart becomes.
pub(crate) fn template(arguments: &[&str]) -> Command {
    let mut helm = Command::new(tool(Tool::Helm).unwrap());
    helm.args(["template", "argosy"])
        .arg(format!("{DEPLOY}/helm/argosy"))
        .args(["--namespace", "argocd", "--include-crds"])
        .args(arguments);
    helm
}

pub(crate) fn chart(arguments: &[&str]) -> Vec<Value> {
    documents(&printed(&mut template(arguments)))
}

fn kustomization(folder: &str) -> Vec<Value> {
    let mut kustomize = Command::new(tool(Tool::Kustomize).unwrap());
    kustomize
        .arg("build")
        .arg(format!("{DEPLOY}/kustomize/{folder}"));
    documents(&printed(&mut kustomize))
}

pub(crate) fn documents(text: &str) -> Vec<Value> {
    serde_yaml::Deserializer::from_str(text)
        .map(|document| Value::deserialize(document).unwrap())
        .filter(|document| !document.is_null())
        .collect()
}

/// Objects by kind and name, without what says who rendered them; definitions and namespaces, which
/// not everybody brings, left out.
fn comparable(objects: Vec<Value>) -> BTreeMap<String, Value> {
    let mut named = BTreeMap::new();
    for mut object in objects {
        if object["kind"] == "CustomResourceDefinition" || object["kind"] == "Namespace" {
            continue;
        }
        let labels = ["/metadata/labels", "/spec/template/metadata/labels"];
        for place in labels {
            let labels = object.pointer_mut(place).and_then(Value::as_object_mut);
            if let Some(labels) = labels {
                labels.retain(|name, _| !RENDERED_BY.contains(&name.as_str()));
            }
        }
        let name = format!("{}/{}", object["kind"], object["metadata"]["name"]);
        assert_eq!(named.insert(name, object), None);
    }
    named
}

#[test]
fn the_kustomizations_install_what_the_chart_installs() {
    for (folder, arguments) in [
        ("base", &[][..]),
        ("overlays/narrow", &["--set", "rbac.mode=narrow"]),
        ("overlays/ha", &["--set", "replicas=2"]),
        (
            "overlays/monitoring",
            &[
                "--set",
                "serviceMonitor.enabled=true,prometheusRule.enabled=true,dashboards.enabled=true",
            ],
        ),
    ] {
        let (chart, kustomization) = (
            comparable(chart(arguments)),
            comparable(kustomization(folder)),
        );
        assert_eq!(chart, kustomization, "{folder}");
    }
}

#[test]
fn the_program_installs_what_the_chart_installs_in_any_namespace() {
    for (namespace, flags, values) in [
        ("argocd", &[][..], "replicas=1"),
        ("fleet", &["--ha"], "replicas=2"),
    ] {
        let installed = crate::install::manifests(namespace, flags);
        let definitions = installed
            .iter()
            .filter(|object| object["kind"] == "CustomResourceDefinition");
        assert_eq!(definitions.count(), 3);
        let chart = chart(&["--namespace", namespace, "--set", values]);
        assert_eq!(comparable(chart), comparable(installed), "{namespace}");
    }
}

#[test]
fn monitoring_comes_to_a_hub_that_is_there_or_together_with_it() {
    let (hub, both) = (kustomization("base"), kustomization("overlays/monitoring"));
    let monitoring = comparable(kustomization("../monitoring"));
    let hub = comparable(hub);
    assert!(monitoring.keys().all(|name| !hub.contains_key(name)));
    let sum: BTreeMap<_, _> = hub.into_iter().chain(monitoring).collect();
    assert_eq!(sum, comparable(both));
}

/// A hub watches the settings that have Argo CD's label, and no others.
#[test]
fn the_settings_of_the_chart_are_those_that_a_hub_reads() {
    let objects = chart(&["--set", "configs.secret.create=true"]);
    let settings = objects.iter().filter(|object| {
        let name = object["metadata"]["name"].as_str();
        object["kind"] != "Deployment"
            && name.is_some_and(|name| name.starts_with("argocd-") && name != "argocd-argosy")
    });
    let labels = settings.map(|object| &object["metadata"]["labels"]["app.kubernetes.io/part-of"]);
    assert_eq!(labels.collect::<Vec<_>>(), ["argocd"; 3]);
}

pub(crate) fn api(client: &Client, object: &Value) -> Api<DynamicObject> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let (api_version, kind) = (text(&object["apiVersion"]), text(&object["kind"]));
    let resource = resource(&api_version, &kind);
    match object["metadata"]["namespace"].as_str() {
        Some(namespace) => Api::namespaced_with(client.clone(), namespace, &resource),
        None => Api::all_with(client.clone(), &resource),
    }
}

pub(crate) async fn apply(client: &Client, object: &Value) {
    let name = object["metadata"]["name"].as_str().unwrap();
    let (api, patch) = (api(client, object), Patch::Apply(object));
    let params = PatchParams::apply("installer").force();
    // A definition is served a moment after it was accepted.
    eventually(&format!("{name} is applied"), async || {
        match api.patch(name, &params, &patch).await {
            Ok(_) => true,
            Err(kube::Error::Api(status)) if status.code == 404 => false,
            Err(error) => panic!("{name}: {error}"),
        }
    })
    .await;
}

/// The pod that the Deployment among these objects makes.
pub(crate) fn pod(objects: &[Value]) -> Value {
    let deployment = objects.iter().find(|object| object["kind"] == "Deployment");
    let mut pod = deployment.unwrap()["spec"]["template"].clone();
    pod["apiVersion"] = json!("v1");
    pod["kind"] = json!("Pod");
    pod["metadata"]["name"] = json!("hub");
    pod["metadata"]["namespace"] = deployment.unwrap()["metadata"]["namespace"].clone();
    pod
}

/// A token of the chart's service account.
async fn token(client: &Client) -> String {
    let request = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"audiences": []}});
    let path = "/api/v1/namespaces/argocd/serviceaccounts/argosy/token";
    let request = http::Request::post(path)
        .header("content-type", "application/json")
        .body(request.to_string().into_bytes())
        .unwrap();
    let answer: Value = client.request(request).await.unwrap();
    answer["status"]["token"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
#[expect(
    clippy::too_many_lines,
    reason = "one installation, told from its start to its end"
)]
async fn a_hub_runs_with_the_narrow_rights_of_the_chart() {
    let plane = ControlPlane::start_with(Options {
        servers: 2,
        authorization: Authorization::Rbac,
    })
    .await;
    let client = plane.client(0);
    apply(
        &client,
        &json!({
            "apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": "argocd", "labels": {"pod-security.kubernetes.io/enforce": "restricted"}},
        }),
    )
    .await;
    let objects = chart(&["--set", "rbac.mode=narrow"]);
    for object in &objects {
        apply(&client, object).await;
    }

    // Pod Security lets the hub's pod in, and would not let any pod in.
    let mut pod = pod(&objects);
    let pods = api(&client, &pod);
    let create = async |pod: &Value| {
        let pod = serde_json::from_value(pod.clone()).unwrap();
        pods.create(&PostParams::default(), &pod).await
    };
    create(&pod).await.unwrap();
    pod["metadata"]["name"] = json!("lax");
    pod["spec"]["containers"][0]["securityContext"]["allowPrivilegeEscalation"] = json!(true);
    assert!(create(&pod).await.is_err());

    let folder = tempfile::tempdir().unwrap();
    let kubeconfig = folder.path().join("kubeconfig");
    let account = plane.servers()[0].kubeconfig_as(&token(&client).await);
    std::fs::write(&kubeconfig, account).unwrap();
    let data = folder.path().join("data");
    let _hub = HubProcess::start(&kubeconfig, "argocd", &data, &[]);

    let tree = WorkTree::create(folder.path().join("repo"));
    tree.commit(&[("web/config.yaml", CONFIG)]);
    let workload = &plane.servers()[1];
    let config = json!({"bearerToken": workload.token(), "tlsClientConfig": {"insecure": true}});
    apply(
        &client,
        &json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": {
                "name": "cluster-edge", "namespace": "argocd",
                "labels": {"argocd.argoproj.io/secret-type": "cluster"},
            },
            "stringData": {"name": "edge", "server": workload.url(), "config": config.to_string()},
        }),
    )
    .await;
    let mut there = automated("there", &tree.url(), "web", workload.url());
    there["metadata"]["namespace"] = json!("argocd");
    apply(&client, &there).await;
    let applications: Api<argosy_crds::Application> = Api::namespaced(client.clone(), "argocd");
    eventually(
        "the application of a registered cluster is synced",
        async || is_synced(&applications.get("there").await.unwrap()),
    )
    .await;
    let events: Api<k8s_openapi::api::core::v1::Event> = Api::namespaced(client.clone(), "argocd");
    eventually("its events are told", async || {
        !events
            .list(&ListParams::default())
            .await
            .unwrap()
            .items
            .is_empty()
    })
    .await;

    // Its own cluster is not its to change.
    let mut here = automated("here", &tree.url(), "web", "https://kubernetes.default.svc");
    here["metadata"]["namespace"] = json!("argocd");
    apply(&client, &here).await;
    eventually(
        "the application of its own cluster says why not",
        async || {
            let app = applications.get("here").await.unwrap();
            let told = serde_json::to_string(&app.status).unwrap();
            told.contains("forbidden")
        },
    )
    .await;
}
