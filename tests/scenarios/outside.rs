//! Generators that ask outside: what a provider, a plugin or another controller answers becomes
//! applications.

use argosy::source::webhook::{Headers, WebhookSecrets, parse_pull_request};
use argosy_test_support::manifest::config;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use crate::fleet::Fleet;
use crate::outside_server::Service;
use crate::sets::{app_deletes, sets, until_clean, until_error, until_names};

pub(crate) fn set(name: &str, generator: &Value, app: &str, fleet: &Fleet) -> Value {
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "ApplicationSet", "metadata": {"name": name},
        "spec": {
            "goTemplate": true, "goTemplateOptions": ["missingkey=error"],
            "generators": [generator],
            "template": {
                "metadata": {"name": app},
                "spec": {
                    "project": "default",
                    "source": {"repoURL": fleet.repo(), "path": "web", "targetRevision": "main"},
                    "destination": {"name": "dev", "namespace": "web"},
                },
            },
        },
    })
}

pub(crate) fn secret(name: &str, data: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Secret", "stringData": data, "metadata": {"name": name}})
}

pub(crate) async fn start() -> (Fleet, Service, String) {
    let fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[("web/a.yaml", &config("a", "1", ""))]);
    let service = Service::default();
    let url = format!("http://{}", service.serve().await);
    (fleet, service, url)
}

/// Has the hub's API server know a kind of decisions; the ConfigMap that describes it.
pub(crate) async fn define_placements(fleet: &Fleet) -> Value {
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "placements.example.com"},
        "spec": {
            "group": "example.com", "scope": "Namespaced",
            "names": {"plural": "placements", "singular": "placement", "kind": "Placement", "listKind": "PlacementList"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema":
                {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}],
        },
    });
    fleet.apply_to_the_cluster(definition).await;
    let map = json!({"apiVersion": "example.com/v1", "kind": "placements", "statusListKey": "decisions",
                     "matchKey": "clusterName"});
    fleet.configure("placements", map.clone()).await;
    map
}

/// A decision for these clusters.
pub(crate) fn placement(decided: &[&str]) -> Value {
    let decided: Vec<_> = decided
        .iter()
        .map(|name| json!({"clusterName": name}))
        .collect();
    json!({"apiVersion": "example.com/v1", "kind": "Placement", "metadata": {"name": "web", "labels": {"app": "web"}},
           "status": {"decisions": decided}})
}

#[tokio::test(flavor = "multi_thread")]
async fn cluster_decisions_are_followed_and_no_decision_is_none() {
    let (mut fleet, _, _) = start().await;
    fleet.add_cluster("prod").await;
    let map = define_placements(&fleet).await;
    fleet.apply(placement(&["dev", "prod", "unknown"])).await;
    let generator = json!({"clusterDecisionResource": {"configMapRef": "placements", "requeueAfterSeconds": 1,
        "labelSelector": {"matchLabels": {"app": "web"}}}});
    fleet
        .apply(set("decided", &generator, "d-{{.name}}", &fleet))
        .await;
    until_names(&fleet, &["d-dev", "d-prod"]).await;

    let api = fleet.objects(&json!("example.com/v1"), &json!("Placement"));
    let undecided = Patch::Merge(json!({"status": null}));
    api.patch("web", &PatchParams::default(), &undecided)
        .await
        .unwrap();
    let why = until_error(&fleet, "decided").await;
    assert!(why.contains("no list status.decisions"), "{why}");
    fleet.apply(placement(&["dev", "prod"])).await;
    until_clean(&fleet, "decided").await;

    let mut wrong = map.clone();
    wrong["kind"] = json!("nothing");
    fleet.configure("placements", wrong).await;
    let why = until_error(&fleet, "decided").await;
    assert!(why.contains("failed to get dynamic resources"), "{why}");
    assert_eq!(app_deletes(&fleet), 0);
    fleet.configure("placements", map).await;
    fleet.apply(placement(&["dev"])).await;
    until_names(&fleet, &["d-dev"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_requests_webhook_wakes_who_lists_that_repository_and_nobody_else() {
    let (fleet, service, url) = start().await;
    service.pulls("web", &[1]);
    service.pulls("db", &[1]);
    // They poll never.
    let of = |repository: &str| json!({"pullRequest": {"github": {"owner": "shop", "repo": repository, "api": url}, "requeueAfterSeconds": 0}});
    fleet
        .apply(set("web", &of("web"), "web-{{.number}}", &fleet))
        .await;
    // The repository's name comes from another generator.
    let matrix = json!({"matrix": {"generators": [{"list": {"elements": [{"repo": "db"}]}}, of("{{.repo}}")]}});
    fleet
        .apply(set("db", &matrix, "db-{{.number}}", &fleet))
        .await;
    until_names(&fleet, &["web-1", "db-1"]).await;

    service.pulls("web", &[1, 2]);
    service.pulls("db", &[1, 2]);
    let opened = |repository: &str| {
        let body = json!({"action": "opened", "repository": {"name": repository, "owner": {"login": "shop"},
            "url": format!("{url}/api/v3/repos/shop/{repository}")}});
        let headers = Headers::new([("X-GitHub-Event", "pull_request")]);
        let body = body.to_string();
        let told = parse_pull_request(&headers, body.as_bytes(), &WebhookSecrets::default());
        told.unwrap()
    };
    let before = service.asked("/api/v3/repos/shop/db/pulls");
    fleet.hub.take_pull_request(&opened("web"));
    until_names(&fleet, &["web-1", "web-2", "db-1"]).await;
    assert_eq!(service.asked("/api/v3/repos/shop/db/pulls"), before);
    fleet.hub.take_pull_request(&opened("db"));
    until_names(&fleet, &["web-1", "web-2", "db-1", "db-2"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_says_which_secrets_and_providers_count() {
    let (fleet, service, url) = start().await;
    service.repositories(&["a"]);
    fleet
        .apply(secret("github", &json!({"token": "t0p-s3cr3t"})))
        .await;
    let generator = json!({"scmProvider": {"requeueAfterSeconds": 1, "github": {"organization": "shop", "api": url,
        "tokenRef": {"secretName": "github", "key": "token"}}}});
    fleet
        .apply(set("scm", &generator, "s-{{.repository}}", &fleet))
        .await;
    until_names(&fleet, &["s-a"]).await;
    assert_eq!(service.tokens()[0], "Bearer t0p-s3cr3t");

    let params = async |key: &str, value: &str| {
        let data = json!({format!("applicationsetcontroller.{key}"): value});
        fleet.configure("argocd-cmd-params-cm", data).await;
    };
    params("enable.tokenref.strict.mode", "true").await;
    let why = until_error(&fleet, "scm").await;
    assert!(why.contains("is not a valid SCM creds secret"), "{why}");
    let mut labelled = secret("github", &json!({"token": "t0p-s3cr3t"}));
    labelled["metadata"]["labels"] = json!({"argocd.argoproj.io/secret-type": "scm-creds"});
    fleet.apply(labelled).await;
    until_clean(&fleet, "scm").await;

    params("allowed.scm.providers", "https://git.corp/").await;
    let why = until_error(&fleet, "scm").await;
    assert!(
        why.contains("must use one of the following: https://git.corp/"),
        "{why}"
    );
    params("allowed.scm.providers", "http://127.0.0.1:*").await;
    until_clean(&fleet, "scm").await;
    params("enable.scm.providers", "false").await;
    assert!(
        until_error(&fleet, "scm")
            .await
            .contains("scm providers are disabled")
    );

    assert_eq!(app_deletes(&fleet), 0);
    let stored = sets(&fleet).get("scm").await.unwrap();
    assert!(!json!(stored).to_string().contains("t0p-s3cr3t"));
}
