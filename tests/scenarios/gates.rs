//! Gates: services that a project asks before and after its syncs.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use argosy_crds::Application;
use argosy_crds::application::{GateResult, GateStage};
use argosy_crds::codes::OperationPhase;
use argosy_test_support::manifest::{automated, config, manual};
use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::fleet::Fleet;

/// A service that answers as it was told last, and remembers what it was asked.
#[derive(Clone)]
struct Service(Arc<Mutex<State>>);

struct State {
    answer: (u16, &'static str),
    asked: Vec<(String, Value)>,
}

impl Service {
    async fn start() -> (Self, SocketAddr) {
        let state = State {
            answer: (503, "the gate is being built"),
            asked: Vec::new(),
        };
        let service = Self(Arc::new(Mutex::new(state)));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let answering = service.clone();
        let answer = async move |Path(gate): Path<String>, Json(question): Json<Value>| {
            let mut state = answering.0.lock().unwrap();
            state.asked.push((gate, question));
            let (code, text) = state.answer;
            (StatusCode::from_u16(code).unwrap(), text)
        };
        let app = axum::Router::new().route("/{gate}", axum::routing::post(answer));
        tokio::spawn(async move { axum::serve(listener, app).await });
        (service, address)
    }

    fn answers(&self, code: u16, text: &'static str) {
        self.0.lock().unwrap().answer = (code, text);
    }

    fn asked(&self, gate: &str) -> Vec<Value> {
        let state = self.0.lock().unwrap();
        let asked = state.asked.iter().filter(|(name, _)| name == gate);
        asked.map(|(_, question)| question.clone()).collect()
    }
}

/// A fleet whose default project has these gates, which may be on this machine.
async fn guarded(gates: &Value) -> Fleet {
    let fleet = Fleet::start(&["dev"]).await;
    let allowed = json!({"argosy.gates.allowed-addresses": "127.0.0.0/8"});
    fleet.configure("argocd-cm", allowed).await;
    let spec = json!({"sourceRepos": ["*"], "destinations": [{"server": "*", "namespace": "*"}],
        "clusterResourceWhitelist": [{"group": "*", "kind": "*"}]});
    let gates = json!({"argosy.dev/gates": gates.to_string()});
    fleet
        .apply(
            json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject",
                "metadata": {"name": "default", "annotations": gates}, "spec": spec}),
        )
        .await;
    fleet.commit(&[("web/a.yaml", &config("a", "1", ""))]);
    fleet
}

fn gates(results: &[GateResult]) -> Vec<(&str, GateStage, OperationPhase)> {
    let told = results.iter();
    told.map(|one| (one.name.as_str(), one.when, one.phase))
        .collect()
}

fn message(app: &Application) -> String {
    let state = app.status.clone().unwrap().operation_state.unwrap();
    state.message
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_waits_for_its_gates_before_and_after_and_keeps_their_word() {
    let (service, address) = Service::start().await;
    let fleet = guarded(&json!([
        {"name": "freeze", "when": "before", "url": format!("http://{address}/freeze")},
        {"name": "smoke", "when": "after", "url": format!("http://{address}/smoke")},
    ]))
    .await;
    fleet
        .apply(automated("web", &fleet.repo(), "web", &fleet.server("dev")))
        .await;
    let why = fleet.until_condition("web", "Waiting").await;
    assert_eq!(
        why,
        "GateClosed: freeze (it answered 503: the gate is being built)"
    );
    let live = fleet.live("dev", "v1", "ConfigMap", "web/a").await;
    assert!(live.is_none(), "nothing is applied before the gate opens");
    assert!(service.asked("smoke").is_empty());

    service.answers(200, "");
    let app = fleet.until_ended("web", OperationPhase::Succeeded).await;
    let status = app.status.unwrap();
    let expected = [
        ("freeze", GateStage::Before, OperationPhase::Succeeded),
        ("smoke", GateStage::After, OperationPhase::Succeeded),
    ];
    assert_eq!(gates(&status.history[0].gates), expected);
    let result = status.operation_state.unwrap().sync_result.unwrap();
    assert_eq!(gates(&result.gates), expected);
    assert!(status.conditions.is_empty(), "{:?}", status.conditions);
    let question = service.asked("freeze").pop().unwrap();
    assert_eq!(question["application"]["name"], "web");
    assert_eq!(question["revisions"], json!([status.history[0].revision]));

    let asked = service.asked("freeze").len();
    let drift = json!({"data": {"a": "by hand"}});
    let params = kube::api::PatchParams::default();
    let maps: kube::Api<k8s_openapi::api::core::v1::ConfigMap> =
        kube::Api::namespaced(fleet.client_of("dev"), "web");
    maps.patch("a", &params, &kube::api::Patch::Merge(drift))
        .await
        .unwrap();
    fleet
        .eventually("drift is healed", async || {
            let live = fleet.live("dev", "v1", "ConfigMap", "web/a").await;
            live.is_some_and(|live| live["data"]["a"] == "1")
        })
        .await;
    assert_eq!(service.asked("freeze").len(), asked, "healing asks nobody");
    fleet.nothing_is_written().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gate_that_refuses_fails_the_sync_in_its_words() {
    let (service, address) = Service::start().await;
    let fleet = guarded(&json!([
        {"name": "freeze", "when": "before", "url": format!("http://{address}/freeze")},
    ]))
    .await;
    service.answers(403, "no deployments on Fridays");
    fleet
        .apply(automated("web", &fleet.repo(), "web", &fleet.server("dev")))
        .await;
    let app = fleet.until_ended("web", OperationPhase::Failed).await;
    let expected = "gate \"freeze\" refuses the sync: it answered 403: no deployments on Fridays";
    assert_eq!(message(&app), expected);
    let live = fleet.live("dev", "v1", "ConfigMap", "web/a").await;
    assert!(live.is_none());
    fleet.until_condition("web", "SyncError").await;
    fleet.nothing_is_written().await;
    assert_eq!(
        service.asked("freeze").len(),
        1,
        "not asked about the same again"
    );

    service.answers(200, "");
    fleet.sync("web", json!({})).await;
    fleet.until_ended("web", OperationPhase::Succeeded).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_asked_opens_nothing() {
    let fleet = guarded(&json!([
        {"name": "metadata", "when": "before", "url": "http://169.254.169.254/latest"},
    ]))
    .await;
    fleet
        .apply(manual("web", &fleet.repo(), "web", &fleet.server("dev")))
        .await;
    fleet.sync("web", json!({})).await;
    let why = fleet.until_condition("web", "Waiting").await;
    assert!(why.contains("argosy.gates.allowed-addresses"), "{why}");
    let terminating = json!({"status": {"operationState": {"phase": "Terminating"}}});
    fleet.change("web", terminating).await;
    let app = fleet.until_ended("web", OperationPhase::Failed).await;
    assert_eq!(message(&app), "Operation terminated");

    let misspelt = json!({"metadata": {"annotations": {"argosy.dev/gates": "- {nane: freeze}"}}});
    let projects = fleet.objects(&json!("argoproj.io/v1alpha1"), &json!("AppProject"));
    let params = kube::api::PatchParams::default();
    projects
        .patch("default", &params, &kube::api::Patch::Merge(misspelt))
        .await
        .unwrap();
    fleet.sync("web", json!({})).await;
    fleet
        .until("web", "told what is wrong", |app| {
            let conditions = app.status.iter().flat_map(|status| &status.conditions);
            let told = "annotation argosy.dev/gates of AppProject default";
            conditions.clone().any(|one| one.message.contains(told))
        })
        .await;
    let live = fleet.live("dev", "v1", "ConfigMap", "web/a").await;
    assert!(live.is_none());
}
