//! `argosy appset diff`: a change of git, of clusters or of the set, against the hub and from files.

use std::path::{Path, PathBuf};
use std::process::Command;

use argosy_crds::Application;
use argosy_crds::codes::appset_condition::APPROVAL_NEEDED;
use argosy_test_support::manifest::config;
use argosy_test_support::stories::guard::hash;
use argosy_test_support::stories::sets::{list, until_condition};
use kube::api::ListParams;
use serde_json::{Value, json};

use super::{set, until_clean, until_names};
use crate::fleet::Fleet;
use crate::program::{Answer, argosy};

fn written(folder: &Path, name: &str, document: &Value) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, document.to_string()).unwrap();
    path
}

/// Asks for a diff in a form.
async fn diff(kubeconfig: &Path, set: &Path, more: &[&str], form: &str) -> Answer {
    let set = set.to_str().unwrap();
    let ask = ["appset", "diff", set, "--output", form];
    argosy(kubeconfig, &[&ask[..], more].concat()).await
}

fn names(list: &Value) -> Vec<&str> {
    let names = list.as_array().unwrap().iter();
    names.map(|one| one["name"].as_str().unwrap()).collect()
}

fn git(fleet: &Fleet, args: &[&str]) {
    let mut git = Command::new("git");
    let run = git.args(args).current_dir(fleet.repository()).status();
    assert!(run.unwrap().success(), "{args:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_branch_is_compared_on_the_hub_with_what_runs_and_with_its_base() {
    let fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[
        ("dirs/a/x.yaml", &config("x", "1", "")),
        ("dirs/b/x.yaml", &config("x", "1", "")),
    ]);
    let read =
        json!({"repoURL": fleet.repo(), "revision": "main", "directories": [{"path": "dirs/*"}]});
    let generators = json!([{ "git": read }]);
    let dirs = set(
        "dirs",
        true,
        &generators,
        "{{.path.basename}}",
        "web",
        &fleet,
    );
    fleet.apply(dirs.clone()).await;
    until_names(&fleet, &["a", "b"]).await;
    until_clean(&fleet, "dirs").await;
    git(&fleet, &["checkout", "--quiet", "-b", "feature"]);
    fleet.commit(&[
        ("dirs/b/x.yaml", ""),
        ("dirs/c/x.yaml", &config("x", "1", "")),
    ]);
    git(&fleet, &["checkout", "--quiet", "main"]);
    fleet.nothing_is_written().await;

    let folder = tempfile::tempdir().unwrap();
    let file = written(folder.path(), "dirs.json", &dirs);
    let hub = fleet.hub_kubeconfig().await;
    let writes = fleet.writes();
    let (main, feature) = (["--base", "main"], ["--head", "feature"]);
    let with_base = [&main[..], &feature].concat();
    for more in [&feature[..], &with_base] {
        let table = diff(hub.path(), &file, more, "table").await;
        let rows = [
            "CHANGE  APPLICATION  FIELD  BEFORE  AFTER",
            "create  c                           dev/web",
            "delete  b                           with its resources",
            "",
            "dirs: 1 to create, 1 to delete, 1 unchanged",
        ];
        assert_eq!((table.code, table.text.trim()), (2, &*rows.join("\n")));
        let markdown = diff(hub.path(), &file, more, "markdown").await;
        assert_eq!(markdown.code, 2, "{markdown:?}");
        let title = "### ApplicationSet `dirs`: 1 to create, 1 to delete, 1 unchanged\n";
        assert!(markdown.text.starts_with(title), "{markdown:?}");
        let answer = diff(hub.path(), &file, more, "json").await;
        let told = answer.json();
        assert_eq!((answer.code, &told["unchanged"]), (2, &json!(1)));
        assert_eq!(
            (names(&told["create"]), names(&told["delete"])),
            (vec!["c"], vec!["b"])
        );
    }
    let back = ["--base", "feature", "--head", "main"];
    let told = diff(hub.path(), &file, &back, "json").await.json();
    assert_eq!(
        (names(&told["create"]), names(&told["delete"])),
        (vec!["b"], vec!["c"])
    );
    let same = ["--base", "main", "--head", "main"];
    let answer = diff(hub.path(), &file, &same, "json").await;
    assert_eq!(
        (answer.code, &answer.json()["changes"]),
        (0, &json!(false)),
        "{answer:?}"
    );
    let answer = diff(hub.path(), &file, &["--head", "no-such-branch"], "json").await;
    assert_eq!((answer.code, answer.text.as_str()), (1, ""));
    assert!(answer.error.contains("no-such-branch"), "{answer:?}");
    assert_eq!(fleet.writes(), writes);
}

#[tokio::test(flavor = "multi_thread")]
async fn that_a_generator_would_stop_yielding_is_told_before_and_after_it_does() {
    let fleet = Fleet::start(&["dev"]).await;
    let text = config("x", "1", "");
    fleet.commit(&[("dirs/a/x.yaml", &text), ("web/x.yaml", &text)]);
    let read =
        json!({"repoURL": fleet.repo(), "revision": "main", "directories": [{"path": "dirs/*"}]});
    let always = json!({"elements": [{"path": {"basename": "z"}}]});
    let generators = json!([{ "git": read }, { "list": always }]);
    let app = "{{.path.basename}}";
    let dirs = set("dirs", true, &generators, app, "web", &fleet);
    fleet.apply(dirs.clone()).await;
    until_names(&fleet, &["a", "z"]).await;
    until_clean(&fleet, "dirs").await;
    git(&fleet, &["checkout", "--quiet", "-b", "feature"]);
    fleet.commit(&[("dirs/a/x.yaml", "")]);
    git(&fleet, &["checkout", "--quiet", "main"]);

    let folder = tempfile::tempdir().unwrap();
    let file = written(folder.path(), "dirs.json", &dirs);
    let hub = fleet.hub_kubeconfig().await;
    let before = diff(hub.path(), &file, &["--head", "feature"], "json").await;
    let before = before.json()["approvalNeeded"].clone();
    assert_eq!(before["emptied"], json!(["spec.generators[0].git"]));
    let table = diff(hub.path(), &file, &["--head", "feature"], "table").await;
    let because = "because nothing comes of spec.generators[0].git any more";
    assert!(table.text.contains(because), "{table:?}");
    let same = diff(hub.path(), &file, &[], "json").await.json();
    assert_eq!(same["approvalNeeded"], json!(null));

    git(&fleet, &["merge", "--quiet", "feature"]);
    fleet.push();
    let message = until_condition(&fleet, "dirs", APPROVAL_NEEDED).await;
    let now = diff(hub.path(), &file, &[], "json").await.json();
    assert_eq!(now["approvalNeeded"], before);
    assert_eq!(before["plan"], json!(hash(&message)));
}

/// Cluster Secrets as kubectl prints them: names and environments.
fn clusters(fleet: &Fleet, clusters: &[(&str, &str)]) -> Value {
    let secret = |&(name, env): &(&str, &str)| {
        let server = if name == "dev" {
            fleet.server("dev")
        } else {
            format!("https://{name}.example.com")
        };
        json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": format!("cluster-{name}"), "labels": {
                "argocd.argoproj.io/secret-type": "cluster", "env": env}},
            "stringData": {"name": name, "server": server},
        })
    };
    let items: Vec<_> = clusters.iter().map(secret).collect();
    json!({"apiVersion": "v1", "kind": "List", "items": items})
}

#[tokio::test(flavor = "multi_thread")]
async fn other_clusters_are_supposed_on_the_hub_and_from_files() {
    let fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[("web/a.yaml", &config("a", "1", ""))]);
    let any = json!([{"key": "env", "operator": "Exists"}]);
    let generators = json!([{"clusters": {"selector": {"matchExpressions": any}}}]);
    let mut web = set("web", true, &generators, "web-{{.name}}", "web", &fleet);
    web["spec"]["template"]["metadata"]["labels"] = json!({"env": "{{.metadata.labels.env}}"});
    web["spec"]["template"]["spec"]["destination"]["name"] = json!("{{.name}}");
    fleet.apply(web.clone()).await;
    until_names(&fleet, &["web-dev"]).await;
    until_clean(&fleet, "web").await;

    let folder = tempfile::tempdir().unwrap();
    let file = written(folder.path(), "web.json", &web);
    let secrets = |name: &str, all: &[(&str, &str)]| {
        let path = written(folder.path(), name, &clusters(&fleet, all));
        path.to_str().unwrap().to_owned()
    };
    let old = secrets("old.json", &[("dev", "dev")]);
    let new = secrets("new.json", &[("dev", "test"), ("prod", "prod")]);
    let gone = secrets("gone.json", &[("prod", "prod")]);
    let hub = fleet.hub_kubeconfig().await;
    let none = folder.path().join("no-kubeconfig");

    // The hub's own cluster is the old one, so that all these questions are the same.
    let supposed = ["--cluster-secrets", &new];
    let both = [&supposed[..], &["--base-cluster-secrets", &old]].concat();
    let offline = [&both[..], &["--offline"]].concat();
    let questions = [
        (hub.path(), &supposed[..]),
        (hub.path(), &both),
        (&none, &offline),
    ];
    for (kubeconfig, more) in questions {
        let answer = diff(kubeconfig, &file, more, "json").await;
        assert_eq!(answer.code, 2, "{answer:?}");
        let told = answer.json();
        assert_eq!(names(&told["create"]), ["web-prod"], "{told:#}");
        let label = json!({"path": "metadata.labels.env", "before": "dev", "after": "test"});
        assert_eq!(
            told["update"],
            json!([{"name": "web-dev", "fields": [label]}])
        );
        assert_eq!(told["delete"], json!([]));
    }
    let same = ["--cluster-secrets", &old];
    let answer = diff(hub.path(), &file, &same, "table").await;
    assert_eq!((answer.code, answer.text.trim()), (0, "web: 1 unchanged"));

    // With its cluster an Application goes, and leaves behind what nobody can reach.
    let without = ["--cluster-secrets", &gone];
    let told = diff(hub.path(), &file, &without, "json").await.json();
    let removal = json!([{"name": "web-dev", "deletesResources": false}]);
    assert_eq!(told["delete"], removal);
    let set = file.to_str().unwrap();
    let generate = [
        "appset",
        "generate",
        set,
        "--cluster-secrets",
        &gone,
        "-o",
        "json",
    ];
    let generated = argosy(hub.path(), &generate).await.json();
    assert_eq!(generated[0]["metadata"]["name"], "web-prod");
    assert_eq!(generated.as_array().unwrap().len(), 1);
}

/// The Applications of the hub, as kubectl prints them.
async fn live(fleet: &Fleet, folder: &Path) -> PathBuf {
    let all = fleet.applications().list(&ListParams::default()).await;
    let items: Vec<Application> = all.unwrap().items;
    written(
        folder,
        "live.json",
        &json!({"apiVersion": "v1", "kind": "List", "items": items}),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn live_applications_from_a_file_are_compared_without_a_hub() {
    let fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[("web/a.yaml", &config("a", "1", ""))]);
    let all = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let tools = |apps: &[&str], path: &str, policy: &str| {
        let mut set = set("tools", true, &list(apps), "{{.app}}", path, &fleet);
        set["spec"]["syncPolicy"] = json!({"applicationsSync": policy});
        set
    };
    fleet.apply(tools(&all, "web", "sync")).await;
    until_names(&fleet, &all).await;
    until_clean(&fleet, "tools").await;
    fleet.nothing_is_written().await;

    let folder = tempfile::tempdir().unwrap();
    let live = live(&fleet, folder.path()).await;
    let live = live.to_str().unwrap();
    let none = folder.path().join("no-kubeconfig");
    let ask = async |set: Value, form: &str| {
        let file = written(folder.path(), "tools.json", &set);
        diff(&none, &file, &["--offline", "--live", live], form).await
    };
    let same = ask(tools(&all, "web", "sync"), "table").await;
    assert_eq!((same.code, same.text.trim()), (0, "tools: 8 unchanged"));

    let moved = ask(tools(&all[..7], "two", "sync"), "table").await;
    assert_eq!(moved.code, 2, "{moved:?}");
    let lines: Vec<_> = moved.text.lines().collect();
    assert_eq!(
        lines[1],
        "update  a            spec.source.path  web     two"
    );
    assert!(
        lines.contains(&"tools: 7 to update, 1 to delete"),
        "{moved:?}"
    );
    let markdown = ask(tools(&all[..7], "two", "sync"), "markdown").await;
    let change = "```diff\n  spec.source.path\n-web\n+two\n```";
    assert!(markdown.text.contains(change), "{markdown:?}");

    let lost = ask(tools(&[], "web", "sync"), "json").await;
    assert_eq!(lost.code, 2, "{lost:?}");
    let parked = &lost.json()["approvalNeeded"];
    assert_eq!(
        (
            &parked["owned"],
            parked["deletes"].as_array().unwrap().len()
        ),
        (&json!(8), 8)
    );
    let lost = ask(tools(&[], "web", "sync"), "table").await;
    let guard = "the guard would park this until somebody approves it: of 8 Applications 8 would be deleted";
    assert!(lost.text.contains(guard), "{lost:?}");

    let kept = ask(tools(&all[..7], "two", "create-only"), "table").await;
    assert_eq!(kept.code, 0, "{kept:?}");
    let why = "h would be deleted, but the policy create-only does not allow it";
    assert!(kept.text.contains(why), "{kept:?}");
}
