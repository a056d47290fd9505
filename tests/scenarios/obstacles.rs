//! What stands in the way of a sync or a deletion on the cluster: webhooks, quotas, namespaces and
//! objects that do not go. It is told, nothing is forced, and all goes on once it is gone.

use argosy_crds::Application;
use argosy_crds::codes::OperationPhase;
use argosy_sim::{Fault, Rule};
use argosy_test_support::manifest::{automated, config, manual};
use argosy_test_support::wait::resource;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use kube::Api;
use kube::api::{DeleteParams, DynamicObject, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use crate::fleet::Fleet;

fn denied(message: &str, times: Option<u32>) -> Rule {
    Rule {
        verb: Some("patch".to_owned()),
        resource: Some("configmaps".to_owned()),
        fault: Fault::Fail {
            code: 403,
            message: message.to_owned(),
        },
        times,
    }
}

fn message(app: &Application) -> &str {
    let status = app.status.as_ref();
    let state = status.and_then(|status| status.operation_state.as_ref());
    state.map_or("", |state| &state.message)
}

async fn sync_with_retries(fleet: &Fleet, limit: i64) {
    let retry = json!({"limit": limit, "backoff": {"duration": "100ms", "maxDuration": "1s"}});
    let sync = json!({"syncOptions": ["CreateNamespace=true"]});
    let operation = json!({"operation": {"sync": sync, "retry": retry}});
    fleet.change("web", operation).await;
}

/// Takes the finalizers from a ConfigMap, as whoever has put them there does.
async fn release(fleet: &Fleet, name: &str) {
    let maps: Api<ConfigMap> = Api::namespaced(fleet.client_of("dev"), "web");
    let none = json!({"metadata": {"finalizers": null}});
    maps.patch(name, &PatchParams::default(), &Patch::Merge(none))
        .await
        .unwrap();
}

async fn fleet_of_one(app: fn(&str, &str, &str, &str) -> Value, files: &[(&str, &str)]) -> Fleet {
    let fleet = Fleet::start(&["dev"]).await;
    fleet.commit(files);
    fleet
        .apply(app("web", &fleet.repo(), "web", &fleet.server("dev")))
        .await;
    fleet
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_denies_is_told_and_asked_again() {
    let fleet = fleet_of_one(manual, &[("web/a.yaml", &config("a", "1", ""))]).await;
    let denial = "admission webhook \"policy.example.com\" denied the request: no team";
    let faults = fleet.workload("dev").sim.faults();
    faults.add(denied(denial, Some(3)));
    sync_with_retries(&fleet, 10).await;
    fleet
        .until("web", "told of the webhook", |app| {
            message(app).contains(denial)
        })
        .await;
    fleet.until_ended("web", OperationPhase::Succeeded).await;
    fleet.nothing_is_written().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exceeded_quota_fails_the_sync_after_its_retries_and_no_more_requests() {
    let fleet = fleet_of_one(manual, &[("web/a.yaml", &config("a", "1", ""))]).await;
    let full = "configmaps \"a\" is forbidden: exceeded quota: small";
    let faults = fleet.workload("dev").sim.faults();
    faults.add(denied(full, None));
    sync_with_retries(&fleet, 2).await;
    let app = fleet.until_ended("web", OperationPhase::Failed).await;
    assert!(message(&app).contains(full), "{}", message(&app));
    let requests = fleet.workload("dev").sim.requests();
    assert_eq!(requests.count("patch", "configmaps"), 3);
    fleet.nothing_is_written().await;

    faults.clear();
    sync_with_retries(&fleet, 0).await;
    fleet.until_ended("web", OperationPhase::Succeeded).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_on_its_way_out_is_waited_for_and_made_anew() {
    let fleet = Fleet::start(&["dev"]).await;
    let client = fleet.client_of("dev");
    let namespaces: Api<Namespace> = Api::all(client.clone());
    let web = json!({"metadata": {"name": "web"}});
    let web = serde_json::from_value(web).unwrap();
    namespaces
        .create(&PostParams::default(), &web)
        .await
        .unwrap();
    let held = json!({"metadata": {"name": "held", "finalizers": ["example.com/held"]}});
    let held = serde_json::from_value(held).unwrap();
    let maps: Api<ConfigMap> = Api::namespaced(client, "web");
    maps.create(&PostParams::default(), &held).await.unwrap();
    namespaces
        .delete("web", &DeleteParams::default())
        .await
        .unwrap();
    fleet.commit(&[("web/a.yaml", &config("a", "1", ""))]);
    fleet
        .apply(manual("web", &fleet.repo(), "web", &fleet.server("dev")))
        .await;
    sync_with_retries(&fleet, 1000).await;
    fleet
        .until("web", "told of the namespace", |app| {
            message(app).contains("because it is being terminated")
        })
        .await;
    let there = maps.get("held").await.unwrap().metadata.finalizers;
    assert_eq!(there, Some(vec!["example.com/held".to_owned()]));

    release(&fleet, "held").await;
    fleet.until_ended("web", OperationPhase::Succeeded).await;
    let live = fleet.live("dev", "v1", "ConfigMap", "web/a").await;
    assert!(live.is_some());
    fleet.nothing_is_written().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finalizer_of_somebody_else_is_named_and_never_removed() {
    let finalizers = "finalizers: [example.com/held], annotations";
    let held = |name: &str| config(name, "1", "").replace("annotations", finalizers);
    let fleet = fleet_of_one(
        automated,
        &[
            ("web/a.yaml", &config("a", "1", "")),
            ("web/b.yaml", &held("b")),
            ("web/c.yaml", &held("c")),
        ],
    )
    .await;
    fleet.until_well("web").await;
    fleet.commit(&[("web/b.yaml", "")]);
    fleet.push();
    let leaving = async |name: &str| {
        let place = format!("web/{name}");
        let live = fleet.live("dev", "v1", "ConfigMap", &place).await?;
        let finalizers = live["metadata"]["finalizers"].clone();
        let is_leaving = live["metadata"]["deletionTimestamp"].is_string();
        is_leaving.then_some(finalizers)
    };
    fleet
        .eventually("b is on its way out", async || leaving("b").await.is_some())
        .await;
    assert_eq!(leaving("b").await, Some(json!(["example.com/held"])));
    release(&fleet, "b").await;
    fleet.until_well("web").await;

    let applications = fleet.applications();
    let params = DeleteParams::default();
    applications.delete("web", &params).await.unwrap();
    let why = fleet.until_condition("web", "DeletionBlocked").await;
    assert!(
        why.contains("ConfigMap/web/c") && why.contains("example.com/held"),
        "{why}"
    );
    assert_eq!(leaving("c").await, Some(json!(["example.com/held"])));
    release(&fleet, "c").await;
    fleet
        .eventually("the application is gone", async || {
            applications.get_opt("web").await.unwrap().is_none()
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_webhook_would_deny_is_told_before_its_wave_is_written() {
    let fleet = Fleet::start(&["dev"]).await;
    let webhook = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "policy"},
        "webhooks": [{
            "name": "policy.example.com", "sideEffects": "None", "admissionReviewVersions": ["v1"],
            "clientConfig": {"url": "https://policy.example.com"},
            "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"],
                       "resources": ["configmaps"]}],
        }],
    });
    let hooks: Api<DynamicObject> = Api::all_with(
        fleet.client_of("dev"),
        &resource(
            "admissionregistration.k8s.io/v1",
            "ValidatingWebhookConfiguration",
        ),
    );
    let params = PatchParams::apply("ada");
    hooks
        .patch("policy", &params, &Patch::Apply(webhook))
        .await
        .unwrap();
    let denial = "admission webhook \"policy.example.com\" denied the request: no team";
    let faults = fleet.workload("dev").sim.faults();
    faults.add(denied(denial, None));
    let account = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: web}\n";
    fleet.commit(&[
        ("web/a.yaml", &config("a", "1", "")),
        ("web/account.yaml", account),
    ]);
    fleet
        .apply(manual("web", &fleet.repo(), "web", &fleet.server("dev")))
        .await;
    fleet.sync("web", json!({})).await;
    let app = fleet.until_ended("web", OperationPhase::Failed).await;
    let told = format!("ConfigMap/web/a: {denial}");
    assert!(message(&app).ends_with(&told), "{}", message(&app));
    let requests = fleet.workload("dev").sim.requests();
    assert_eq!(requests.count("patch", "configmaps"), 1);
    assert_eq!(requests.count("patch", "serviceaccounts"), 0);

    faults.clear();
    fleet.sync("web", json!({})).await;
    fleet.until_ended("web", OperationPhase::Succeeded).await;
    assert_eq!(requests.count("patch", "configmaps"), 3);
    assert_eq!(
        requests.count("patch", "serviceaccounts"),
        1,
        "no webhook looks at it"
    );
    fleet.nothing_is_written().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_has_each_wave_tried_before_it_is_written() {
    let options = "argocd.argoproj.io/sync-options: ServerSideDryRun=true";
    let files = [
        ("web/a.yaml", config("a", "1", options)),
        ("web/b.yaml", config("b", "1", "")),
    ];
    let files = files.each_ref().map(|(path, text)| (*path, text.as_str()));
    let fleet = fleet_of_one(manual, &files).await;
    let faults = fleet.workload("dev").sim.faults();
    faults.add(denied(
        "configmaps \"a\" is forbidden: exceeded quota: small",
        Some(1),
    ));
    fleet.sync("web", json!({})).await;
    let app = fleet.until_ended("web", OperationPhase::Failed).await;
    assert!(
        message(&app).contains("exceeded quota"),
        "{}",
        message(&app)
    );
    let requests = fleet.workload("dev").sim.requests();
    assert_eq!(requests.count("patch", "configmaps"), 1);

    fleet.sync("web", json!({})).await;
    fleet.until_ended("web", OperationPhase::Succeeded).await;
    assert_eq!(
        requests.count("patch", "configmaps"),
        4,
        "a is tried, a and b are written"
    );
    fleet.nothing_is_written().await;
}
