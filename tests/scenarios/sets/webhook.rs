//! A push wakes exactly the sets that read what it changed.

use argosy_test_support::manifest::config;
use serde_json::json;

use super::{set, until_clean, until_names};
use crate::fleet::Fleet;

#[tokio::test(flavor = "multi_thread")]
async fn a_push_wakes_only_sets_that_read_what_changed() {
    let fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[
        ("dirs/a/x.yaml", &config("x", "1", "")),
        ("files/one.json", r#"{"app": "one"}"#),
    ]);
    let url = fleet.repo();
    let git = |more: serde_json::Value| {
        let mut git = json!({"repoURL": url, "revision": "main"});
        git.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        json!([{"git": git}])
    };
    let dirs =
        git(json!({"directories": [{"path": "dirs/*"}, {"path": "dirs/old", "exclude": true}]}));
    let files = git(json!({"files": [{"path": "files/*.json"}]}));
    // The applications read another repository, so that a push wakes no set by way of them.
    let apply = async |name: &str, generators, app: &str| {
        let mut set = set(name, true, generators, app, "web", &fleet);
        set["spec"]["template"]["spec"]["source"]["repoURL"] = json!("file:///nowhere");
        fleet.apply(set).await;
    };
    apply("dirs", &dirs, "d-{{.path.basename}}").await;
    apply("files", &files, "f-{{.app}}").await;
    until_names(&fleet, &["d-a", "f-one"]).await;
    until_clean(&fleet, "dirs").await;
    until_clean(&fleet, "files").await;
    for app in ["d-a", "f-one"] {
        fleet.until_condition(app, "ComparisonError").await;
    }
    fleet.nothing_is_written().await;

    // Both sets would find something new, but only one reads what is told.
    fleet.commit(&[
        ("dirs/b/x.yaml", &config("x", "1", "")),
        ("dirs/old/x.yaml", &config("x", "1", "")),
        ("files/two.json", r#"{"app": "two"}"#),
    ]);
    // Paths that nobody looks at, one that is left out, and a branch that nobody reads.
    fleet.push_of(&["docs/readme.md", "dirs/readme.md"]);
    fleet.push_of(&["dirs/old/x.yaml"]);
    fleet.push_to("feature", &["dirs/b/x.yaml"]);
    fleet.push_of(&["files/two.json"]);
    until_names(&fleet, &["d-a", "f-one", "f-two"]).await;

    fleet.commit(&[("files/three.json", r#"{"app": "three"}"#)]);
    fleet.push_of(&["dirs/b/x.yaml"]);
    until_names(&fleet, &["d-a", "d-b", "f-one", "f-two"]).await;
    fleet.commit(&[("dirs/c/x.yaml", &config("x", "1", ""))]);
    fleet.push_of(&["dirs/c/x.yaml"]);
    until_names(&fleet, &["d-a", "d-b", "d-c", "f-one", "f-two"]).await;

    fleet.push_of(&["files/three.json"]);
    let all = ["d-a", "d-b", "d-c", "f-one", "f-three", "f-two"];
    until_names(&fleet, &all).await;
}
