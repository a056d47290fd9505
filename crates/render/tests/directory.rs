//! Directories of manifests and Jsonnet, rendered from memory.

#![expect(
    clippy::unwrap_used,
    clippy::unwrap_in_result,
    reason = "a test's own inputs are well-formed"
)]

use std::sync::Arc;

use argosy_crds::ApplicationSource;
use argosy_render::{
    BuildFacts, Environment, MemoryTree, Render, RenderError, Request, SourceType, Tools, render,
};
use serde_json::json;

fn run(tree: MemoryTree, source: serde_json::Value) -> Result<Render, RenderError> {
    let source: ApplicationSource = serde_json::from_value(source).unwrap();
    let environment = Environment::standard(&BuildFacts {
        app_name: "web",
        namespace: "shop",
        ..BuildFacts::default()
    });
    let request = Request::new(&source, "web", &environment);
    render(Arc::new(tree), &request, &Tools::default())
}

fn manifest(name: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\n")
}

#[track_caller]
fn check(tree: MemoryTree, source: serde_json::Value, names: &[&str]) {
    let render = run(tree, source).unwrap();
    let found: Vec<_> = render
        .manifests
        .iter()
        .map(|object| object["metadata"]["name"].as_str().unwrap_or_default())
        .collect();
    assert_eq!(found, names);
}

#[track_caller]
fn refused(tree: MemoryTree, source: serde_json::Value, text: &str) {
    let error = run(tree, source).unwrap_err().to_string();
    assert!(error.contains(text), "{error}");
}

fn some_files() -> MemoryTree {
    MemoryTree::default()
        .file("app/a.yaml", manifest("a"))
        .file("app/b.txt", manifest("b"))
        .file("app/sub/c.yml", manifest("c"))
        .file("app/skipped.yaml", "# +argocd:skip-file-rendering\n[")
        .file("app/values.yaml", "key: [unfinished\n")
        .file("app/z.json", r#"{"kind": "X", "metadata": {"name": "z"}}"#)
}

#[test]
fn files_are_chosen_as_argo_cd_chooses_them() {
    let path = |directory| json!({"path": "app", "directory": directory});
    check(some_files(), json!({"path": "app"}), &["a", "z"]);
    check(
        some_files(),
        path(json!({"recurse": true})),
        &["a", "c", "z"],
    );
    check(
        some_files(),
        path(json!({"recurse": true, "exclude": "sub/*"})),
        &["a", "z"],
    );
    check(some_files(), path(json!({"include": "*.json"})), &["z"]);
    check(
        some_files(),
        path(json!({"disableExtensionFilter": true})),
        &["a", "b", "z"],
    );
}

#[test]
fn paths_that_are_none_are_named() {
    refused(
        some_files(),
        json!({"path": "/app"}),
        "/app: app path is absolute",
    );
    refused(
        some_files(),
        json!({"path": "../x"}),
        "app path outside root",
    );
    refused(
        some_files(),
        json!({"path": "nope"}),
        "nope: app path does not exist",
    );
    refused(
        some_files(),
        json!({"path": "app/a.yaml"}),
        "app path is not a directory",
    );
}

#[test]
fn a_bad_manifest_is_an_error_and_a_stray_file_is_not() {
    let bad =
        MemoryTree::default().file("bad.yaml", "apiVersion: v1\nkind: X\nmetadata: {name: [}\n");
    refused(bad, json!({}), "failed to unmarshal \"bad.yaml\": line 3");
    let half = MemoryTree::default().file("half.yaml", format!("{}---\na: [\n", manifest("a")));
    refused(half, json!({}), "half.yaml");
    let two = MemoryTree::default().file("x.json", "{\"kind\": \"A\"} {\"kind\": \"B\"}");
    refused(two, json!({}), "found multiple objects in \"x.json\"");
}

/// CVE-2020-1747, CVE-2020-14343: a tag of another language's reader makes nothing but data, as for
/// Kubernetes, and data alone is no manifest.
#[test]
fn tags_of_other_languages_make_no_object() {
    for document in [
        "!!python/object/apply:os.system ['touch pwned']",
        "!!python/object/new:os.system ['touch pwned']",
        "!!js/function 'function () { return 1 }'",
        "!!python/object/apply:os.system {args: ['touch pwned']}",
        "!ruby/object:Gem::Installer {i: x}",
    ] {
        let tree = MemoryTree::default().file("x.yaml", document);
        let rendered = run(tree, json!({}));
        let found = rendered.map(|render| render.manifests).unwrap_or_default();
        assert_eq!(found.len(), 0, "{document}");
    }
    let text = format!("{}data: !!python/name:os.system x\n", manifest("a"));
    let render = run(MemoryTree::default().file("x.yaml", text), json!({})).unwrap();
    assert_eq!(render.manifests[0]["data"], "x");
}

#[test]
fn lists_are_taken_apart() {
    let list = "kind: List\nitems:\n- {kind: A, metadata: {name: a}}\n- {kind: B, metadata: {name: b}}\n---\nkind: List\nitems:\n";
    check(
        MemoryTree::default().file("l.yaml", list),
        json!({}),
        &["a", "b"],
    );
}

/// CVE-2022-24904.
#[test]
fn links_may_lead_to_files_inside_the_repository_only() {
    let tree = some_files()
        .file("base/d.yaml", manifest("d"))
        .link("app/d.yaml", "../base/d.yaml")
        .link("app/gone.yaml", "nothing.yaml");
    let render = run(tree.clone(), json!({"path": "app"})).unwrap();
    assert_eq!(render.manifests.len(), 3);
    assert_eq!(
        render.warnings,
        ["destination of symlink \"gone.yaml\" is missing"]
    );
    for target in ["../../etc/passwd.yaml", "/etc/passwd.yaml", "sub/up/x.yaml"] {
        refused(
            tree.clone()
                .link("app/out.yaml", target)
                .link("app/sub/up", "../../.."),
            json!({"path": "app"}),
            "leaves the repository",
        );
    }
}

/// CVE-2022-31016.
#[test]
fn the_size_of_all_manifests_is_limited() {
    let source: ApplicationSource = serde_json::from_value(json!({"path": "app"})).unwrap();
    let environment = Environment::default();
    let mut request = Request::new(&source, "web", &environment);
    request.max_combined_size = 60;
    let error = render(Arc::new(some_files()), &request, &Tools::default()).unwrap_err();
    assert!(matches!(error, RenderError::TooLarge { .. }), "{error}");
}

#[test]
fn overrides_beside_the_files_change_how_and_not_what() {
    let tree = some_files()
        .file(
            "app/.argocd-source.yaml",
            "path: elsewhere\ndirectory: {recurse: true}\n",
        )
        .file(
            "app/.argocd-source-web.yaml",
            "directory: {include: 'sub/*'}\n",
        );
    check(tree, json!({"path": "app"}), &["c"]);
}

#[test]
fn a_chart_without_helm_says_what_to_install() {
    let chart = MemoryTree::default().file("Chart.yaml", "name: x\n");
    refused(chart.clone(), json!({}), "install helm");
    check(chart, json!({"directory": {}}), &[]);
}

#[test]
fn jsonnet_reads_variables_arguments_and_libraries() {
    let tree = MemoryTree::default()
        .file(
            "lib/u.libsonnet",
            "{cm(n):: {kind: 'ConfigMap', metadata: {name: n}}}",
        )
        .file(
            "app/m.jsonnet",
            "local u = import 'u.libsonnet'; local never = import '../../../etc/x';\n\
             function(n) [u.cm(std.extVar('app')), u.cm('x%d' % n), null]",
        );
    let source = json!({"path": "app", "directory": {"jsonnet": {
        "libs": ["lib"],
        "extVars": [{"name": "app", "value": "$ARGOCD_APP_NAME"}],
        "tlas": [{"name": "n", "value": "3 + 4", "code": true}],
    }}});
    check(tree.clone(), source.clone(), &["web", "x7"]);
    let render = run(tree.clone(), source).unwrap();
    assert_eq!(render.source_type, SourceType::Directory);
    let changed = tree.file(
        "lib/u.libsonnet",
        "{cm(n):: {kind: 'A', metadata: {name: n}}}",
    );
    assert!(!render.reads.hold_in(&changed).unwrap());
}

/// CVE-2026-113672.
#[test]
fn jsonnet_cannot_leave_the_tree_and_its_errors_name_the_file() {
    let program = |code: &str| MemoryTree::default().file("m.jsonnet", code);
    refused(program("error 'boom'"), json!({}), "boom");
    refused(program("{}"), json!({}), "Object 'Kind' is missing in '{}'");
    for path in ["/etc/hostname", "../../etc/hostname"] {
        refused(
            program(&format!("{{a: importstr '{path}'}}")),
            json!({}),
            path,
        );
    }
    let linked = program("{a: importstr 'out'}").link("out", "../etc/hostname");
    refused(linked, json!({}), "leaves the repository");
    let libraries = json!({"directory": {"jsonnet": {"libs": ["../etc"]}}});
    refused(program("{a: importstr 'hostname'}"), libraries, "../etc");
    refused(
        program("local f(x) = f(x) + 1; f(1)"),
        json!({}),
        "m.jsonnet",
    );
}
