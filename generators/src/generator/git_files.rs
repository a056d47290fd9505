//! The git generator's files.

use std::collections::BTreeMap;

use argosy_crds::application_set::generators::GitGenerator;
use argosy_yaml as yaml;
use serde_json::{Map, Value};

use super::git::add_path;
use super::values::TemplatedValues;
use crate::error::Stop;
use crate::expand::Expander;
use crate::facts::{Answer, Request};
use crate::flatten::flatten;
use crate::params::Params;

pub(super) fn params(
    x: &mut Expander<'_>,
    spec: &GitGenerator,
    project: &str,
) -> Result<Vec<Params>, Stop> {
    let files = select(x, spec, project)?;
    let values = TemplatedValues::compile(&spec.values, &x.engine);
    let is_go = x.engine.is_go();
    let mut sets = Vec::new();
    for (path, content) in files {
        let of_file = of_file(spec, path, content, is_go, &values).map_err(|stop| {
            stop.within(&format!(
                "unable to process file '{path}' from repository '{}'",
                spec.repo_url
            ))
        })?;
        sets.extend(of_file);
    }
    Ok(sets)
}

/// The files that the patterns select, by path.
fn select<'f>(
    x: &mut Expander<'f>,
    spec: &GitGenerator,
    project: &str,
) -> Result<BTreeMap<&'f str, &'f [u8]>, Stop> {
    let mut selected = BTreeMap::new();
    let mut lacking = false;
    let (excludes, includes): (Vec<_>, Vec<_>) = spec.files.iter().partition(|item| item.exclude);
    for item in includes.into_iter().chain(excludes) {
        let request = Request::GitFiles {
            repo_url: spec.repo_url.clone(),
            revision: spec.revision.clone(),
            project: project.to_owned(),
            pattern: item.path.clone(),
            globbing: x.settings.globbing,
        };
        match x.ask(request) {
            Ok(Answer::Files(files)) if item.exclude => {
                selected.retain(|path, _| !files.contains_key(*path));
            }
            Ok(Answer::Files(files)) => {
                selected.extend(
                    files
                        .iter()
                        .map(|(path, bytes)| (path.as_str(), bytes.as_slice())),
                );
            }
            Ok(_) => return Err(Stop::failed("the answer is of another kind")),
            Err(Stop::Needs) => lacking = true,
            Err(failed) => return Err(failed),
        }
    }
    if lacking {
        Err(Stop::Needs)
    } else {
        Ok(selected)
    }
}

fn of_file(
    spec: &GitGenerator,
    path: &str,
    content: &[u8],
    is_go: bool,
    values: &TemplatedValues,
) -> Result<Vec<Params>, Stop> {
    let (directory, file) = path.rsplit_once('/').unwrap_or((".", path));
    let objects = read(content)
        .map_err(|problem| Stop::failed(format!("unable to parse file: {problem}")))?;
    objects
        .into_iter()
        .map(|object| {
            let mut params = Params::from_json(object);
            if !is_go {
                params = flatten(&params)
                    .into_iter()
                    .map(|(key, text)| (key.into(), text.into()))
                    .collect();
            }
            add_path(
                &mut params,
                &spec.path_param_prefix,
                directory,
                Some(file),
                is_go,
            );
            values.append(&mut params)?;
            Ok(params)
        })
        .collect()
}

/// Reads a map, a list of maps, or nothing, which is one empty map.
pub(crate) fn read(content: &[u8]) -> Result<Vec<Map<String, Value>>, String> {
    let text = yaml::decode(content).map_err(|error| error.to_string())?;
    let object = |value| match value {
        Value::Object(object) => Ok(object),
        Value::Null => Ok(Map::new()),
        other => Err(format!(
            "expected a map or a list of maps, found {}",
            kind(&other)
        )),
    };
    match yaml::from_str(&text).map_err(|error| error.to_string())? {
        Value::Array(items) => items.into_iter().map(object).collect(),
        other => Ok(vec![object(other)?]),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    }
}
