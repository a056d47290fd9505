//! The recorded answers of Argo CD, and what the records do not hold.

use std::{fs, path::PathBuf};

use argosy_crds::{Application, ApplicationSet};
use argosy_generators::{Globbing, reads};
use serde_json::{Value, json};

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
        let commit = json!({"added": ["a.yaml"], "modified": [], "removed": []});
        let body = json!({
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

/// A push to the main branch of `shop/fleet` that changed `apps/a/x.yaml`, as each provider tells it:
/// the header with the event, the body, and whether it tells the files.
fn pushes() -> [(&'static str, &'static str, Value, bool); 6] {
    let main = "refs/heads/main";
    let commits = json!([{"added": ["apps/a/x.yaml"], "modified": [], "removed": []}]);
    let page = "https://git.example.com/shop/fleet";
    let hosted = json!({"ref": main, "commits": commits,
        "repository": {"html_url": page, "default_branch": "main"}});
    let gitlab = json!({"object_kind": "push", "ref": main, "commits": commits,
        "project": {"web_url": page, "default_branch": "main"}});
    let cloud = json!({"repository": {"links": {"html": {"href": page}}},
        "push": {"changes": [{"new": {"type": "branch", "name": "main"}}]}});
    let clone = json!([
        {"name": "http", "href": "https://git.example.com/shop/fleet.git"},
        {"name": "ssh", "href": "ssh://git@git.example.com:7999/shop/fleet.git"},
    ]);
    let server = json!({"repository": {"links": {"clone": clone}},
        "changes": [{"ref": {"id": main}, "refId": main, "type": "UPDATE"}]});
    let azure = json!({"eventType": "git.push", "resource": {
        "refUpdates": [{"name": main}],
        "repository": {"remoteUrl": page, "defaultBranch": main}}});
    [
        ("X-GitHub-Event", "push", hosted.clone(), true),
        ("X-Gogs-Event", "push", hosted, true),
        ("X-Gitlab-Event", "Push Hook", gitlab, true),
        ("X-Hook-Uuid", "1", cloud, false),
        ("X-Event-Key", "repo:refs_changed", server, false),
        ("X-Vss-Activityid", "1", azure, false),
    ]
}

/// CVE-2026-44937.
#[test]
fn an_address_in_a_push_is_text_and_no_pattern() {
    let nested = format!("https://git.example.com/{}", "(a+)+".repeat(2000));
    for address in [
        "https://git.example.com/.*",
        "https://git.example.com/(?:shop|web)/fleet",
        "https://git.example.com/shop/fleet|.",
        "https://.*/shop/fleet",
        nested.as_str(),
    ] {
        let body = json!({"ref": "refs/heads/main", "repository": {"html_url": address, "default_branch": "main"}});
        let headers = Headers::new([("X-GitHub-Event", "push")]);
        let push = parse(
            &headers,
            body.to_string().as_bytes(),
            &WebhookSecrets::default(),
        );
        let push = push.unwrap().unwrap();
        let target = Target::new(&push);
        let long = format!("https://git.example.com/{}", "a".repeat(10_000));
        for url in ["https://git.example.com/shop/fleet.git", long.as_str()] {
            assert!(!target.is_repository(url), "{address} {url}");
        }
    }
}

#[test]
fn a_push_of_any_provider_wakes_exactly_the_sets_that_read_the_repository_and_path() {
    let set = |repository: &str, revision: &str, paths: Value| -> ApplicationSet {
        let mut git = json!({"repoURL": repository, "revision": revision});
        git.as_object_mut()
            .unwrap()
            .extend(paths.as_object().unwrap().clone());
        // At any depth.
        let list = json!({"list": {"elements": [{"a": "b"}]}});
        let matrix = json!({"matrix": {"generators": [list, {"git": git}]}});
        serde_json::from_value(json!({"spec": {"generators": [matrix]}})).unwrap()
    };
    let directories = |path: &str| json!({"directories": [{"path": path}]});
    let https = "https://git.example.com/shop/fleet.git";
    let scp = "git@git.example.com:shop/fleet.git";
    let files = json!({"files": [{"path": "apps/**/x.yaml"}]});
    let left_out =
        json!({"directories": [{"path": "apps/*"}, {"path": "apps/a", "exclude": true}]});
    // Who reads what was pushed, who reads other paths, and who reads something else.
    let reads_it = [
        set(https, "main", directories("apps/*")),
        set(https, "HEAD", directories("apps/*")),
        set(scp, "", directories("apps/*")),
        set(scp, "main", files),
    ];
    let other_paths = [
        set(https, "main", directories("charts/*")),
        set(https, "main", left_out),
        set(scp, "main", json!({"files": [{"path": "clusters/*.json"}]})),
    ];
    let elsewhere = [
        set(https, "v1", directories("apps/*")),
        set(
            "https://git.example.com/shop/web.git",
            "main",
            directories("apps/*"),
        ),
        set(
            "https://git.example.org/shop/fleet.git",
            "main",
            directories("apps/*"),
        ),
    ];
    for (header, event, body, tells_files) in pushes() {
        let mut headers = vec![(header, event)];
        if header == "X-Hook-Uuid" {
            headers.push(("X-Event-Key", "repo:push"));
        }
        let body = body.to_string();
        let headers = Headers::new(headers);
        let push = parse(&headers, body.as_bytes(), &WebhookSecrets::default());
        let push = push.unwrap().unwrap();
        let target = Target::new(&push);
        let wakes = |set: &ApplicationSet| {
            let reads = reads::git_reads(set, Globbing::Pathspec, || None);
            reads.maybe_more || reads.known.iter().any(|read| target.concerns_read(read))
        };
        assert!(reads_it.iter().all(wakes), "{header}");
        // Who does not tell the files may have changed any of them.
        assert!(
            other_paths.iter().all(|set| wakes(set) != tells_files),
            "{header}"
        );
        assert!(!elsewhere.iter().any(wakes), "{header}");
    }
}
