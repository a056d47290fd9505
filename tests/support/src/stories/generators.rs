//! Every generator makes applications, and they follow what it reads.

use serde_json::{Value, json};

use super::World;
use super::sets::{list, set, until_clean, until_generated};
use crate::manifest::config;
use crate::wait;

const SETS: [&str; 6] = ["list", "dirs", "files", "clusters", "matrix", "merge"];

/// The sets by name: their generators, and the names of their applications in the two modes.
fn generators(world: &impl World) -> [(&'static str, Value, &'static str, &'static str); 6] {
    let git = |key: &str, path: &str| {
        let mut git = json!({"repoURL": world.tree().url(), "revision": "main"});
        git[key] = json!([{"path": path}]);
        json!([{"git": git}])
    };
    let clusters = json!([{"clusters": {"selector": {"matchLabels": {"env": "dev"}}}}]);
    let of = |name: &str| list(&[name])[0].clone();
    let matrix = json!([{"matrix": {"generators": [of("m"), clusters[0]]}}]);
    let merge = json!([{"merge": {"mergeKeys": ["app"], "generators": [of("g"), of("g")]}}]);
    [
        ("list", list(&["a", "b"]), "l-{{app}}", "l-{{.app}}"),
        (
            "dirs",
            git("directories", "dirs/*"),
            "d-{{path.basename}}",
            "d-{{.path.basename}}",
        ),
        (
            "files",
            git("files", "files/*.json"),
            "f-{{app}}",
            "f-{{.app}}",
        ),
        ("clusters", clusters, "c-{{name}}", "c-{{.name}}"),
        (
            "matrix",
            matrix,
            "x-{{app}}-{{name}}",
            "x-{{.app}}-{{.name}}",
        ),
        ("merge", merge, "y-{{app}}", "y-{{.app}}"),
    ]
}

/// What is generated is created, updated and deleted as lists, git and the clusters say.
pub async fn every_generator_creates_updates_and_deletes_in_both_template_modes(
    world: &impl World,
) {
    let tree = world.tree();
    tree.commit(&[
        ("dirs/a/x.yaml", &config("x", "1", "")),
        ("dirs/b/x.yaml", &config("x", "1", "")),
        ("files/one.json", r#"{"app": "one"}"#),
    ]);
    world.push();
    for go in [false, true] {
        let mut listed = json!(null);
        for (name, generators, fast_app, go_app) in generators(world) {
            let app = if go { go_app } else { fast_app };
            let set = set(name, go, &generators, app, "dirs/a", world);
            if name == "list" {
                listed = set.clone();
            }
            world.apply(set).await;
        }
        let until = async |more: &[&str]| {
            let fixed = ["c-dev", "d-a", "f-one", "l-a", "x-m-dev", "y-g"];
            until_generated(world, &SETS, &[&fixed[..], more].concat()).await;
        };
        until(&["d-b", "l-b"]).await;
        for set in SETS {
            until_clean(world, set).await;
        }
        world.nothing_is_written().await;

        listed["spec"]["generators"] = list(&["a", "c"]);
        listed["spec"]["template"]["spec"]["source"]["path"] = json!("dirs/b");
        world.apply(listed).await;
        until(&["d-b", "l-c"]).await;
        let follows = |app: &argosy_crds::Application| app.spec.sources()[0].path == "dirs/b";
        let applications = world.applications();
        wait::until(&applications, "l-a", "following its template", follows).await;
        tree.commit(&[
            ("dirs/b/x.yaml", ""),
            ("files/two.json", r#"{"app": "two"}"#),
        ]);
        world.push();
        until(&["f-two", "l-c"]).await;
        tree.commit(&[
            ("dirs/b/x.yaml", &config("x", "1", "")),
            ("files/two.json", ""),
        ]);
        world.push();
        until(&["d-b", "l-c"]).await;
    }
}
