//! What of an Argo CD would behave differently under a hub.

use argosy_test_support::manifest::manual;
use serde_json::json;

use crate::fleet::Fleet;
use crate::program::argosy;

#[tokio::test(flavor = "multi_thread")]
async fn what_would_be_different_is_told_by_object_and_field_and_exit_status() {
    let fleet = Fleet::start(&["dev"]).await;
    let hub = fleet.hub_kubeconfig().await;
    let web = manual("web", &fleet.repo(), "web", &fleet.server("dev"));
    fleet.apply(web.clone()).await;
    let alike = argosy(hub.path(), &["admin", "takeover"]).await;
    assert_eq!((alike.code, alike.text.as_str()), (0, ""), "{alike:?}");
    assert!(
        alike.error.contains("1 Applications") && alike.error.contains("1 registrations"),
        "{alike:?}"
    );

    let mut plugin = web;
    plugin["metadata"]["name"] = json!("charts");
    plugin["spec"]["source"]["plugin"] = json!({"name": "cdk8s"});
    fleet.apply(plugin).await;
    fleet
        .configure(
            "argocd-rbac-cm",
            json!({"policy.csv": "g, ada, role:admin"}),
        )
        .await;
    let told = argosy(hub.path(), &["admin", "takeover"]).await;
    assert_eq!(told.code, 2, "{told:?}");
    let lines: Vec<_> = told.text.lines().skip(1).collect();
    let begins =
        |line: &str, words: &[&str]| line.split_whitespace().zip(words).all(|(a, b)| a == *b);
    assert!(
        begins(
            lines[0],
            &[
                "fails",
                "Application",
                "argocd/charts",
                "spec.source.plugin"
            ]
        ),
        "{lines:?}"
    );
    assert!(
        begins(
            lines[1],
            &["differs", "ConfigMap", "argocd-rbac-cm", "policy.csv"]
        ),
        "{lines:?}"
    );
    let json = argosy(hub.path(), &["admin", "takeover", "-o", "json"]).await;
    let answer = json.json();
    assert_eq!(answer["lookedAt"]["applications"], 2);
    assert_eq!(answer["findings"][0]["weight"], "fails");
    assert_eq!(answer["findings"].as_array().unwrap().len(), 2);
}
