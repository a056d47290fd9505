//! Generators that ask outside: what a provider, a plugin or another controller answers becomes
//! applications, and what is no answer takes none away.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use argosy::source::webhook::{Headers, WebhookSecrets, parse_pull_request};
use argosy_test_support::manifest::config;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Response, StatusCode, Uri};
use futures::stream;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use crate::fleet::Fleet;
use crate::sets::{app_deletes, sets, until_clean, until_error, until_names};

/// What is wrong with the service.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    Status(u16),
    Html,
    Cut,
    /// Wants no requests for a second.
    Limited,
}

#[derive(Default)]
struct State {
    answers: BTreeMap<String, Value>,
    fault: Option<Fault>,
    asked: BTreeMap<String, u64>,
    tokens: Vec<String>,
}

/// GitHub and a plugin in one, on this machine.
#[derive(Clone, Default)]
struct Service(Arc<Mutex<State>>);

impl Service {
    async fn serve(&self) -> SocketAddr {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let service = self.clone();
        let answer = move |uri: Uri, headers: HeaderMap| {
            let answer = service.answer(&uri, &headers);
            async move { answer }
        };
        let app = axum::Router::new().fallback(answer);
        tokio::spawn(async move { axum::serve(listener, app).await });
        address
    }

    fn answer(&self, uri: &Uri, headers: &HeaderMap) -> Response<Body> {
        let mut state = self.0.lock().unwrap();
        *state.asked.entry(uri.path().to_owned()).or_default() += 1;
        let token = headers
            .get("authorization")
            .and_then(|token| token.to_str().ok());
        state.tokens.extend(token.map(str::to_owned));
        let reply = |status: u16, body: Body| {
            let mut response = Response::new(body);
            *response.status_mut() = StatusCode::from_u16(status).unwrap();
            response
        };
        let Some(body) = state.answers.get(uri.path()).map(Value::to_string) else {
            return reply(404, Body::from("{}"));
        };
        match state.fault {
            Some(Fault::Status(status)) => reply(status, Body::from("{\"message\": \"id 4711\"}")),
            Some(Fault::Html) => reply(200, Body::from("<html>Sign in</html>")),
            Some(Fault::Cut) => {
                let half = Bytes::from(body[..body.len() / 2].to_owned());
                let lost = std::io::Error::other("lost");
                reply(200, Body::from_stream(stream::iter([Ok(half), Err(lost)])))
            }
            Some(Fault::Limited) => {
                let mut response = reply(429, Body::from("{}"));
                response
                    .headers_mut()
                    .insert("retry-after", "1".parse().unwrap());
                response
            }
            None => reply(200, Body::from(body)),
        }
    }

    fn put(&self, path: &str, answer: Value) {
        self.0
            .lock()
            .unwrap()
            .answers
            .insert(path.to_owned(), answer);
    }

    fn break_with(&self, fault: Option<Fault>) {
        self.0.lock().unwrap().fault = fault;
    }

    fn asked(&self, path: &str) -> u64 {
        self.0
            .lock()
            .unwrap()
            .asked
            .get(path)
            .copied()
            .unwrap_or_default()
    }

    /// An organisation with these repositories.
    fn repositories(&self, names: &[&str]) {
        let list: Vec<_> = names
            .iter()
            .map(|name| {
                self.put(
                    &format!("/api/v3/repos/shop/{name}/branches/main"),
                    json!({"name": "main", "commit": {"sha": "a".repeat(40)}}),
                );
                json!({"id": 1_296_269, "name": name, "owner": {"login": "shop"}, "default_branch": "main",
                       "ssh_url": "x", "clone_url": "y"})
            })
            .collect();
        self.put("/api/v3/orgs/shop/repos", json!(list));
    }

    /// A repository with these pull requests.
    fn pulls(&self, repository: &str, numbers: &[i64]) {
        let list: Vec<_> = numbers
            .iter()
            .map(|number| {
                json!({"number": number, "title": "t", "head": {"ref": "x", "sha": "s"},
                       "base": {"ref": "main", "sha": "t"}, "user": {"login": "ada"}})
            })
            .collect();
        self.put(
            &format!("/api/v3/repos/shop/{repository}/pulls"),
            json!(list),
        );
    }

    fn plugin(&self, names: &[&str]) {
        let sets: Vec<_> = names.iter().map(|name| json!({"app": name})).collect();
        self.put(
            "/api/v1/getparams.execute",
            json!({"output": {"parameters": sets}}),
        );
    }
}

fn set(name: &str, generator: &Value, app: &str, fleet: &Fleet) -> Value {
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

fn secret(name: &str, data: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Secret", "stringData": data, "metadata": {"name": name}})
}

async fn start() -> (Fleet, Service, String) {
    let fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[("web/a.yaml", &config("a", "1", ""))]);
    let service = Service::default();
    let url = format!("http://{}", service.serve().await);
    (fleet, service, url)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_fault_of_a_provider_or_plugin_takes_an_application_away() {
    let (fleet, service, url) = start().await;
    service.repositories(&["a", "b"]);
    service.pulls("web", &[1, 2]);
    service.plugin(&["x", "y"]);
    fleet
        .apply(secret("plugin", &json!({"token": "of-the-plugin"})))
        .await;
    let map = json!({"baseUrl": url, "token": "$plugin:token", "requestTimeout": "5"});
    fleet.configure("plugin", map).await;

    let scm = json!({"scmProvider": {"github": {"organization": "shop", "api": url}, "requeueAfterSeconds": 1}});
    let pulls = json!({"pullRequest": {"github": {"owner": "shop", "repo": "web", "api": url}, "requeueAfterSeconds": 1}});
    let plugin = json!({"plugin": {"configMapRef": {"name": "plugin"}, "requeueAfterSeconds": 1}});
    fleet
        .apply(set(
            "scm",
            &scm,
            "s-{{.repository}}-{{.repository_id}}",
            &fleet,
        ))
        .await;
    fleet
        .apply(set("pulls", &pulls, "pr-{{.number}}", &fleet))
        .await;
    fleet
        .apply(set("plugin", &plugin, "p-{{.app}}", &fleet))
        .await;
    until_names(
        &fleet,
        &["s-a-1296269", "s-b-1296269", "pr-1", "pr-2", "p-x", "p-y"],
    )
    .await;

    let faults = [
        Fault::Status(401),
        Fault::Status(404),
        Fault::Status(500),
        Fault::Html,
        Fault::Cut,
        Fault::Limited,
    ];
    for fault in faults {
        service.break_with(Some(fault));
        for name in ["scm", "pulls", "plugin"] {
            let why = until_error(&fleet, name).await;
            assert!(
                !why.contains("4711") && !why.contains("of-the-plugin"),
                "{why}"
            );
        }
        assert_eq!(app_deletes(&fleet), 0, "{fault:?}");
        service.break_with(None);
        for name in ["scm", "pulls", "plugin"] {
            until_clean(&fleet, name).await;
        }
    }
    service.repositories(&["b", "c"]);
    service.pulls("web", &[2]);
    service.plugin(&["x"]);
    until_names(&fleet, &["s-b-1296269", "s-c-1296269", "pr-2", "p-x"]).await;
    let tokens = service.0.lock().unwrap().tokens.clone();
    assert!(
        tokens.iter().all(|token| token == "Bearer of-the-plugin"),
        "{tokens:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn cluster_decisions_are_followed_and_no_decision_is_none() {
    let (mut fleet, _, _) = start().await;
    fleet.add_cluster("prod").await;
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
    let placement = |decided: &[&str]| {
        let decided: Vec<_> = decided
            .iter()
            .map(|name| json!({"clusterName": name}))
            .collect();
        json!({"apiVersion": "example.com/v1", "kind": "Placement", "metadata": {"name": "web", "labels": {"app": "web"}},
               "status": {"decisions": decided}})
    };
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
    assert_eq!(service.0.lock().unwrap().tokens[0], "Bearer t0p-s3cr3t");

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
