//! A parsed template: the entrance to the parser and the executor.

use std::sync::Arc;

use crate::error::{ExecError, ParseError};
use crate::exec::Run;
use crate::funcs::FuncMap;
use crate::options::Options;
use crate::parse::{self, Definition, Definitions};
use crate::references::{self, References};
use crate::value::Value;

/// A parsed template, ready to be executed often and from several threads; clones share everything.
#[derive(Clone, Debug)]
pub struct Template {
    name: Arc<str>,
    text: Arc<str>,
    main: Arc<Definition>,
    definitions: Arc<Definitions>,
    options: Options,
}

impl Template {
    /// Parses `text`; functions are resolved now, so later changes of `functions` have no effect.
    pub fn parse(
        name: &str,
        text: &str,
        functions: &FuncMap,
        options: Options,
    ) -> Result<Self, ParseError> {
        let definitions = parse::parse(name, text, functions)?;
        let Some(main) = definitions.get(name).cloned() else {
            let message = format!(
                "{} is an incomplete or empty template",
                crate::fmt::quote(name)
            );
            return Err(ParseError {
                name: name.to_owned(),
                line: 1,
                message,
            });
        };
        Ok(Self {
            name: name.into(),
            text: text.into(),
            main,
            definitions: Arc::new(definitions),
            options,
        })
    }

    /// Runs the template on `data` and returns what it writes.
    ///
    /// Functions such as `set` change the maps inside `data`, as in Go.
    pub fn execute(&self, data: &Value) -> Result<String, ExecError> {
        Run::start(self, &self.main, data).map_err(|error| *error)
    }

    /// Which data the template names, found without running it.
    pub fn references(&self) -> References {
        references::of(&self.main)
    }

    pub(crate) fn options(&self) -> &Options {
        &self.options
    }

    pub(crate) fn definition(&self, name: &str) -> Option<&Definition> {
        self.definitions.get(name).map(AsRef::as_ref)
    }

    /// An error at a byte of the text.
    pub(crate) fn error_at(
        &self,
        pos: usize,
        context: String,
        template: &str,
        message: String,
    ) -> ExecError {
        let before = self.text.get(..pos).unwrap_or_default();
        let column = before.rfind('\n').map_or(pos, |newline| pos - newline - 1);
        let line = 1 + before.matches('\n').count();
        ExecError {
            name: self.name.to_string(),
            line,
            column,
            template: template.to_owned(),
            context,
            message,
        }
    }
}
