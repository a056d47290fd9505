//! Charts and kustomizations, rendered by the real programs and by the worker.
//!
//! `cargo xtask test` says where they are in `ARGOSY_HELM`, `ARGOSY_KUSTOMIZE` and
//! `ARGOSY_RENDER_WORKER`.

#![expect(
    clippy::unwrap_used,
    clippy::unwrap_in_result,
    clippy::panic,
    clippy::needless_pass_by_value,
    reason = "a test's own inputs are well-formed, and made where they are passed"
)]

mod cases;
mod confined;
mod helm;
mod kustomize;

use std::{
    path::PathBuf,
    sync::{Arc, OnceLock},
};

use argosy_crds::ApplicationSource;
use argosy_render::{
    BuildFacts, Environment, KustomizeVersion, MemoryTree, Refs, Render, RenderError, Request,
    Tools, Tree, render,
};
use serde_json::Value;

/// The folder of the program that the environment names.
fn folder(variable: &str) -> PathBuf {
    let path = std::env::var_os(variable).map(PathBuf::from);
    let path = path.unwrap_or_else(|| {
        panic!("{variable} must name the program; `cargo xtask tools` builds it")
    });
    path.parent().unwrap().to_owned()
}

/// The tools as plain programs, and as a worker.
fn tools() -> &'static [Tools] {
    static TOOLS: OnceLock<Vec<Tools>> = OnceLock::new();
    TOOLS.get_or_init(|| {
        let programs = [folder("ARGOSY_HELM"), folder("ARGOSY_KUSTOMIZE")];
        let worker = [folder("ARGOSY_RENDER_WORKER"), folder("ARGOSY_HELM")];
        [programs, worker]
            .map(|folders| {
                let tools = Tools::on_path(&std::env::join_paths(folders).unwrap());
                assert!(tools.helm.is_some() && tools.kustomize.is_some());
                tools
            })
            .into()
    })
}

/// What to render besides the files.
#[derive(Default)]
struct Options<'a> {
    refs: Option<&'a Refs>,
    kustomize_settings: &'a str,
    kustomize_versions: Option<&'a [KustomizeVersion]>,
}

/// Renders by every way there is, in the order of [`tools`].
fn every_way(
    tree: MemoryTree,
    source: Value,
    options: &Options<'_>,
) -> Vec<Result<Render, RenderError>> {
    let source: ApplicationSource = serde_json::from_value(source).unwrap();
    let environment = Environment::standard(&BuildFacts {
        app_name: "web",
        namespace: "shop",
        revision: "0123456789abcdef0123456789abcdef01234567",
        ..BuildFacts::default()
    });
    let request = Request {
        namespace: "shop",
        kube_version: "v1.31.2-gke.1",
        refs: options.refs,
        kustomize_build_options: options.kustomize_settings,
        kustomize_versions: options.kustomize_versions,
        ..Request::new(&source, "web", &environment)
    };
    let tree: Arc<dyn Tree> = Arc::new(tree);
    let ways = tools().iter();
    ways.map(|tools| render(Arc::clone(&tree), &request, tools))
        .collect()
}

/// What comes out, which is the same by every way.
#[track_caller]
fn run(tree: MemoryTree, source: Value, options: &Options<'_>) -> Render {
    let renders = every_way(tree, source, options).into_iter();
    let mut renders = renders.map(|render| render.unwrap_or_else(|error| panic!("{error}")));
    let first = renders.next().unwrap();
    for other in renders {
        assert_eq!(first.manifests, other.manifests);
        assert_eq!(first.reads, other.reads);
    }
    first
}

/// The `data` of the one `ConfigMap` that comes out.
#[track_caller]
fn data(tree: MemoryTree, source: Value, options: &Options<'_>) -> Value {
    let render = run(tree, source, options);
    let mut maps = render
        .manifests
        .iter()
        .filter(|object| object["kind"] == "ConfigMap");
    let data = maps.next().unwrap()["data"].clone();
    assert!(maps.next().is_none(), "more than one ConfigMap came out");
    data
}

/// The complaints of every way, in the order of [`tools`].
#[track_caller]
fn complaints(tree: MemoryTree, source: Value, options: &Options<'_>, text: &str) -> Vec<String> {
    let renders = every_way(tree, source, options).into_iter();
    let errors = renders.map(|render| render.unwrap_err().to_string());
    let checked = errors.inspect(|error| {
        assert!(error.contains(text), "{error}");
        assert!(!error.contains("/tmp/"), "shows the workspace: {error}");
    });
    checked.collect()
}

/// Every way complains of the same.
#[track_caller]
fn refused(tree: MemoryTree, source: Value, options: &Options<'_>, text: &str) {
    let complaints = complaints(tree, source, options, text);
    assert!(
        complaints.iter().all(|one| *one == complaints[0]),
        "{complaints:#?}"
    );
}
