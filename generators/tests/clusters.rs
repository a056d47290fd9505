//! What a cluster Secret tells a template, and what it never does.

use std::collections::BTreeSet;

use argosy_crds::ApplicationSet;
use argosy_generators::Settings;
use argosy_generators::offline::{World, clusters, generate};
use serde_json::{Value, json};

const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// What a template makes of a cluster whose Secret was written by `kubectl apply`, which keeps the
/// whole Secret in an annotation.
fn rendered(go: bool, generator: &Value, label: &str) -> String {
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {
            "name": "cluster-dev", "namespace": "argocd",
            "labels": {"argocd.argoproj.io/secret-type": "cluster"},
            "annotations": {"team": "web", LAST_APPLIED: "{\"stringData\": {\"config\": \"canary\"}}"},
        },
        "stringData": {"name": "dev", "server": "https://dev.example.com", "config": "canary"},
    });
    let world = World {
        projects: BTreeSet::from(["default".to_owned()]),
        clusters: clusters(&[secret], "argocd"),
        trees: &|_, _| Err("there is none".to_owned()),
    };
    let set = json!({
        "metadata": {"name": "fleet", "namespace": "argocd"},
        "spec": {
            "goTemplate": go,
            "generators": [{"clusters": generator}],
            "template": {
                "metadata": {"name": "a", "annotations": {"seen": label}},
                "spec": {"project": "default", "destination": {"name": "dev"}},
            },
        },
    });
    let set: ApplicationSet = serde_json::from_value(set).expect("a set");
    let expansion = generate(&set, &world, &Settings::default()).expect("an expansion");
    let seen = expansion.applications.get().iter().map(|app| {
        let annotations = app.metadata.annotations.clone().unwrap_or_default();
        annotations.get("seen").cloned().unwrap_or_default()
    });
    seen.collect()
}

#[test]
fn what_kubectl_applied_last_never_becomes_a_parameter() {
    let all = json!({"selector": {"matchLabels": {"argocd.argoproj.io/secret-type": "cluster"}}});
    let mut flat = all.clone();
    flat["flatList"] = json!(true);
    let everything = rendered(true, &all, "{{ toJson . }}");
    assert!(everything.contains("\"team\":\"web\""), "{everything}");
    let tag = format!("{{{{metadata.annotations.{LAST_APPLIED}}}}}");
    for seen in [
        everything,
        rendered(true, &flat, "{{ toJson . }}"),
        rendered(false, &all, "{{metadata.annotations.team}}"),
        rendered(false, &all, &tag),
    ] {
        assert!(!seen.contains("canary"), "{seen}");
    }
}

#[test]
fn clusters_are_left_out_by_their_labels_and_taken_in_by_their_names() {
    let secret = |name: &str, env: &str| {
        json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": name, "namespace": "argocd",
                "labels": {"argocd.argoproj.io/secret-type": "cluster", "env": env}},
            "stringData": {"name": name, "server": format!("https://{name}.example.com")},
        })
    };
    let secrets = [
        secret("eu-1", "prod"),
        secret("eu-2", "test"),
        secret("us-1", "prod"),
    ];
    let world = World {
        projects: BTreeSet::from(["default".to_owned()]),
        clusters: clusters(&secrets, "argocd"),
        trees: &|_, _| Err("there is none".to_owned()),
    };
    let test = json!({"matchLabels": {"env": "test"}});
    for (generator, expected) in [
        (json!({"names": ["eu-*"]}), "eu-1 eu-2"),
        (json!({"names": ["us-1", "eu-2", "none"]}), "eu-2 us-1"),
        (json!({"exclude": test}), "eu-1 in-cluster us-1"),
        (json!({"exclude": test, "names": ["eu-*"]}), "eu-1"),
    ] {
        let set = json!({
            "metadata": {"name": "fleet", "namespace": "argocd"},
            "spec": {
                "generators": [{"clusters": generator}],
                "template": {
                    "metadata": {"name": "{{name}}"},
                    "spec": {"project": "default", "destination": {"name": "{{name}}"}},
                },
            },
        });
        let set: ApplicationSet = serde_json::from_value(set).expect("a set");
        let expansion = generate(&set, &world, &Settings::default()).expect("an expansion");
        let mut names: Vec<_> = expansion
            .applications
            .get()
            .iter()
            .filter_map(|app| app.metadata.name.clone())
            .collect();
        names.sort();
        assert_eq!(names.join(" "), expected, "{generator}");
    }
}
