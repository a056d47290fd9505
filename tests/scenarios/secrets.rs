//! Secrets planted everywhere, and looked for in everything that comes out.

use std::process::Command;

use argosy_sim::{Fault, Rule};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use kube::Api;
use kube::api::{DynamicObject, ListParams};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::fleet::Fleet;
use crate::logs::captured;
use crate::program;
use crate::traces::{Collector, trace_to};
use argosy_test_support::manifest::{automated, config, manual};

/// What was planted; none of it may be seen again.
const CANARIES: [&str; 7] = [
    "canary-repository-password",
    "canary-url-password",
    "token-of-",
    "canary-broken-token",
    "canary-secret-value",
    "canary-not-base64",
    "canary-broken-yaml",
];

fn assert_clean(place: &str, text: &str) {
    for canary in CANARIES {
        for form in [canary.to_owned(), BASE64.encode(canary)] {
            if let Some(at) = text.find(&form) {
                let from = text[..at]
                    .char_indices()
                    .rev()
                    .nth(300)
                    .map_or(0, |(at, _)| at);
                panic!("{canary} is in {place}: {}", &text[from..at + form.len()]);
            }
        }
    }
}

fn secret(name: &str, body: &str) -> String {
    format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: {name}}}\n{body}\n")
}

/// A fleet in which some things work and some do not, each with a secret of its own.
async fn planted() -> Fleet {
    let mut fleet = Fleet::start(&["dev"]).await;
    fleet.add_cluster("down").await;
    fleet.workload("down").sim.faults().stop();
    fleet.commit(&[
        (
            "good/secret.yaml",
            &secret("good", "stringData: {password: canary-secret-value}"),
        ),
        ("good/a.yaml", &config("a", "1", "")),
        (
            "coded/secret.yaml",
            &secret("coded", "data: {password: 'canary-not-base64!'}"),
        ),
        (
            "broken/secret.yaml",
            &secret(
                "broken",
                "stringData: {password: \"canary-broken-yaml\n  x: [y",
            ),
        ),
        (
            "twice/secret.yaml",
            &secret(
                "twice",
                "stringData: {canary-broken-yaml: a, canary-broken-yaml: b}",
            ),
        ),
        (
            "typed/secret.yaml",
            &secret("typed", "stringData: {password: [canary-secret-value]}"),
        ),
    ]);
    let labelled = |name: &str, kind: &str, data: Value| {
        json!({"apiVersion": "v1", "kind": "Secret", "stringData": data,
               "metadata": {"name": name, "labels": {"argocd.argoproj.io/secret-type": kind}}})
    };
    let url = "http://127.0.0.1:1/private.git";
    let password = json!({"url": url, "username": "ada", "password": CANARIES[0], "type": "git"});
    fleet
        .apply(labelled("repository", "repository", password))
        .await;
    let token = json!({"name": "broken", "server": "https://broken.example.com",
                       "config": "{\"bearerToken\": canary-broken-token}"});
    fleet.apply(labelled("broken", "cluster", token)).await;
    let wrong = json!({"name": "wrong", "server": fleet.server("dev").replace("127.0.0.1", "localhost"),
        "config": json!({"bearerToken": CANARIES[3], "tlsClientConfig": {"insecure": true}}).to_string()});
    fleet.apply(labelled("wrong", "cluster", wrong)).await;
    for path in ["good", "coded", "broken", "twice", "typed"] {
        fleet
            .apply(automated(path, &fleet.repo(), path, &fleet.server("dev")))
            .await;
    }
    fleet
        .apply(automated(
            "down",
            &fleet.repo(),
            "good",
            &fleet.server("down"),
        ))
        .await;
    fleet
        .apply(automated("private", url, "good", &fleet.server("dev")))
        .await;
    let embedded = "http://ada:canary-url-password@127.0.0.1:1/other.git";
    fleet
        .apply(automated(
            "embedded",
            embedded,
            "good",
            &fleet.server("dev"),
        ))
        .await;
    let wrong = fleet.server("dev").replace("127.0.0.1", "localhost");
    fleet
        .apply(manual("wrong", &fleet.repo(), "good", &wrong))
        .await;
    fleet
}

/// Everything on an object but what its author has written.
fn told(object: &DynamicObject) -> String {
    object.data["status"].to_string()
}

async fn statuses(fleet: &Fleet) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for kind in ["Application", "ApplicationSet"] {
        let api = fleet.objects(&json!("argoproj.io/v1alpha1"), &json!(kind));
        for object in api.list(&ListParams::default()).await.unwrap() {
            let text = told(&object);
            all.push((
                format!("the status of {kind} {:?}", object.metadata.name),
                text,
            ));
        }
    }
    all
}

/// What the hub exposes of its metrics.
pub(crate) async fn metrics(fleet: &Fleet) -> String {
    let address = fleet.serve().await;
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = b"GET /metrics HTTP/1.1\r\nHost: hub\r\nConnection: close\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    assert!(text.contains("argocd_app_info"), "{text}");
    text
}

pub(crate) fn argosy(kubeconfig: &std::path::Path, args: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_argosy"))
        .args(args)
        .env("KUBECONFIG", kubeconfig)
        .env("RUST_LOG", "argosy=trace")
        .output()
        .unwrap();
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// Everything in a support bundle, unpacked.
async fn support_bundle(fleet: &Fleet, kubeconfig: &std::path::Path) -> String {
    use std::io::Read as _;

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bundle.tar.gz");
    let address = fleet.serve().await;
    let (file, metrics) = (
        file.display().to_string(),
        format!("http://{address}/metrics"),
    );
    let command = [
        "admin",
        "support-bundle",
        "-o",
        &file,
        "--metrics",
        &metrics,
    ];
    let done = program::argosy(kubeconfig, &command).await;
    assert_eq!((done.code, done.error.as_str()), (0, ""), "{done:?}");
    let packed = flate2::read::GzDecoder::new(std::fs::File::open(&file).unwrap());
    let mut archive = tar::Archive::new(packed);
    let mut all = String::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        all.push_str(&entry.path().unwrap().display().to_string());
        entry.read_to_string(&mut all).unwrap();
    }
    assert!(all.contains("argocd_app_info"), "{all}");
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_comes_out_anywhere() {
    let logs = captured();
    let collector = Collector::start().await;
    let fleet = planted().await;
    trace_to(&fleet, &collector.address).await;
    fleet.until_well("good").await;
    for app in ["broken", "private", "down", "embedded", "wrong"] {
        fleet.until_condition(app, "ComparisonError").await;
    }
    let settled = |app: &argosy_crds::Application| {
        app.status
            .as_ref()
            .is_some_and(|status| status.operation_state.is_some() || !status.conditions.is_empty())
    };
    for app in ["coded", "twice", "typed"] {
        fleet.until(app, "told something", settled).await;
    }
    let fault = Fault::Fail {
        code: 500,
        message: "no".into(),
    };
    fleet.workload("dev").sim.faults().add(Rule::all(fault));
    fleet.commit(&[(
        "good/secret.yaml",
        &secret("good", "stringData: {password: canary-secret-value2}"),
    )]);
    fleet.push();
    fleet
        .until("good", "failing", |app| {
            !app.status.as_ref().unwrap().conditions.is_empty()
                || !argosy_test_support::wait::is_well(app)
        })
        .await;
    fleet.workload("dev").sim.faults().clear();

    for (place, text) in statuses(&fleet).await {
        assert_clean(&place, &text);
    }
    let events: Api<DynamicObject> = fleet.objects(&json!("v1"), &json!("Event"));
    for event in events.list(&ListParams::default()).await.unwrap() {
        assert_clean("an event", &event.data.to_string());
    }
    let maps = fleet.objects(&json!("v1"), &json!("ConfigMap"));
    for map in maps.list(&ListParams::default()).await.unwrap() {
        assert_clean("a ConfigMap of the hub", &map.data.to_string());
    }
    assert_clean("the metrics", &metrics(&fleet).await);

    let kubeconfig = fleet.hub_kubeconfig().await;
    let bundle = support_bundle(&fleet, kubeconfig.path()).await;
    assert!(bundle.contains("argocd-cm") && bundle.contains("ComparisonError"));
    assert_clean("the support bundle", &bundle);
    let commands: [&[&str]; 12] = [
        &["app", "list"],
        &["app", "list", "-o", "wide"],
        &["app", "get", "good"],
        &["app", "get", "good", "-o", "yaml"],
        &["app", "get", "coded"],
        &["app", "get", "private", "-o", "json"],
        &["app", "diff", "good"],
        &["app", "diff", "coded"],
        &["cluster", "list", "-o", "wide"],
        &["cluster", "get", "wrong", "-o", "yaml"],
        &["repo", "list", "-o", "wide"],
        &["repo", "list", "-o", "yaml"],
    ];
    for command in commands {
        let path = kubeconfig.path().to_owned();
        let text = tokio::task::spawn_blocking(move || argosy(&path, command))
            .await
            .unwrap();
        assert!(!text.is_empty(), "{command:?} says nothing");
        assert_clean(
            &format!("`argosy {}`", command.join(" ")),
            &text.replace("ada:canary-url-password@", ""),
        );
    }
    let failed = async || collector.text().contains(r#""code":2"#);
    fleet.eventually("failures are traced", failed).await;
    assert_clean("the traces", &collector.text());
    let logged = logs.text();
    assert!(!logged.is_empty());
    assert_clean("the logs", &logged);
}
