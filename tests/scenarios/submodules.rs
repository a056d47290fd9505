//! Applications whose repository has submodules.

use std::path::Path;
use std::process::Command;

use argosy_test_support::WorkTree;
use argosy_test_support::manifest::{automated, config};
use serde_json::json;

use crate::compare::refresh;
use crate::fleet::Fleet;
use crate::git_server::GitServer;

const MODULES: &str = "[submodule \"lib\"]\n\tpath = web/lib\n\turl = ../../lib/.git\n";

fn git(folder: &Path, arguments: &[&str]) {
    let mut command = Command::new("git");
    command.args(["-c", "user.name=Ada", "-c", "user.email=ada@example.com"]);
    let output = command.args(arguments).current_dir(folder).output();
    let output = output.unwrap();
    assert!(output.status.success(), "{output:?}");
}

/// Commits that the submodule stands at a commit.
fn stand_at(fleet: &Fleet, commit: &str) {
    let folder = fleet.repository();
    let module = format!("160000,{commit},web/lib");
    git(folder, &["update-index", "--add", "--cacheinfo", &module]);
    git(
        folder,
        &["commit", "--quiet", "--no-gpg-sign", "--message=change"],
    );
}

async fn is_live(fleet: &Fleet, name: &str, value: &str) -> bool {
    let live = fleet
        .live("dev", "v1", "ConfigMap", &format!("web/{name}"))
        .await;
    live.is_some_and(|live| live["data"]["a"] == value)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_files_of_a_submodule_belong_to_the_application_and_nothing_goes_while_it_is_away() {
    let fleet = Fleet::start(&["dev"]).await;
    let beside = fleet.repository().parent().unwrap();
    let lib = WorkTree::create(beside.join("lib"));
    let first = lib.commit(&[("b.yaml", &config("b", "1", ""))]);
    fleet.commit(&[
        ("web/a.yaml", &config("a", "1", "")),
        (".gitmodules", MODULES),
    ]);
    stand_at(&fleet, &first);
    let server = GitServer::serve(fleet.repository()).await;
    let mut app = automated("web", server.url(), "web", &fleet.server("dev"));
    app["spec"]["source"]["directory"] = json!({"recurse": true});
    fleet.apply(app).await;
    fleet.until_well("web").await;
    assert!(is_live(&fleet, "a", "1").await && is_live(&fleet, "b", "1").await);

    let second = lib.commit(&[("b.yaml", &config("b", "2", ""))]);
    std::fs::rename(lib.path(), beside.join("away")).unwrap();
    stand_at(&fleet, &second);
    refresh(&fleet, "web").await;
    let why = fleet.until_condition("web", "ComparisonError").await;
    assert!(
        why.contains("web/lib") && why.contains("/lib/.git"),
        "{why}"
    );
    assert!(
        is_live(&fleet, "b", "1").await,
        "what cannot be read is not gone"
    );

    // Switched off, the application is what its own repository holds.
    let off = json!({"reposerver.enable.git.submodule": "false"});
    fleet.configure("argocd-cmd-params-cm", off).await;
    fleet
        .eventually("the submodule's object is pruned", async || {
            refresh(&fleet, "web").await;
            fleet
                .live("dev", "v1", "ConfigMap", "web/b")
                .await
                .is_none()
        })
        .await;
    assert!(is_live(&fleet, "a", "1").await);

    std::fs::rename(beside.join("away"), lib.path()).unwrap();
    let third = lib.commit(&[("b.yaml", &config("b", "3", ""))]);
    stand_at(&fleet, &third);
    let on = json!({"reposerver.enable.git.submodule": "true"});
    fleet.configure("argocd-cmd-params-cm", on).await;
    fleet
        .eventually("the submodule's object is back", async || {
            refresh(&fleet, "web").await;
            is_live(&fleet, "b", "3").await
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_sees_the_directories_of_a_submodule() {
    let fleet = Fleet::start(&["dev"]).await;
    let beside = fleet.repository().parent().unwrap();
    let lib = WorkTree::create(beside.join("lib"));
    let commit = lib.commit(&[
        ("one/a.yaml", &config("a", "1", "")),
        ("two/a.yaml", &config("a", "2", "")),
    ]);
    fleet.commit(&[(".gitmodules", MODULES)]);
    stand_at(&fleet, &commit);
    let server = GitServer::serve(fleet.repository()).await;
    let mut template = automated(
        "{{path.basename}}",
        server.url(),
        "{{path}}",
        &fleet.server("dev"),
    );
    template.as_object_mut().unwrap().remove("apiVersion");
    template.as_object_mut().unwrap().remove("kind");
    let directories = json!([{"path": "web/lib/*"}]);
    fleet
        .apply(json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "ApplicationSet", "metadata": {"name": "set"},
            "spec": {
                "generators": [{"git": {"repoURL": server.url(), "revision": "main", "directories": directories}}],
                "template": template,
            },
        }))
        .await;
    for name in ["one", "two"] {
        fleet.until_well(name).await;
    }
}
