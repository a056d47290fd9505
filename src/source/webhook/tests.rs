//! The recorded answers of Argo CD, and what the records do not hold.

use std::{fs, path::PathBuf};

use argosy_crds::Application;
use serde_json::Value;

use super::*;

fn case_files() -> Vec<PathBuf> {
    let cases = std::env::var_os("ARGOSY_CASES").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases")),
        PathBuf::from,
    );
    let mut files: Vec<_> = fs::read_dir(cases.join("webhook"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "jsonl")
        })
        .collect();
    files.sort();
    files
}

/// The status and the refreshed applications, as the cases write them.
fn answer(input: &Value) -> (u64, Vec<String>) {
    let headers = input["headers"].as_object().unwrap();
    let headers = headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str().unwrap()));
    let body = input["body"].as_str().unwrap().as_bytes();
    let event = match parse(&Headers::new(headers), body, &WebhookSecrets::default()) {
        Ok(event) => event,
        Err(error) => return (error.status().into(), Vec::new()),
    };
    let target = event.as_ref().map(Target::new);
    let mut refreshed = Vec::new();
    let documents = argosy_yaml::parse_documents(input["applications"].as_str().unwrap()).unwrap();
    for document in documents {
        let app: Application = serde_json::from_value(document.value).unwrap();
        let namespace = app.metadata.namespace.clone().unwrap_or_default();
        let watched = namespace == "argocd" || namespace.starts_with("team-");
        let concerned = target
            .as_ref()
            .is_some_and(|target| target.concerns(&app).is_some());
        if watched && concerned {
            let name = app.metadata.name.unwrap_or_default();
            refreshed.push(format!("{namespace}/{name}"));
        }
    }
    refreshed.sort();
    (200, refreshed)
}

#[test]
fn deliveries_refresh_the_applications_that_argo_cd_refreshes() {
    let mut checked = 0;
    for file in case_files() {
        for line in fs::read_to_string(file).unwrap().lines() {
            let case: Value = serde_json::from_str(line).unwrap();
            let expected = &case["expect"];
            let refreshed: Vec<String> =
                serde_json::from_value(expected["refreshed"].clone()).unwrap();
            let expected = (expected["status"].as_u64().unwrap(), refreshed);
            assert_eq!(answer(&case["input"]), expected, "{}", case["id"]);
            checked += 1;
        }
    }
    assert!(checked >= 24);
}

#[test]
fn a_broken_body_is_refused_and_never_a_panic() {
    for header in [
        "X-Vss-Activityid",
        "X-Gogs-Event",
        "X-GitHub-Event",
        "X-Gitlab-Event",
    ] {
        let headers = Headers::new([(header, "push")]);
        for body in ["", "{", "[]", "null", "{\"ref\": 3}"] {
            let _ = parse(&headers, body.as_bytes(), &WebhookSecrets::default());
        }
        let error = parse(&headers, b"{", &WebhookSecrets::default()).unwrap_err();
        assert_eq!(error.status(), 400);
    }
}

#[test]
fn a_push_of_which_not_all_commits_are_told_may_have_changed_any_file() {
    let push = |all: u64| {
        let commit = serde_json::json!({"added": ["a.yaml"], "modified": [], "removed": []});
        let body = serde_json::json!({
            "object_kind": "push", "ref": "refs/heads/main", "commits": [commit],
            "total_commits_count": all,
            "project": {"web_url": "https://git.example.com/r", "default_branch": "main"},
        });
        let headers = Headers::new([("X-Gitlab-Event", "Push Hook")]);
        let body = body.to_string();
        let event = parse(&headers, body.as_bytes(), &WebhookSecrets::default());
        event.unwrap().unwrap().changed_files
    };
    assert_eq!(push(1), ["a.yaml"]);
    assert_eq!(push(25), [""; 0]);
}
