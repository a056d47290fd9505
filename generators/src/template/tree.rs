//! A structure whose texts, also those of keys, have parameters in them.
//!
//! Numbers and booleans are copied; a replaced text stays a text. Nulls inside of free-form maps
//! vanish, as they do in Argo CD when it renders.

use serde_json::{Map, Value};

use super::text::{Engine, Scope, Text};
use crate::error::Failure;

/// A parsed structure.
#[derive(Debug)]
pub(crate) enum Tree {
    /// No part of it is replaced.
    Fixed(Value),
    Text(Text),
    List(Vec<Self>),
    Map(Vec<(Key, Self)>),
    /// A text that stays as it is where it names a parameter that is missing.
    Later(Text, String),
}

#[derive(Debug)]
pub(crate) enum Key {
    Fixed(String),
    Text(Text),
}

impl Tree {
    pub(crate) fn compile(value: Value, engine: &Engine) -> Self {
        match value {
            Value::String(text) if text.contains("{{") => Self::Text(engine.compile(&text)),
            Value::Array(items) => Self::list(
                items
                    .into_iter()
                    .map(|item| Self::compile(item, engine))
                    .collect(),
            ),
            Value::Object(entries) => Self::map(
                entries
                    .into_iter()
                    .filter(|(_, value)| !value.is_null())
                    .map(|(key, value)| {
                        let key = if key.contains("{{") {
                            Key::Text(engine.compile(&key))
                        } else {
                            Key::Fixed(key)
                        };
                        (key, Self::compile(value, engine))
                    })
                    .collect(),
            ),
            scalar => Self::Fixed(scalar),
        }
    }

    pub(crate) fn list(items: Vec<Self>) -> Self {
        if !items.iter().all(Self::is_fixed) {
            return Self::List(items);
        }
        Self::Fixed(items.into_iter().filter_map(Self::into_fixed).collect())
    }

    pub(crate) fn map(entries: Vec<(Key, Self)>) -> Self {
        let is_fixed =
            |(key, value): &(Key, Self)| matches!(key, Key::Fixed(_)) && value.is_fixed();
        if !entries.iter().all(is_fixed) {
            return Self::Map(entries);
        }
        let mut fixed = Map::new();
        for (key, value) in entries {
            if let (Key::Fixed(key), Some(value)) = (key, value.into_fixed()) {
                fixed.insert(key, value);
            }
        }
        Self::Fixed(Value::Object(fixed))
    }

    /// Whether it renders to the same value for all parameters.
    pub(crate) fn is_fixed(&self) -> bool {
        matches!(self, Self::Fixed(_))
    }

    fn into_fixed(self) -> Option<Value> {
        match self {
            Self::Fixed(value) => Some(value),
            _ => None,
        }
    }

    /// Renders it; the error names the path of the text that failed.
    pub(crate) fn render(&self, scope: &Scope<'_>) -> Result<Value, Failure> {
        match self {
            Self::Fixed(value) => Ok(value.clone()),
            Self::Text(text) => text.render(scope).map(Value::String).map_err(Failure::new),
            Self::Later(text, written) => {
                let rendered = text.render(scope);
                let rendered = rendered.or_else(|problem| left_for_later(written, problem));
                rendered.map(Value::String).map_err(Failure::new)
            }
            Self::List(items) => items
                .iter()
                .enumerate()
                .map(|(index, item)| {
                    item.render(scope)
                        .map_err(|failure| failure.below(&format!("[{index}]")))
                })
                .collect(),
            Self::Map(entries) => {
                let mut map = Map::new();
                for (key, value) in entries {
                    let key = match key {
                        Key::Fixed(key) => key.clone(),
                        Key::Text(text) => text.render(scope).map_err(Failure::new)?,
                    };
                    let value = value
                        .render(scope)
                        .map_err(|failure| failure.below(&format!(".{key}")))?;
                    map.insert(key, value);
                }
                Ok(Value::Object(map))
            }
        }
    }
}

/// The text as written, if it failed for want of a parameter alone, told as Argo CD tells it.
pub(super) fn left_for_later(written: &str, problem: String) -> Result<String, String> {
    let is_missing = ["map has no entry for key", "can't evaluate field"]
        .iter()
        .any(|sign| problem.contains(sign));
    if is_missing {
        Ok(written.to_owned())
    } else {
        Err(problem)
    }
}
