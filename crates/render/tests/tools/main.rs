//! Charts and kustomizations, rendered by the real programs.
//!
//! `cargo xtask test` says where they are in `ARGOSY_HELM` and `ARGOSY_KUSTOMIZE`.

#![expect(
    clippy::unwrap_used,
    clippy::unwrap_in_result,
    clippy::panic,
    clippy::needless_pass_by_value,
    reason = "a test's own inputs are well-formed, and made where they are passed"
)]

mod cases;
mod helm;
mod kustomize;

use std::{path::PathBuf, sync::Arc};

use argosy_crds::ApplicationSource;
use argosy_render::{
    BuildFacts, Environment, MemoryTree, Refs, Render, RenderError, Request, Tools, render,
};
use serde_json::Value;

/// The tools that the environment names.
fn tools() -> Tools {
    let folders = ["HELM", "KUSTOMIZE"].map(|name| {
        let variable = format!("ARGOSY_{name}");
        let path = std::env::var_os(&variable).map(PathBuf::from);
        let path = path.unwrap_or_else(|| {
            panic!("{variable} must name the program; `cargo xtask tools` builds it")
        });
        path.parent().unwrap().to_owned()
    });
    let tools = Tools::on_path(&std::env::join_paths(folders).unwrap());
    assert!(tools.helm.is_some() && tools.kustomize.is_some());
    tools
}

/// What to render besides the files.
#[derive(Default)]
struct Options<'a> {
    refs: Option<&'a Refs>,
    kustomize_build_options: &'a str,
}

fn run(tree: MemoryTree, source: Value, options: &Options<'_>) -> Result<Render, RenderError> {
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
        kustomize_build_options: options.kustomize_build_options,
        ..Request::new(&source, "web", &environment)
    };
    render(Arc::new(tree), &request, &tools())
}

/// The `data` of the one `ConfigMap` that comes out.
#[track_caller]
fn data(tree: MemoryTree, source: Value, options: &Options<'_>) -> Value {
    let render = run(tree, source, options).unwrap();
    let mut maps = render
        .manifests
        .iter()
        .filter(|object| object["kind"] == "ConfigMap");
    let data = maps.next().unwrap()["data"].clone();
    assert!(maps.next().is_none(), "more than one ConfigMap came out");
    data
}

#[track_caller]
fn refused(tree: MemoryTree, source: Value, options: &Options<'_>, text: &str) {
    let error = run(tree, source, options).unwrap_err().to_string();
    assert!(error.contains(text), "{error}");
    assert!(!error.contains("/tmp/"), "shows the workspace: {error}");
}
