//! Helm: charts in the source tree, with what else they need.

mod arguments;
mod dependencies;
mod files;

use argosy_crds::application::ApplicationSourceHelm;
use serde_json::Value;

pub(super) use arguments::{api_versions, kube_version};
use files::Files;

use super::{engine::Engine, output, program::Job, workspace::Workspace};
use crate::{
    needs::Need,
    path::TreePath,
    render::{RenderError, Request, Tool},
    views::Views,
};

/// Renders charts.
pub(super) struct Helm {
    pub(super) engine: Engine,
}

impl Tool for Helm {
    fn render(
        &self,
        views: &Views,
        directory: &TreePath,
        request: &Request<'_>,
    ) -> Result<Vec<Value>, RenderError> {
        let refuse = |why: String| RenderError::Tool {
            tool: "helm",
            directory: directory.clone(),
            why,
        };
        let options = request.source.helm.as_deref().cloned().unwrap_or_default();
        check_version(&options).map_err(refuse)?;
        let files = Files {
            views,
            directory,
            request,
        };
        let view = views.own();
        let missing = dependencies::missing(view, directory)?;
        let fetched = request.fetched.cloned().unwrap_or_default();
        if request.fetched.is_some() {
            let charts = missing.iter().cloned().map(Need::Chart);
            let mut needs: Vec<_> = charts.chain(files.remote(&options)).collect();
            needs.retain(|need| fetched.get(need).is_none());
            if !needs.is_empty() {
                return Err(RenderError::Needs(needs));
            }
        }
        let workspace =
            Workspace::new(&self.engine.folder()).map_err(|error| refuse(error.to_string()))?;
        let mut arguments = arguments::base(&options, request);
        arguments.extend(arguments::parameters(&options, request));
        arguments.extend(values(&workspace, &files, &options).map_err(refuse)?);
        workspace
            .directory(view, directory)
            .map_err(|error| refuse(error.to_string()))?;
        dependencies::vendor(view, &workspace, directory).map_err(refuse)?;
        dependencies::unpack(&missing, &fetched, &workspace, directory).map_err(refuse)?;
        let printed = self.engine.run(&Job {
            arguments: &arguments,
            folder: &workspace.at(directory),
            home: &workspace.home(),
            leaves_traces: false,
        });
        let printed = printed.map_err(|why| refuse(explain(&workspace.hide(&why))))?;
        output::objects(&printed).map_err(refuse)
    }
}

fn check_version(options: &ApplicationSourceHelm) -> Result<(), String> {
    match options.version.as_str() {
        "" | "v3" | "v4" => Ok(()),
        other => Err(format!("helm version '{other}' is not supported")),
    }
}

/// The options that name files: `fileParameters`, `valueFiles`, and inline values after them.
fn values(
    workspace: &Workspace,
    files: &Files<'_>,
    options: &ApplicationSourceHelm,
) -> Result<Vec<String>, String> {
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let mut arguments = Vec::new();
    for parameter in &options.file_parameters {
        let bytes = files
            .locate(&parameter.path)
            .and_then(|file| file.read())
            .map_err(|error| format!("error resolving helm value file path: {error}"))?;
        let file = workspace.input(&bytes).map_err(|error| text(&error))?;
        let file = arguments::escape_commas(&file.display().to_string());
        arguments.push(format!("--set-file={}={file}", parameter.name));
    }
    let found = files
        .values(&options.value_files, options.ignore_missing_value_files)
        .map_err(|error| format!("error resolving helm value files: {error}"))?;
    let mut contents = Vec::new();
    for file in &found {
        contents.push(file.read().map_err(|error| text(&error))?);
    }
    contents.extend(inline(options).map(String::into_bytes));
    for bytes in contents {
        let file = workspace.input(&bytes).map_err(|error| text(&error))?;
        arguments.push(format!("--values={}", file.display()));
    }
    Ok(arguments)
}

fn inline(options: &ApplicationSourceHelm) -> Option<String> {
    match &options.values_object {
        Some(values) if !values.is_null() => Some(values.to_string()),
        _ => (!options.values.is_empty()).then(|| options.values.clone()),
    }
}

/// Helm's complaint, with what to do where Helm's own advice does not help.
fn explain(complaint: &str) -> String {
    if complaint.contains("missing in charts/ directory") {
        return format!(
            "{complaint}; run `helm dependency update` and commit the chart's `charts` directory"
        );
    }
    complaint.to_owned()
}
