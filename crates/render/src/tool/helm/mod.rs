//! Helm: charts in the source tree, with what else they need.

mod arguments;
mod dependencies;
mod files;

use argosy_crds::application::ApplicationSourceHelm;
use serde_json::Value;

pub(super) use arguments::{api_versions, kube_version};
use files::Files;

use super::{
    engine::{Engine, Job},
    output,
    selection::Selection,
};
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
        let mut selection = Selection::default();
        let mut arguments = arguments::base(&options, request);
        arguments.extend(arguments::parameters(&options, request));
        arguments.extend(values(&mut selection, &files, &options).map_err(refuse)?);
        selection
            .directory(view, directory)
            .map_err(|error| refuse(error.to_string()))?;
        dependencies::vendor(view, &mut selection, directory).map_err(refuse)?;
        dependencies::unpack(&missing, &fetched, &mut selection, directory).map_err(refuse)?;
        let done = self.engine.run(&Job {
            selection: &selection,
            directory,
            commands: &[arguments],
            wanted: None,
            leaves_traces: false,
        });
        let done = done.map_err(|why| refuse(explain(&why)))?;
        output::objects(&done.output).map_err(refuse)
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
    selection: &mut Selection,
    files: &Files<'_>,
    options: &ApplicationSourceHelm,
) -> Result<Vec<String>, String> {
    let mut arguments = Vec::new();
    for parameter in &options.file_parameters {
        let file = files.locate(&parameter.path);
        let content = file.and_then(|file| Ok((file.name(), file.read()?)));
        let (name, content) =
            content.map_err(|error| format!("error resolving helm value file path: {error}"))?;
        let path = selection.extra(&name, content, files.directory);
        arguments.push(format!("--set-file={}={path}", parameter.name));
    }
    let found = files
        .values(&options.value_files, options.ignore_missing_value_files)
        .map_err(|error| format!("error resolving helm value files: {error}"))?;
    let mut contents = Vec::new();
    for file in &found {
        contents.push((file.name(), file.read().map_err(|error| error.to_string())?));
    }
    contents
        .extend(inline(options).map(|text| ("the source's values".to_owned(), text.into_bytes())));
    for (name, content) in contents {
        let path = selection.extra(&name, content, files.directory);
        arguments.push(format!("--values={path}"));
    }
    Ok(arguments)
}

fn inline(options: &ApplicationSourceHelm) -> Option<String> {
    match &options.values_object {
        Some(values) if !values.is_null() => Some(values.to_string()),
        _ => (!options.values.is_empty()).then(|| options.values.clone()),
    }
}

/// Helm's complaint without its log, with what to do where Helm's own advice does not help.
fn explain(complaint: &str) -> String {
    let lines = complaint.lines().filter(|line| !line.starts_with("level="));
    let complaint = lines.collect::<Vec<_>>().join("\n");
    if complaint.contains("missing in charts/ directory") {
        return format!(
            "{complaint}; run `helm dependency update` and commit the chart's `charts` directory"
        );
    }
    complaint
}
