//! `values`: further parameters, templated with the generator's own ones.

use std::collections::BTreeMap;

use crate::error::Stop;
use crate::params::{Params, string_map};
use crate::template::{Engine, Scope, Text};

/// The parsed values of a generator.
pub(super) struct TemplatedValues {
    texts: Vec<(String, Text)>,
    is_go: bool,
}

impl TemplatedValues {
    pub(super) fn compile(values: &BTreeMap<String, String>, engine: &Engine) -> Self {
        Self {
            texts: values
                .iter()
                .map(|(key, text)| (key.clone(), engine.compile(text)))
                .collect(),
            is_go: engine.is_go(),
        }
    }

    /// Renders the values with `params` alone and adds them: none of them sees another.
    pub(super) fn append(&self, params: &mut Params) -> Result<(), Stop> {
        if self.texts.is_empty() {
            return Ok(());
        }
        let scope = Scope::new(params);
        let rendered = self
            .texts
            .iter()
            .map(|(key, text)| Ok((key.clone(), text.render(&scope)?)))
            .collect::<Result<BTreeMap<_, _>, String>>()
            .map_err(|error| {
                Stop::failed(format!(
                    "failed to append templated values: failed to replace templated string: {error}"
                ))
            })?;
        add(params, &rendered, self.is_go);
        Ok(())
    }
}

/// Adds values as they are: nested in Go mode, flat in fast mode.
pub(super) fn add(params: &mut Params, values: &BTreeMap<String, String>, is_go: bool) {
    if values.is_empty() {
        return;
    }
    if is_go {
        params.set("values", string_map(values));
        return;
    }
    for (key, value) in values {
        params.set(format!("values.{key}"), value.as_str());
    }
}
