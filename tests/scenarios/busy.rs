//! A fleet in which everything is going on that the hub measures.

use argosy::cluster::ConnectionStatus;
use argosy_crds::codes::{OperationPhase, SyncStatusCode};
use argosy_test_support::manifest::{automated, config, deployment, manual};
use jiff::Timestamp;
use kube::api::{Api, DynamicObject, PostParams};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use argosy_test_support::wait::resource;

use crate::chart_server::ChartServer;
use crate::faults::fails;
use crate::fleet::Fleet;
use crate::outside_server::Service;

/// The fleet, and whom it asks outside.
pub(crate) struct Busy {
    pub(crate) fleet: Fleet,
    /// Where the hub serves.
    pub(crate) address: std::net::SocketAddr,
    _charts: ChartServer,
}

/// Starts the fleet and waits until all of it goes on.
pub(crate) async fn busy() -> Busy {
    let fleet = Fleet::start(&["dev", "staging"]).await;
    fleet
        .configure(
            "argocd-cmd-params-cm",
            json!({"applicationsetcontroller.enable.progressive.syncs": "true"}),
        )
        .await;
    commit(&fleet);
    let charts = artifacts(&fleet).await;
    applications(&fleet).await;
    rollout(&fleet).await;
    provider(&fleet).await;
    fleet.until_well("web").await;
    what_waits(&fleet).await;
    lost_watches(&fleet).await;
    let address = fleet.serve().await;
    webhook(&fleet, address).await;
    Busy {
        fleet,
        address,
        _charts: charts,
    }
}

fn commit(fleet: &Fleet) {
    let careful = "argocd.argoproj.io/sync-options: Prune=confirm";
    fleet.commit(&[
        ("web/web.yaml", &deployment("web", "web:1")),
        ("drift/a.yaml", &config("a", "1", "")),
        ("api/a.yaml", &config("a", "1", "")),
        ("many/a.yaml", &config("a", "1", "")),
        ("many/b.yaml", &config("b", "1", "")),
        ("careful/a.yaml", &config("a", "1", careful)),
        ("careful/b.yaml", &config("b", "1", "")),
        ("refused/a.yaml", &config("a", "1", "")),
        (
            "broken/a.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: [\n",
        ),
    ]);
}

/// An application that reads an artifact.
async fn artifacts(fleet: &Fleet) -> ChartServer {
    let server = ChartServer::start().await;
    server.push_files(
        "apps/one",
        "v1.0.0",
        &[("deploy/a.yaml", &config("a", "1", ""))],
    );
    let url = format!("oci://{}/apps/one", server.registry());
    let registered = json!({"url": url, "type": "oci", "insecureOCIForceHttp": "true"});
    fleet
        .apply(ChartServer::secret("artifacts", &registered))
        .await;
    let mut app = automated("artifact", &url, "deploy", &fleet.server("dev"));
    app["spec"]["source"]["targetRevision"] = json!("v1.x");
    fleet.apply(app).await;
    server
}

async fn applications(fleet: &Fleet) {
    fleet
        .apply(json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject",
            "metadata": {"name": "watched"},
            "spec": {
                "sourceRepos": ["*"], "destinations": [{"server": "*", "namespace": "*"}],
                "clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
                "orphanedResources": {"warn": true},
                "syncWindows": [{
                    "kind": "deny", "schedule": "0 3 * * *", "duration": "1h", "applications": ["nobody"],
                }],
            },
        }))
        .await;
    orphan(fleet).await;
    let of = |name: &str| automated(name, &fleet.repo(), name, &fleet.server("dev"));
    let mut web = of("web");
    web["metadata"]["labels"] = json!({"team": "a"});
    web["spec"]["project"] = json!("watched");
    let mut api = of("api");
    api["metadata"]["annotations"] = json!({"argosy.dev/depends-on": "drift"});
    let mut many = of("many");
    many["metadata"]["annotations"] = json!({"argosy.dev/max-prune": "0"});
    let later = Timestamp::now() + jiff::SignedDuration::from_hours(1);
    let mut broken = of("broken");
    broken["metadata"]["annotations"] = json!({"argosy.dev/paused-until": later.to_string()});
    let by_hand = |name: &str| manual(name, &fleet.repo(), name, &fleet.server("staging"));
    for app in [
        web,
        api,
        many,
        broken,
        of("careful"),
        by_hand("drift"),
        by_hand("refused"),
    ] {
        fleet.apply(app).await;
    }
}

/// Something in an application's namespace that belongs to nobody.
async fn orphan(fleet: &Fleet) {
    let client = fleet.client_of("dev");
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "web"}});
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "left-over", "namespace": "web"}});
    for object in [namespace, map] {
        let resource = resource("v1", object["kind"].as_str().unwrap());
        let api: Api<DynamicObject> = match object["metadata"]["namespace"].as_str() {
            Some(namespace) => Api::namespaced_with(client.clone(), namespace, &resource),
            None => Api::all_with(client.clone(), &resource),
        };
        let object = serde_json::from_value(object).unwrap();
        api.create(&PostParams::default(), &object).await.unwrap();
    }
}

/// A set whose second step lets nobody begin.
async fn rollout(fleet: &Fleet) {
    let step = |env: &str| json!({"matchExpressions": [{"key": "env", "operator": "In", "values": [env]}]});
    let mut held = step("staging");
    held["maxUpdate"] = json!(0);
    let mut template = automated("{{.env}}", &fleet.repo(), "drift", "{{.server}}");
    template["metadata"] = json!({"name": "rolled-{{.env}}", "labels": {"env": "{{.env}}"}});
    template["spec"]["destination"]["namespace"] = json!("rolled");
    let elements = ["dev", "staging"].map(|env| json!({"env": env, "server": fleet.server(env)}));
    fleet
        .apply(json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "ApplicationSet",
            "metadata": {"name": "rolled", "labels": {"team": "a"}},
            "spec": {
                "goTemplate": true,
                "generators": [{"list": {"elements": elements}}],
                "strategy": {"type": "RollingSync", "rollingSync": {"steps": [step("dev"), held]}},
                "template": {"metadata": template["metadata"], "spec": template["spec"]},
            },
        }))
        .await;
}

/// A set that asks a provider.
async fn provider(fleet: &Fleet) {
    let service = Service::default();
    service.repositories(&["a"]);
    let url = format!("http://{}", service.serve().await);
    let github = json!({"organization": "shop", "api": url});
    let app = manual("x", &fleet.repo(), "drift", &fleet.server("staging"));
    fleet
        .apply(json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "ApplicationSet",
            "metadata": {"name": "listed"},
            "spec": {
                "goTemplate": true,
                "generators": [{"scmProvider": {"github": github, "requeueAfterSeconds": 1}}],
                "template": {
                    "metadata": {"name": "listed-{{.repository}}"}, "spec": app["spec"],
                },
            },
        }))
        .await;
}

/// What waits for a person, for another application, or for a fix.
async fn what_waits(fleet: &Fleet) {
    fleet.until_condition("api", "Waiting").await;
    fleet.until_condition("broken", "ComparisonError").await;
    fleet.until_well("many").await;
    fleet.until_well("careful").await;
    fleet.commit(&[("many/b.yaml", ""), ("careful/a.yaml", "")]);
    fleet.push();
    fleet.until_condition("many", "ApprovalNeeded").await;
    fleet
        .until("careful", "waiting for a person", |app| {
            let status = app.status.as_ref();
            let state = status.and_then(|status| status.operation_state.as_ref());
            state.is_some_and(|state| state.message.contains("confirmation"))
        })
        .await;
    let staging = fleet.workload("staging").sim.faults();
    staging.add(fails("patch", "configmaps", 422, None));
    fleet.sync("refused", json!({})).await;
    fleet.until_ended("refused", OperationPhase::Failed).await;
    staging.clear();
    fleet
        .until("rolled-staging", "out of sync", |app| {
            let status = app.status.as_ref();
            status.is_some_and(|status| status.sync.status == SyncStatusCode::OutOfSync)
        })
        .await;
    fleet.until_well("rolled-dev").await;
    fleet.until_well("artifact").await;
    fleet
        .eventually("the provider's application is there", async || {
            let apps = fleet.applications();
            apps.get_opt("listed-a").await.unwrap().is_some()
        })
        .await;
}

/// Takes a cluster away until its watches are noticed to be broken, and brings it back.
async fn lost_watches(fleet: &Fleet) {
    let faults = fleet.workload("staging").sim.faults();
    let cluster = fleet.hub.clusters.get(&fleet.server("staging")).unwrap();
    faults.stop();
    fleet
        .eventually("a broken watch is noticed", async || {
            let collected = cluster.metrics.collectors();
            let mut families = collected.iter().flat_map(|one| one.collect());
            families.any(|family| {
                family.name() == "argosy_cluster_watch_restarts_total"
                    && !family.get_metric().is_empty()
            })
        })
        .await;
    faults.start();
    fleet
        .eventually("the cluster answers again", async || {
            let watches = cluster.live.watches();
            cluster.connection().status == ConnectionStatus::Successful && watches["broken"] == 0
        })
        .await;
}

/// A push, as GitHub tells of it.
async fn webhook(fleet: &Fleet, address: std::net::SocketAddr) {
    let body = json!({
        "ref": "refs/heads/main",
        "repository": {"html_url": "https://git.example.com/shop/fleet", "default_branch": "main"},
    });
    let answer = post(address, &body).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    // No provider could name a repository on this machine's disk.
    fleet.push();
}

pub(crate) async fn post(address: std::net::SocketAddr, body: &Value) -> String {
    let body = body.to_string();
    let request = format!(
        "POST /api/webhook HTTP/1.1\r\nHost: hub\r\nConnection: close\r\nX-GitHub-Event: push\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    talk(address, &request).await
}

/// What the hub serves at a path.
pub(crate) async fn get(address: std::net::SocketAddr, path: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\r\nHost: hub\r\nConnection: close\r\n\r\n");
    talk(address, &request).await
}

async fn talk(address: std::net::SocketAddr, request: &str) -> String {
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    text
}
