//! `values`: further parameters, templated with the generator's own ones.

use std::collections::BTreeMap;

use crate::error::{Failure, Stop};
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
        let mut rendered = BTreeMap::new();
        for (key, text) in &self.texts {
            let text = text.render(&scope).map_err(|error| {
                let failure = Failure::new(format!(
                    "failed to append templated values: failed to replace templated string: {error}"
                ));
                failure
                    .below(&format!(".values.{key}"))
                    .of(|| params.summary())
            })?;
            rendered.insert(key.clone(), text);
        }
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
