//! Kustomize: the source's fields are edited into a private copy, then it is built.

use std::{fs, path::PathBuf};

use argosy_crds::application::ApplicationSourceKustomize;
use serde_json::Value;

use super::{copy::Copy, program};
use crate::{
    environment::Environment,
    path::TreePath,
    render::{RenderError, Request, Tool},
    view::View,
};

/// The `kustomize` program.
pub(super) struct Kustomize {
    program: PathBuf,
}

impl Kustomize {
    pub(super) fn new(program: PathBuf) -> Self {
        Self { program }
    }
}

impl Tool for Kustomize {
    fn render(
        &self,
        view: &View,
        directory: &TreePath,
        request: &Request<'_>,
    ) -> Result<Vec<Value>, RenderError> {
        let fail = |why: String| RenderError::Tool {
            tool: "kustomize",
            directory: directory.clone(),
            why,
        };
        let copy = Copy::new().map_err(|error| fail(error.to_string()))?;
        // A kustomization may use bases anywhere in the repository.
        copy.directory(view, &TreePath::root())?;
        let folder = copy.root().join(directory.as_str());
        let run = |arguments: &[String]| {
            program::run(&self.program, arguments, &folder, &copy.home()).map_err(fail)
        };
        let options = request.source.kustomize.clone().unwrap_or_default();
        for edit in edits(&options, request.environment).map_err(fail)? {
            run(&edit)?;
        }
        add_patches(&folder, &options).map_err(fail)?;
        add_components(&folder, &options, &run)?;
        let mut build = vec!["build".to_owned(), ".".to_owned()];
        let global = request.kustomize_build_options.split_whitespace();
        build.extend(global.map(str::to_owned));
        let output = run(&build)?;
        let documents =
            argosy_yaml::parse_documents(&output).map_err(|error| fail(error.to_string()))?;
        Ok(documents
            .into_iter()
            .map(|document| document.value)
            .collect())
    }
}

/// The edits before building, in Argo CD's order.
fn edits(
    options: &ApplicationSourceKustomize,
    environment: &Environment,
) -> Result<Vec<Vec<String>>, String> {
    let mut edits = Vec::new();
    let mut edit = |command: &[&str], values: Vec<String>| {
        if values.iter().any(|value| !value.is_empty()) {
            let command = command.iter().map(|word| (*word).to_owned());
            // After `--` nothing is an option, whatever it looks like.
            let end = std::iter::once("--".to_owned());
            edits.push(command.chain(end).chain(values).collect());
        }
    };
    edit(
        &["edit", "set", "nameprefix"],
        vec![options.name_prefix.clone()],
    );
    edit(
        &["edit", "set", "namesuffix"],
        vec![options.name_suffix.clone()],
    );
    let images = options.images.iter().map(|image| environment.expand(image));
    edit(&["edit", "set", "image"], images.collect());
    let mut replicas = Vec::new();
    for replica in &options.replicas {
        let count = serde_json::to_value(&replica.count).map_err(|error| error.to_string())?;
        let count = match &count {
            Value::Number(number) => number.to_string(),
            Value::String(text) => text.clone(),
            _ => "0".to_owned(),
        };
        if count.parse::<i64>().is_err() {
            return Err(format!(
                "expected integer value for count. Received: {count}"
            ));
        }
        replicas.push(format!("{}={count}", replica.name));
    }
    edit(&["edit", "set", "replicas"], replicas);
    let mut label = vec!["edit", "add", "label"];
    for (flag, set) in [
        ("--force", options.force_common_labels),
        ("--without-selector", options.label_without_selector),
        ("--include-templates", options.label_include_templates),
    ] {
        if set {
            label.push(flag);
        }
    }
    let pairs = options.common_labels.iter();
    let pairs = pairs.map(|(key, value)| format!("{key}:{}", environment.expand(value)));
    edit(&label, pairs.collect());
    let mut annotation = vec!["edit", "add", "annotation"];
    if options.force_common_annotations {
        annotation.push("--force");
    }
    let pairs = options.common_annotations.iter().map(|(key, value)| {
        if options.common_annotations_envsubst {
            format!("{key}:{}", environment.expand(value))
        } else {
            format!("{key}:{value}")
        }
    });
    edit(&annotation, pairs.collect());
    edit(
        &["edit", "set", "namespace"],
        vec![options.namespace.clone()],
    );
    Ok(edits)
}

/// Appends the source's patches to the kustomization.
fn add_patches(
    folder: &std::path::Path,
    options: &ApplicationSourceKustomize,
) -> Result<(), String> {
    if options.patches.is_empty() {
        return Ok(());
    }
    let names = ["kustomization.yaml", "kustomization.yml", "Kustomization"];
    let file = names
        .iter()
        .map(|name| folder.join(name))
        .find(|file| file.is_file())
        .ok_or("there is no kustomization file")?;
    let text = fs::read_to_string(&file).map_err(|error| error.to_string())?;
    let mut value = argosy_yaml::from_str(&text).map_err(|error| error.to_string())?;
    if value.is_null() {
        value = Value::Object(serde_json::Map::new());
    }
    let Value::Object(fields) = &mut value else {
        return Err("the kustomization is not a mapping".into());
    };
    let patches = fields
        .entry("patches")
        .or_insert_with(|| Value::Array(Vec::new()));
    if patches.is_null() {
        *patches = Value::Array(Vec::new());
    }
    let Value::Array(patches) = patches else {
        return Err("`patches` of the kustomization is not a list".into());
    };
    for patch in &options.patches {
        patches.push(serde_json::to_value(patch).map_err(|error| error.to_string())?);
    }
    fs::write(&file, argosy_yaml::to_string(&value)).map_err(|error| error.to_string())
}

fn add_components(
    folder: &std::path::Path,
    options: &ApplicationSourceKustomize,
    run: &impl Fn(&[String]) -> Result<String, RenderError>,
) -> Result<(), RenderError> {
    let components: Vec<String> = options
        .components
        .iter()
        .filter(|component| !options.ignore_missing_components || folder.join(component).exists())
        .cloned()
        .collect();
    if components.is_empty() {
        return Ok(());
    }
    let mut edit = ["edit", "add", "component", "--"]
        .map(str::to_owned)
        .to_vec();
    edit.extend(components);
    run(&edit).map(|_| ())
}
