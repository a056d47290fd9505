//! Sources against the manifests that Argo CD renders from them.

use std::{collections::BTreeMap, sync::Arc};

use argosy_crds::Application;
use argosy_render::{
    BuildFacts, Environment, MemoryTree, Refs, RenderError, Request, Tools, render,
};
use serde_json::Value;

fn cases() -> Vec<Value> {
    let folder = std::env::var("ARGOSY_CASES")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/cases").to_owned());
    let mut cases = Vec::new();
    for file in std::fs::read_dir(format!("{folder}/manifests")).unwrap() {
        let path = file.unwrap().path();
        if path
            .extension()
            .is_some_and(|extension| extension == "jsonl")
        {
            let text = std::fs::read_to_string(path).unwrap();
            cases.extend(text.lines().map(|line| serde_json::from_str(line).unwrap()));
        }
    }
    cases
}

fn tree(files: &Value) -> MemoryTree {
    let files = files.as_object().into_iter().flatten();
    files.fold(MemoryTree::default(), |tree, (path, content)| {
        let content = content.as_str().unwrap();
        match content.strip_prefix("symlink:") {
            Some(target) => tree.link(path, target),
            None => tree.file(path, content),
        }
    })
}

/// The trees of the sources with a `ref`; `None` for an application with one source.
fn refs(application: &Application, input: &Value) -> Option<Refs> {
    let sources = application.spec.sources();
    let named = sources.iter().filter(|source| !source.ref_name.is_empty());
    (!application.spec.sources.is_empty()).then(|| {
        named.fold(Refs::default(), |refs, source| {
            let tree = tree(&input["refs"][&source.repo_url]);
            refs.with(&source.ref_name, Arc::new(tree))
        })
    })
}

/// Type and objects, in any order and without tracking marks, which are not rendering's part.
fn answer(input: &Value, tools: &Tools) -> Result<(String, BTreeMap<String, u32>), RenderError> {
    let application = argosy_yaml::from_str(input["application"].as_str().unwrap()).unwrap();
    let application: Application = serde_json::from_value(application).unwrap();
    let sources = application.spec.sources();
    let source = sources.iter().find(|source| source.ref_name.is_empty());
    let source = source.unwrap_or(&sources[0]);
    let namespace = &application.spec.destination.namespace;
    let metadata = &application.metadata;
    let name = metadata.name.as_deref().unwrap();
    let name = match metadata.namespace.as_deref() {
        Some("argocd") | None => name.to_owned(),
        Some(other) => format!("{other}_{name}"),
    };
    let text =
        |field: &str, default: &'static str| input[field].as_str().unwrap_or(default).to_owned();
    let environment = Environment::standard(&BuildFacts {
        app_name: &name,
        namespace,
        project: application.spec.project_or_default(),
        revision: &text("revision", "0123456789abcdef0123456789abcdef01234567"),
        repo_url: &source.repo_url,
        path: &source.path,
        target_revision: &source.target_revision,
    });
    let versions = input["apiVersions"].as_array().into_iter().flatten();
    let versions: Vec<_> = versions
        .map(|one| one.as_str().unwrap().to_owned())
        .collect();
    let refs = refs(&application, input);
    let request = Request {
        namespace,
        kube_version: &text("kubeVersion", "1.31.0"),
        api_versions: &versions,
        kustomize_build_options: &text("kustomizeBuildOptions", ""),
        refs: refs.as_ref(),
        ..Request::new(source, &name, &environment)
    };
    let render = render(Arc::new(tree(&input["files"])), &request, tools)?;
    let kind = render.source_type.as_str().to_owned();
    Ok((kind, counted(render.manifests)))
}

fn counted(manifests: Vec<Value>) -> BTreeMap<String, u32> {
    let mut counts = BTreeMap::new();
    for manifest in manifests {
        *counts.entry(unmarked(manifest).to_string()).or_default() += 1;
    }
    counts
}

fn unmarked(mut manifest: Value) -> Value {
    let marks = [
        ("annotations", "argocd.argoproj.io/tracking-id"),
        ("labels", "app.kubernetes.io/instance"),
    ];
    for (field, mark) in marks {
        let Some(metadata) = manifest["metadata"].as_object_mut() else {
            continue;
        };
        if let Some(entries) = metadata.get_mut(field).and_then(Value::as_object_mut) {
            entries.remove(mark);
            if entries.is_empty() {
                metadata.remove(field);
            }
        }
    }
    manifest
}

/// What is wrong with a case's answer; `None` if nothing is.
fn verdict(case: &Value, tools: &Tools) -> Option<String> {
    let expected = &case["expect"];
    match (answer(&case["input"], tools), expected["error"].as_str()) {
        (Err(_), Some(_)) => None,
        (Ok(_), Some(_)) => Some("no error".to_owned()),
        (Err(error), None) => Some(error.to_string()),
        (Ok((kind, objects)), None) => {
            let wanted = counted(expected["manifests"].as_array().unwrap().clone());
            let good = kind == expected["sourceType"] && objects == wanted;
            (!good).then(|| "other objects".to_owned())
        }
    }
}

#[test]
fn sources_render_as_argo_cd_renders_them() {
    let cases = cases();
    assert!(cases.len() >= 79);
    let mut wrong = Vec::new();
    for (way, tools) in ["program", "worker"].iter().zip(crate::tools()) {
        for case in &cases {
            if let Some(why) = verdict(case, tools) {
                wrong.push(format!("{} by {way}: {why}", case["id"]));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
