//! `argosy appset diff` and `argosy appset lint`: what would happen, told beforehand.

use std::path::{Path, PathBuf};
use std::process::Command;

use argosy_test_support::manifest::config;
use serde_json::{Value, json};

use super::{set, until_clean, until_names};
use crate::fleet::Fleet;
use crate::program;

/// Runs the program and returns its exit status and all that it printed.
async fn argosy(kubeconfig: &Path, args: &[&str]) -> (i32, String) {
    let answer = program::argosy(kubeconfig, args).await;
    (answer.code, answer.text + &answer.error)
}

fn written(folder: &Path, name: &str, set: &Value) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, set.to_string()).unwrap();
    path
}

fn dirs(fleet: &Fleet, path: &str) -> Value {
    let dirs = json!([{"git": {"repoURL": fleet.repo(), "revision": "main",
        "directories": [{"path": "dirs/*"}]}}]);
    set("dirs", true, &dirs, "{{.path.basename}}", path, fleet)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_a_set_is_shown_against_the_hub_and_nothing_is_written() {
    let fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[
        ("dirs/a/x.yaml", &config("x", "1", "")),
        ("dirs/b/x.yaml", &config("x", "1", "")),
    ]);
    fleet.apply(dirs(&fleet, "dirs/a")).await;
    until_names(&fleet, &["a", "b"]).await;
    until_clean(&fleet, "dirs").await;
    fleet.nothing_is_written().await;

    let folder = tempfile::tempdir().unwrap();
    let hub = fleet.hub_kubeconfig().await;
    let same = written(folder.path(), "same.json", &dirs(&fleet, "dirs/a"));
    let writes = fleet.writes();
    let (code, text) = argosy(hub.path(), &["appset", "diff", same.to_str().unwrap()]).await;
    assert_eq!((code, text.trim()), (0, "dirs: 2 unchanged"));

    let mut other = dirs(&fleet, "dirs/b");
    other["spec"]["generators"][0]["git"]["directories"] = json!([{"path": "dirs/a"}]);
    let other = written(folder.path(), "other.json", &other);
    let ask = ["appset", "diff", other.to_str().unwrap(), "-o", "json"];
    let (code, text) = argosy(hub.path(), &ask).await;
    assert_eq!(code, 2, "{text}");
    let answer: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        answer["update"],
        json!([{"name": "a", "fields": [
            {"path": "spec.source.path", "before": "dirs/a", "after": "dirs/b"}]}])
    );
    assert_eq!(
        answer["delete"],
        json!([{"name": "b", "deletesResources": true}])
    );
    assert_eq!(answer["approvalNeeded"], Value::Null);
    assert_eq!(fleet.writes(), writes);

    let (code, text) = argosy(hub.path(), &["appset", "diff", "no-such-file.yaml"]).await;
    assert_eq!(code, 1, "{text}");
    let (code, text) = argosy(hub.path(), &["appset", "diff", "--no-such-flag"]).await;
    assert_eq!(code, 20, "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_request_is_shown_as_markdown_from_the_work_tree_alone() {
    let fleet = Fleet::start(&[]).await;
    let base = fleet.commit(&[
        ("dirs/a/x.yaml", &config("x", "1", "")),
        ("dirs/b/x.yaml", &config("x", "1", "")),
    ]);
    let head = fleet.commit(&[
        ("dirs/b/x.yaml", ""),
        ("dirs/c/x.yaml", &config("x", "1", "")),
    ]);
    let folder = tempfile::tempdir().unwrap();
    let file = written(folder.path(), "set.json", &dirs(&fleet, "{{.path.path}}"));
    let repo = format!("{}={}", fleet.repo(), fleet.repository().display());
    let none = folder.path().join("no-kubeconfig");
    let diff = [
        "appset",
        "diff",
        file.to_str().unwrap(),
        "--offline",
        "--repo",
        &repo,
    ];
    let with = |more: &[&'static str]| [&diff[..], more].concat();
    let revisions = ["--base", &base, "--head", &head];
    let markdown = [&diff[..], &revisions, &["-o", "markdown"]].concat();
    let (code, text) = argosy(&none, &markdown).await;
    assert_eq!(code, 2, "{text}");
    assert!(
        text.starts_with("### ApplicationSet `dirs`: 1 to create, 1 to delete, 1 unchanged"),
        "{text}"
    );
    assert!(text.contains("| `c` | default | dev/web |"), "{text}");
    assert!(text.contains("- `b`, with its resources"), "{text}");
    let (code, text) = argosy(&none, &with(&[])).await;
    assert_eq!(code, 1, "{text}");

    // A branch is meant by its name, whatever is checked out.
    let git = |args: &[&str]| {
        let run = Command::new("git")
            .args(args)
            .current_dir(fleet.repository())
            .status();
        assert!(run.unwrap().success(), "{args:?}");
    };
    git(&["checkout", "--quiet", "-b", "old", &base]);
    let branches = ["--base", "old", "--head", "main"];
    let (code, text) = argosy(&none, &[&diff[..], &branches].concat()).await;
    assert_eq!(code, 2, "{text}");
    let back = ["--base", "main", "--head", "old"];
    let (code, text) = argosy(&none, &[&diff[..], &back, &["-o", "json"]].concat()).await;
    let answer: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((code, &answer["create"][0]["name"]), (2, &json!("b")));
    git(&["checkout", "--quiet", "main"]);

    let changed = dirs(&fleet, "web");
    let changed = written(folder.path(), "base.json", &changed);
    let sets = [
        &diff[..],
        &["--base-set", changed.to_str().unwrap(), "-o", "markdown"],
    ]
    .concat();
    let (code, text) = argosy(&none, &sets).await;
    assert_eq!(code, 2, "{text}");
    assert!(
        text.contains("  spec.source.path\n-web\n+dirs/a\n"),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn lint_names_what_is_wrong_offline_and_with_the_hub() {
    let fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[("dirs/a/x.yaml", &config("x", "1", ""))]);
    let folder = tempfile::tempdir().unwrap();
    let hub = fleet.hub_kubeconfig().await;
    let good = written(folder.path(), "good.json", &dirs(&fleet, "dirs/a"));
    let mut bad = dirs(&fleet, "{{.pth.path}}");
    bad["spec"]["generators"][0]["git"]["directories"] =
        json!([{"path": "dirs/*"}, {"path": "drs/*"}]);
    let bad = written(folder.path(), "bad.json", &bad);
    let lint = ["appset", "lint", good.to_str().unwrap()];
    let (code, text) = argosy(hub.path(), &lint).await;
    assert_eq!((code, text.trim()), (0, "1 file without findings"));

    let repo = format!("{}={}", fleet.repo(), fleet.repository().display());
    let lint = ["appset", "lint", bad.to_str().unwrap(), "-o", "json"];
    let none = folder.path().join("no-kubeconfig");
    let offline = [&lint[..], &["--offline", "--repo", &repo]].concat();
    for (kubeconfig, args) in [(hub.path(), &lint[..]), (&none, &offline)] {
        let (code, text) = argosy(kubeconfig, args).await;
        assert_eq!(code, 1, "{text}");
        let answer: Value = serde_json::from_str(&text).unwrap();
        let findings = answer[0]["findings"].as_array().unwrap();
        let rules: Vec<_> = findings.iter().map(|one| &one["rule"]).collect();
        assert_eq!(
            rules,
            ["unreachable-parameter", "generation", "empty-glob"],
            "{text}"
        );
    }
}
