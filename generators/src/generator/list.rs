//! The list generator: parameters written down.

use argosy_crds::application_set::generators::ListGenerator;
use argosy_yaml as yaml;
use serde_json::{Map, Value};

use crate::error::Stop;
use crate::expand::Expander;
use crate::params::Params;

pub(super) fn params(x: &mut Expander<'_>, spec: &ListGenerator) -> Result<Vec<Params>, Stop> {
    let is_go = x.engine.is_go();
    let mut sets = Vec::new();
    for element in &spec.elements {
        let element = match element {
            Value::Object(element) => element.clone(),
            other => {
                return Err(Stop::failed(format!(
                    "error unmarshling list element: expected a map, found {other}"
                )));
            }
        };
        sets.push(if is_go {
            Params::from_json(element)
        } else {
            flat(element)?
        });
    }
    sets.extend(from_yaml(&spec.elements_yaml)?);
    Ok(sets)
}

/// Fast mode takes strings only, nested only under `values`.
fn flat(element: Map<String, Value>) -> Result<Params, Stop> {
    let text = |key: &str, value: Value| match value {
        Value::String(text) => Ok(text),
        other => Err(Stop::failed(format!(
            "error parsing value as string: `{key}` is {other}; quote it, or use goTemplate"
        ))),
    };
    let mut params = Params::default();
    for (key, value) in element {
        if key != "values" {
            let value = text(&key, value)?;
            params.set(key, value);
            continue;
        }
        let Value::Object(values) = value else {
            return Err(Stop::failed("error parsing values map"));
        };
        for (key, value) in values {
            let value = text(&key, value)?;
            params.set(format!("values.{key}"), value);
        }
    }
    Ok(params)
}

/// The items of `elementsYaml`, unchanged in both modes.
fn from_yaml(text: &str) -> Result<Vec<Params>, Stop> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let problem =
        |error: String| Stop::failed(format!("error unmarshling decoded ElementsYaml {error}"));
    match yaml::from_str(text).map_err(|error| problem(error.to_string()))? {
        Value::Null => Ok(Vec::new()),
        Value::Array(items) => items
            .into_iter()
            .map(|item| match item {
                Value::Object(item) => Ok(Params::from_json(item)),
                Value::Null => Ok(Params::default()),
                other => Err(problem(format!(
                    "expected a list of maps, found the item {other}"
                ))),
            })
            .collect(),
        _ => Err(problem("expected a list of maps".to_owned())),
    }
}
