//! Helm: charts in the source tree.

use std::{fs, path::PathBuf};

use argosy_crds::application::ApplicationSourceHelm;
use serde_json::Value;

use super::{copy::Copy, program};
use crate::{
    path::TreePath,
    render::{RenderError, Request, Tool},
    tree::Kind,
    view::View,
};

/// The `helm` program.
pub(super) struct Helm {
    program: PathBuf,
}

impl Helm {
    pub(super) fn new(program: PathBuf) -> Self {
        Self { program }
    }
}

impl Tool for Helm {
    fn render(
        &self,
        view: &View,
        directory: &TreePath,
        request: &Request<'_>,
    ) -> Result<Vec<Value>, RenderError> {
        let fail = |why: String| RenderError::Tool {
            tool: "helm",
            directory: directory.clone(),
            why,
        };
        let options = request.source.helm.clone().unwrap_or_default();
        if !matches!(options.version.as_str(), "" | "v3" | "v4") {
            return Err(fail(format!(
                "helm version '{}' is not supported",
                options.version
            )));
        }
        let copy = Copy::new().map_err(|error| fail(error.to_string()))?;
        copy.directory(view, directory)?;
        let mut arguments = base_arguments(&options, request);
        let mut files = 0;
        let mut extra = |bytes: &[u8]| -> Result<String, RenderError> {
            files += 1;
            let file = copy.home().join(format!("input-{files}"));
            fs::write(&file, bytes).map_err(|error| fail(error.to_string()))?;
            Ok(file.display().to_string())
        };
        for parameter in &options.parameters {
            let value = escape_commas(&request.environment.expand(&parameter.value));
            let flag = if parameter.force_string {
                "set-string"
            } else {
                "set"
            };
            arguments.push(format!("--{flag}={}={value}", parameter.name));
        }
        for parameter in &options.file_parameters {
            let path = locate(directory, &request.environment.expand(&parameter.path))?;
            let file = extra(&view.read(&path)?)?;
            arguments.push(format!("--set-file={}={file}", parameter.name));
        }
        for name in &options.value_files {
            if let Some(path) =
                value_file(view, directory, name, &options, request).map_err(fail)?
            {
                let file = extra(&view.read(&path)?)?;
                arguments.push(format!("--values={file}"));
            }
        }
        if let Some(values) = inline_values(&options) {
            arguments.push(format!("--values={}", extra(values.as_bytes())?));
        }
        let folder = copy.root().join(directory.as_str());
        let output =
            program::run(&self.program, &arguments, &folder, &copy.home()).map_err(fail)?;
        let documents =
            argosy_yaml::parse_documents(&output).map_err(|error| fail(error.to_string()))?;
        Ok(documents
            .into_iter()
            .map(|document| document.value)
            .collect())
    }
}

fn base_arguments(options: &ApplicationSourceHelm, request: &Request<'_>) -> Vec<String> {
    let first = |own: &str, default: &str| if own.is_empty() { default } else { own }.to_owned();
    let name = request.app_name.rsplit('_').next().unwrap_or_default();
    let mut arguments = vec![
        "template".to_owned(),
        ".".to_owned(),
        format!("--name-template={}", first(&options.release_name, name)),
    ];
    let namespace = first(&options.namespace, request.namespace);
    if !namespace.is_empty() {
        arguments.push(format!("--namespace={namespace}"));
    }
    let version = first(&options.kube_version, request.kube_version);
    let version = version.split(['-', '+']).next().unwrap_or_default();
    if !version.is_empty() {
        arguments.push(format!(
            "--kube-version={}",
            version.trim_start_matches('v')
        ));
    }
    let own = &options.api_versions;
    let versions = if own.is_empty() {
        request.api_versions
    } else {
        own
    };
    arguments.extend(versions.iter().map(|api| format!("--api-versions={api}")));
    for (flag, set) in [
        ("--include-crds", !options.skip_crds),
        ("--skip-tests", options.skip_tests),
        ("--skip-schema-validation", options.skip_schema_validation),
    ] {
        if set {
            arguments.push(flag.to_owned());
        }
    }
    arguments
}

/// Where a path in the source's parameters leads: a leading slash means the repository's root.
fn locate(directory: &TreePath, path: &str) -> Result<TreePath, RenderError> {
    Ok(directory.join(path)?)
}

/// The values file called `name`; `None` if it may be missing and is.
fn value_file(
    view: &View,
    directory: &TreePath,
    name: &str,
    options: &ApplicationSourceHelm,
    request: &Request<'_>,
) -> Result<Option<TreePath>, String> {
    let name = request.environment.expand(name);
    if name.contains("://") {
        return Err(format!(
            "the values file {name} is remote; put it into the repository"
        ));
    }
    let path = directory.join(&name).map_err(|_| {
        format!(
            "error resolving value file path: file '{name}' resolved to outside repository root"
        )
    })?;
    match view.resolve(&path).map_err(|error| error.to_string())? {
        Some(target) if target.kind == Kind::File => Ok(Some(path)),
        _ if options.ignore_missing_value_files => Ok(None),
        _ => Err(format!("open {name}: no such file or directory")),
    }
}

fn inline_values(options: &ApplicationSourceHelm) -> Option<String> {
    match &options.values_object {
        Some(values) if !values.is_null() => Some(values.to_string()),
        _ => (!options.values.is_empty()).then(|| options.values.clone()),
    }
}

/// A comma separates assignments in helm's syntax, except inside a list in braces.
fn escape_commas(value: &str) -> String {
    if value.starts_with('{') && value.ends_with('}') {
        return value.to_owned();
    }
    let mut escaped = String::new();
    let mut previous = ' ';
    for c in value.chars() {
        if c == ',' && previous != '\\' {
            escaped.push('\\');
        }
        escaped.push(c);
        previous = c;
    }
    escaped
}
