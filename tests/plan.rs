//! `argosy plan`, the program itself, on a real repository.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};

const URL: &str = "https://git.example.com/fleet.git";

fn git(folder: &Path, args: &[&str]) {
    let identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"];
    let run = Command::new("git")
        .args(identity)
        .args(args)
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(
        run.status.success(),
        "{}",
        String::from_utf8_lossy(&run.stderr)
    );
}

fn commit(folder: &Path, branch: &str, files: &[(&str, &str)]) {
    git(folder, &["checkout", "--quiet", "-B", branch]);
    for (path, text) in files {
        let file = folder.join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        if text.is_empty() {
            std::fs::remove_file(file).unwrap();
        } else {
            std::fs::write(file, text).unwrap();
        }
    }
    git(folder, &["add", "--all"]);
    git(folder, &["commit", "--quiet", "--message=change"]);
}

fn plan(folder: &Path, more: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_argosy"))
        .args([
            "plan",
            "--base",
            "main",
            "--head",
            "change",
            "--repo-url",
            URL,
        ])
        .args(more)
        .current_dir(folder)
        .output()
        .unwrap()
}

fn application(name: &str, path: &str) -> String {
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
        "metadata": {"name": name},
        "spec": {
            "project": "default",
            "source": {"repoURL": URL, "path": path, "targetRevision": "HEAD"},
            "destination": {"name": "dev", "namespace": name},
        },
    })
    .to_string()
}

fn map(value: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: cm}}\ndata: {{a: '{value}'}}\n")
}

/// A parent of applications, a set over directories, and a Secret.
fn start(folder: &Path) {
    git(folder, &["init", "--quiet"]);
    let set = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "ApplicationSet",
        "metadata": {"name": "apps"},
        "spec": {
            "goTemplate": true,
            "generators": [{"matrix": {"generators": [
                {"clusters": {}},
                {"git": {"repoURL": URL, "revision": "HEAD", "directories": [{"path": "apps/*"}]}},
            ]}}],
            "template": {
                "metadata": {"name": "{{.path.basename}}-{{.name}}"},
                "spec": {
                    "project": "default",
                    "source": {"repoURL": URL, "path": "{{.path.path}}", "targetRevision": "HEAD"},
                    "destination": {"server": "{{.server}}", "namespace": "x"},
                },
            },
        },
    });
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {p: canary-one}\n";
    commit(
        folder,
        "main",
        &[
            ("root.json", &application("root", "children")),
            ("children/web.json", &application("web", "web")),
            ("children/old.json", &application("old", "old")),
            ("web/cm.yaml", &map("1")),
            ("web/secret.yaml", secret),
            ("old/cm.yaml", &map("1")),
            ("set.json", &set.to_string()),
            ("apps/a/cm.yaml", &map("1")),
            ("apps/b/cm.yaml", &map("1")),
        ],
    );
    let cluster = |name: &str| {
        let labels = json!({"argocd.argoproj.io/secret-type": "cluster"});
        let data = json!({"name": name, "server": format!("https://{name}.example.com")});
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": "argocd", "labels": labels}, "stringData": data})
    };
    let clusters = format!("{}\n---\n{}\n", cluster("east"), cluster("west"));
    std::fs::write(folder.join("../clusters.yaml"), clusters).unwrap();
}

/// Each change in one line.
fn told(answer: &Value) -> Vec<String> {
    let text = |one: &Value, key: &str| one[key].as_str().unwrap().to_owned();
    let object = |one: &Value| {
        let (change, kind, name) = (text(one, "change"), text(one, "kind"), text(one, "name"));
        format!("{change} {kind} {name}")
    };
    let change = |one: &Value| {
        let objects: Vec<_> = one["objects"]
            .as_array()
            .unwrap()
            .iter()
            .map(object)
            .collect();
        let (change, name, cluster) = (
            text(one, "change"),
            text(one, "application"),
            text(one, "cluster"),
        );
        format!("{change} {name} {cluster}: {}", objects.join(", "))
    };
    let changes = answer["changes"].as_array().unwrap();
    changes.iter().map(change).collect()
}

/// A repository with a change on a branch, and the clusters beside it.
fn changed() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let repo = folder.path().join("repo");
    std::fs::create_dir(&repo).unwrap();
    start(&repo);
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {p: canary-two}\n";
    commit(
        &repo,
        "change",
        &[
            ("web/cm.yaml", &map("2")),
            ("web/secret.yaml", secret),
            ("children/old.json", ""),
            ("children/new.json", &application("new", "old")),
            ("apps/c/cm.yaml", &map("1")),
            ("README.md", "unrelated"),
        ],
    );
    (folder, repo)
}

#[test]
fn a_change_is_planned_through_parents_and_sets() {
    let (_folder, repo) = changed();
    let json = plan(
        &repo,
        &["--clusters", "../clusters.yaml", "--output", "json"],
    );
    let complaint = String::from_utf8_lossy(&json.stderr);
    assert_eq!(json.status.code(), Some(2), "{complaint}");
    let text = String::from_utf8(json.stdout).unwrap();
    assert!(!text.contains("canary"), "{text}");
    let answer: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(answer["notes"], json!([]));
    let changes = told(&answer);
    assert_eq!(
        changes,
        [
            "added c-east east: added ConfigMap cm",
            "added c-in-cluster in-cluster: added ConfigMap cm",
            "added c-west west: added ConfigMap cm",
            "added new dev: added ConfigMap cm",
            "removed old dev: removed ConfigMap cm",
            "changed root dev: added Application new, removed Application old",
            "changed web dev: changed ConfigMap cm, changed Secret s",
        ]
    );
    let web = changes.iter().position(|one| one.contains(" web "));
    let diff = answer["changes"][web.unwrap()]["objects"][0]["diff"]
        .as_str()
        .unwrap();
    assert!(diff.contains("-  a: \"1\"\n+  a: \"2\"\n"), "{diff}");
}

#[test]
fn a_plan_is_a_table_or_markdown_and_nothing_is_no_change() {
    let (_folder, repo) = changed();
    let text = |more: &[&str]| {
        let args = [&["--clusters", "../clusters.yaml"], more].concat();
        String::from_utf8(plan(&repo, &args).stdout).unwrap()
    };
    let markdown = text(&["--output", "markdown"]);
    assert!(
        markdown.contains("| web | dev | changed | 0 | 2 | 0 |"),
        "{markdown}"
    );
    assert!(
        markdown.contains("<details><summary>web on dev</summary>"),
        "{markdown}"
    );
    let table = text(&[]);
    assert!(table.starts_with("APPLICATION"), "{table}");

    git(&repo, &["branch", "--force", "main", "change"]);
    let same = plan(&repo, &["--clusters", "../clusters.yaml"]);
    let complaint = String::from_utf8_lossy(&same.stderr);
    assert_eq!(same.status.code(), Some(0), "{complaint}");
    assert_eq!(String::from_utf8_lossy(&same.stdout), "nothing changes\n");
}

#[test]
fn annotations_that_the_settings_call_sensitive_are_masked() {
    let (folder, repo) = changed();
    let secret = |token: &str| {
        let metadata = format!("{{name: s, annotations: {{token: {token}, team: blue}}}}");
        format!("apiVersion: v1\nkind: Secret\nmetadata: {metadata}\n")
    };
    commit(&repo, "main", &[("web/secret.yaml", &secret("canary-one"))]);
    commit(
        &repo,
        "change",
        &[("web/secret.yaml", &secret("canary-two"))],
    );
    let settings = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "argocd-cm"},
        "data": {"resource.sensitive.mask.annotations": "token"}});
    std::fs::write(folder.path().join("cm.json"), settings.to_string()).unwrap();
    let planned = plan(
        &repo,
        &["--argocd-cm-path", "../cm.json", "--output", "json"],
    );
    let text = String::from_utf8(planned.stdout).unwrap();
    assert!(
        text.contains("token: ++++++++") && text.contains("team: blue"),
        "{text}"
    );
    assert!(!text.contains("canary"), "{text}");
}

#[test]
fn what_breaks_is_a_change_and_what_was_broken_is_none() {
    let folder = tempfile::tempdir().unwrap();
    git(folder.path(), &["init", "--quiet"]);
    let files = [
        ("good.json", application("good", "good")),
        ("bad.json", application("bad", "nowhere")),
        ("good/cm.yaml", map("1")),
    ];
    let files: Vec<_> = files
        .iter()
        .map(|(path, text)| (*path, text.as_str()))
        .collect();
    commit(folder.path(), "main", &files);
    commit(
        folder.path(),
        "change",
        &[("good/cm.yaml", "kind: [\napiVersion: v1\nmetadata:\n")],
    );
    let answer = plan(folder.path(), &["--output", "json"]);
    assert_eq!(answer.status.code(), Some(2));
    let answer: Value = serde_json::from_slice(&answer.stdout).unwrap();
    assert_eq!(answer["changes"].as_array().unwrap().len(), 1);
    let remark = answer["changes"][0]["remarks"][0].as_str().unwrap();
    assert!(remark.starts_with("cannot be rendered"), "{remark}");
    let note = answer["notes"][0].as_str().unwrap();
    assert!(
        note.contains("`bad` cannot be rendered on either side"),
        "{note}"
    );
}

#[test]
fn what_a_parent_renders_counts_before_its_file_and_two_parents_do_not_chase_each_other() {
    let folder = tempfile::tempdir().unwrap();
    git(folder.path(), &["init", "--quiet"]);
    // Each renders the other anew, from a directory of its own.
    let files = [
        ("a.json", application("a", "one")),
        ("one/b.json", application("b", "two")),
        ("two/a.json", application("a", "three")),
        ("three/b.json", application("b", "one")),
        ("declared.json", application("web", "before")),
        ("four/web.jsonnet", application("web", "web")),
        ("parent.json", application("parent", "four")),
        ("web/cm.yaml", map("1")),
    ];
    let files: Vec<_> = files
        .iter()
        .map(|(path, text)| (*path, text.as_str()))
        .collect();
    commit(folder.path(), "main", &files);
    commit(folder.path(), "change", &[("web/cm.yaml", &map("2"))]);
    let answer = plan(folder.path(), &["--output", "json"]);
    let answer: Value = serde_json::from_slice(&answer.stdout).unwrap();
    let changes = answer["changes"].as_array().unwrap();
    let names: Vec<_> = changes
        .iter()
        .map(|change| change["application"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["web"], "{answer:#}");
    let notes = answer["notes"].to_string();
    assert!(notes.contains("`a` is declared more than once"), "{notes}");
}

#[test]
fn plugins_render_in_plans_and_offline() {
    let folder = tempfile::tempdir().unwrap();
    let (repo, plugins) = (folder.path().join("repo"), folder.path().join("plugins"));
    std::fs::create_dir(&repo).unwrap();
    std::fs::create_dir(&plugins).unwrap();
    let plugin = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "ConfigManagementPlugin",
        "metadata": {"name": "cat"},
        "spec": {"discover": {"fileName": "all.txt"}, "generate": {"command": ["cat", "all.txt"]}}});
    std::fs::write(plugins.join("cat.yaml"), plugin.to_string()).unwrap();
    git(&repo, &["init", "--quiet"]);
    let files = [
        ("web.json", &application("web", "web")),
        ("web/all.txt", &map("1")),
    ];
    commit(
        &repo,
        "main",
        &files.map(|(path, text)| (path, text.as_str())),
    );
    commit(&repo, "change", &[("web/all.txt", &map("2"))]);
    let planned = plan(&repo, &["--plugins", "../plugins", "--output", "json"]);
    let answer: Value = serde_json::from_slice(&planned.stdout).unwrap();
    assert_eq!(told(&answer), ["changed web dev: changed ConfigMap cm"]);

    let offline = |plugins: &str| {
        let arguments = ["app", "manifests", "--offline", "--app", "web.json"];
        Command::new(env!("CARGO_BIN_EXE_argosy"))
            .args(arguments)
            .args(["--local-repo-root", ".", "-o", "json", "--plugins", plugins])
            .current_dir(&repo)
            .output()
            .unwrap()
    };
    let answer: Value = serde_json::from_slice(&offline("../plugins").stdout).unwrap();
    assert_eq!(answer["sourceType"], "Plugin");
    assert_eq!(answer["manifests"][0]["data"], json!({"a": "2"}));
    std::fs::write(plugins.join("cat.yaml"), "kind: ConfigManagementPlugin").unwrap();
    let refused = offline("../plugins");
    let complaint = String::from_utf8_lossy(&refused.stderr);
    assert!(
        !refused.status.success() && complaint.contains("cat.yaml declares no plugin"),
        "{complaint}"
    );
}
