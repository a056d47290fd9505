//! Actions on live objects: restart, pause, scale, and what users write in Lua.
//!
//! A kind's actions come from `resource.customizations.actions.*` of `argocd-cm`; for well-known kinds
//! some are bundled. Running one says what has to be created or patched; nothing here does it.

mod bundled;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::lua;
use crate::normalise;
use crate::overrides::Overrides;

/// Parameters of an action, as the user gave them.
pub type Parameters = BTreeMap<String, String>;

/// Why actions could not be listed, or one could not be run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The setting is no list of actions.
    #[error("the actions in argocd-cm cannot be read: {0}")]
    Unreadable(String),
    /// A script failed.
    #[error(transparent)]
    Lua(#[from] lua::Error),
    /// A script returned something that makes no sense.
    #[error("the Lua script of action `{action}` {problem}")]
    Answer {
        /// The action.
        action: String,
        /// What is wrong.
        problem: String,
    },
    /// The kind has no such action.
    #[error("there is no action `{action}` for {kind}; it has: {known}")]
    Unknown {
        /// The action.
        action: String,
        /// The kind.
        kind: String,
        /// The actions that there are.
        known: String,
    },
    /// The action makes no sense in the state that the object is in.
    #[error("action `{0}` is disabled in the state that the object is in")]
    Disabled(String),
    /// A parameter is missing or cannot be used.
    #[error("parameter `{name}` of action `{action}` {problem}")]
    Parameter {
        /// The action.
        action: String,
        /// The parameter.
        name: String,
        /// What is wrong.
        problem: String,
    },
}

/// An action that an object offers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Action {
    /// Its name.
    pub name: String,
    /// Whether it makes no sense in the state that the object is in.
    pub disabled: bool,
    /// How a user interface calls it; its name if empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub display_name: String,
    /// A user interface's icon.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub icon_class: String,
    /// What it can be told.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub params: Vec<Parameter>,
}

/// A parameter of an action.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// What it is if it is not given.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub default: String,
}

/// What an action does to one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Operation {
    /// A new object.
    Create,
    /// A changed one.
    Patch,
}

/// One object that an action creates or changes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Impact {
    /// What happens to it.
    pub operation: Operation,
    /// As it is to be.
    pub resource: Value,
}

/// The setting of one kind, `resource.customizations.actions.GROUP_KIND`.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Custom {
    #[serde(rename = "discovery.lua")]
    discovery: String,
    definitions: Vec<Definition>,
    #[serde(rename = "mergeBuiltinActions")]
    merge_builtin: bool,
}

#[derive(Deserialize)]
struct Definition {
    name: String,
    #[serde(rename = "action.lua")]
    script: String,
}

/// The actions that an object offers, by name.
pub fn list(object: &Value, overrides: &Overrides, now: Timestamp) -> Result<Vec<Action>, Error> {
    let custom = custom(object, overrides)?;
    let mut offered = BTreeMap::new();
    if custom.as_ref().is_none_or(|custom| custom.merge_builtin) {
        let bundled = bundled::of(object).iter().map(|one| one.offer(object));
        offered.extend(bundled.map(|action| (action.name.clone(), action)));
    }
    if let Some(custom) = custom.filter(|custom| !custom.discovery.is_empty()) {
        let found = lua::answer(&custom.discovery, object, None, now)?;
        let found = match found {
            Value::Object(found) => found,
            Value::Null => Map::new(),
            Value::Array(none) if none.is_empty() => Map::new(),
            other => {
                let problem =
                    format!("discovery.lua returned `{other}` instead of a table of actions");
                return Err(Error::Unreadable(problem));
            }
        };
        for (name, value) in found {
            offered.insert(name.clone(), read_action(name, value)?);
        }
    }
    Ok(offered.into_values().collect())
}

/// What running an action comes to.
///
/// A user's definition wins over a bundled one of the same name; a bundled one can be run although the
/// user's discovery does not list it, as in Argo CD.
pub fn run(
    object: &Value,
    action: &str,
    parameters: &Parameters,
    overrides: &Overrides,
    now: Timestamp,
) -> Result<Vec<Impact>, Error> {
    let custom = custom(object, overrides)?.unwrap_or_default();
    if let Some(own) = custom.definitions.iter().find(|one| one.name == action) {
        let answer = lua::answer(&own.script, object, Some(parameters), now)?;
        return read_impacts(action, answer, object);
    }
    if let Some(bundled) = bundled::of(object).iter().find(|one| one.name == action) {
        return bundled
            .run(object, parameters, now)
            .map(|impact| vec![impact]);
    }
    let known: Vec<_> = list(object, overrides, now)?
        .into_iter()
        .map(|action| action.name)
        .collect();
    Err(Error::Unknown {
        action: action.to_owned(),
        kind: crate::object::ObjectExt::group_kind(object).to_string(),
        known: if known.is_empty() {
            "none".to_owned()
        } else {
            known.join(", ")
        },
    })
}

/// What turns `live` into `wanted`, as an RFC 7396 merge patch; `None` if they are the same.
pub fn merge_patch(live: &Value, wanted: &Value) -> Option<Value> {
    let (Value::Object(before), Value::Object(after)) = (live, wanted) else {
        return (live != wanted).then(|| wanted.clone());
    };
    let mut patch = Map::new();
    for (name, value) in after {
        let part = match before.get(name) {
            Some(was) => merge_patch(was, value),
            None => Some(value.clone()),
        };
        patch.extend(part.map(|part| (name.clone(), part)));
    }
    let gone = before.keys().filter(|name| !after.contains_key(*name));
    patch.extend(gone.map(|name| (name.clone(), Value::Null)));
    (!patch.is_empty()).then_some(Value::Object(patch))
}

fn custom(object: &Value, overrides: &Overrides) -> Result<Option<Custom>, Error> {
    let Some(text) = overrides.actions(object) else {
        return Ok(None);
    };
    let unreadable = |problem: String| Error::Unreadable(problem);
    let value = argosy_yaml::from_str(text).map_err(|error| unreadable(error.to_string()))?;
    serde_json::from_value(value).map_err(|error| unreadable(error.to_string()))
}

fn read_action(name: String, value: Value) -> Result<Action, Error> {
    let read = match value {
        // `{}` in Lua is an empty list or an empty map.
        Value::Array(none) if none.is_empty() => Ok(Action::default()),
        mut value => {
            if value["params"].as_object().is_some_and(Map::is_empty) {
                value["params"] = Value::Array(Vec::new());
            }
            serde_json::from_value::<Action>(value)
        }
    };
    match read {
        Ok(action) => Ok(Action { name, ..action }),
        Err(error) => Err(Error::Unreadable(format!(
            "action `{name}` of discovery.lua: {error}"
        ))),
    }
}

/// One object, which is patched, or a list of objects with what happens to each.
fn read_impacts(action: &str, answer: Value, object: &Value) -> Result<Vec<Impact>, Error> {
    let wrong = |problem: &str| Error::Answer {
        action: action.to_owned(),
        problem: problem.to_owned(),
    };
    let impacts: Vec<_> = match answer {
        Value::Object(_) => vec![Impact {
            operation: Operation::Patch,
            resource: answer,
        }],
        Value::Array(items) => items
            .into_iter()
            .map(|mut item| {
                let operation = serde_json::from_value(item["operation"].take())
                    .map_err(|_| wrong("returned an operation that is neither create nor patch"))?;
                let resource = item["resource"].take();
                Ok(Impact {
                    operation,
                    resource,
                })
            })
            .collect::<Result<_, Error>>()?,
        _ => return Err(wrong("returned neither an object nor a list of changes")),
    };
    impacts
        .into_iter()
        .map(|mut impact| {
            normalise::numbers(&mut impact.resource);
            shape(&mut impact.resource, object);
            let named = ["apiVersion", "kind"]
                .iter()
                .all(|field| impact.resource[field].is_string());
            if !named || !impact.resource["metadata"].is_object() {
                return Err(wrong("returned something that is no Kubernetes object"));
            }
            Ok(impact)
        })
        .collect()
}

/// Lua has one empty table for lists and maps: what was a list stays one.
fn shape(value: &mut Value, model: &Value) {
    match (&mut *value, model) {
        (Value::Object(fields), Value::Array(_)) if fields.is_empty() => {
            *value = Value::Array(Vec::new());
        }
        (Value::Array(items), Value::Object(_)) if items.is_empty() => {
            *value = Value::Object(Map::new());
        }
        (Value::Object(fields), Value::Object(model)) => {
            for (name, field) in fields {
                if let Some(model) = model.get(name) {
                    shape(field, model);
                }
            }
        }
        (Value::Array(items), Value::Array(models)) => {
            for (item, model) in items.iter_mut().zip(models) {
                shape(item, model);
            }
        }
        _ => {}
    }
}
