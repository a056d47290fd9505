//! A parsed template.

use crate::error::{ExecError, ParseError};
use crate::funcs::FuncMap;
use crate::options::Options;
use crate::value::Value;

/// A parsed template, ready to be executed often.
#[derive(Clone, Debug)]
pub struct Template {}

impl Template {
    /// Parses `text`; functions are resolved now, so later changes of `functions` have no effect.
    pub fn parse(name: &str, text: &str, functions: &FuncMap, options: Options) -> Result<Self, ParseError> {
        let _ = (text, functions, options);
        Err(ParseError { name: name.to_owned(), line: 1, message: "templates cannot be parsed yet".to_owned() })
    }

    /// Runs the template on `data` and returns what it writes.
    ///
    /// Functions such as `set` change the maps inside `data`, as in Go.
    pub fn execute(&self, data: &Value) -> Result<String, ExecError> {
        Ok(crate::fmt::print(data))
    }
}
