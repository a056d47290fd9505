//! Functions that templates can call, with the types of their parameters.
//!
//! The types matter: Go refuses a float where an int is wanted before the function runs.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::error::FuncError;
use crate::meter::Meter;
use crate::value::Value;

/// The type of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Param {
    /// `interface {}`
    Any,
    /// `reflect.Value`: as [`Param::Any`], but tells no value from nil
    Reflect,
    /// `bool`
    Bool,
    /// `int`
    Int,
    /// `int64`
    Int64,
    /// `float64`
    Float,
    /// `string`
    Str,
    /// `[]interface {}`
    List,
    /// `[]string`
    Strings,
    /// `map[string]interface {}`
    Map,
    /// `time.Time`
    Time,
    /// An opaque struct of this library, such as a certificate.
    Certificate,
}

impl Param {
    /// Go's name of the type.
    pub(crate) fn type_name(self) -> &'static str {
        match self {
            Self::Any => "interface {}",
            Self::Reflect => "reflect.Value",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Int64 => "int64",
            Self::Float => "float64",
            Self::Str => "string",
            Self::List => "[]interface {}",
            Self::Strings => "[]string",
            Self::Map => "map[string]interface {}",
            Self::Time => "time.Time",
            Self::Certificate => "sprig.certificate",
        }
    }

    fn parse(name: &str) -> Self {
        match name {
            "reflect" => Self::Reflect,
            "bool" => Self::Bool,
            "int" => Self::Int,
            "int64" => Self::Int64,
            "float" => Self::Float,
            "string" => Self::Str,
            "list" => Self::List,
            "strings" => Self::Strings,
            "map" => Self::Map,
            "time" => Self::Time,
            "certificate" => Self::Certificate,
            _ => Self::Any,
        }
    }
}

type Body = dyn Fn(&[Value], &mut Meter) -> Result<Value, FuncError> + Send + Sync;

/// A function: its parameters and its body.
pub struct Function {
    params: Vec<Param>,
    variadic: bool,
    body: Box<Body>,
}

impl Function {
    /// A function whose parameters are described by their types, separated by commas: `any`, `bool`, `int`, `int64`, `float`, `string`, `list`,
    /// `strings`, `map`, `time`, `certificate`. The last may end in `...`. An empty text means no parameters.
    pub fn new(
        params: &str,
        body: impl Fn(&[Value], &mut Meter) -> Result<Value, FuncError> + Send + Sync + 'static,
    ) -> Self {
        let variadic = params.ends_with("...");
        let names = params.trim_end_matches("...");
        let params = if names.is_empty() {
            Vec::new()
        } else {
            names.split(',').map(Param::parse).collect()
        };
        Self {
            params,
            variadic,
            body: Box::new(body),
        }
    }

    pub(crate) fn is_variadic(&self) -> bool {
        self.variadic
    }

    /// How many arguments must be there at least.
    pub(crate) fn fixed(&self) -> usize {
        self.params.len() - usize::from(self.variadic)
    }

    /// The type of the parameter at `index`, the variadic one for all that follow it.
    pub(crate) fn param(&self, index: usize) -> Param {
        self.params
            .get(index)
            .or(self.params.last())
            .copied()
            .unwrap_or(Param::Any)
    }

    /// Runs the body; the arguments have been checked.
    pub(crate) fn run(&self, args: &[Value], meter: &mut Meter) -> Result<Value, FuncError> {
        (self.body)(args, meter)
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Function")
            .field("params", &self.params)
            .field("variadic", &self.variadic)
            .finish_non_exhaustive()
    }
}

/// The functions that a template may call besides Go's built-in ones; a name given here hides the built-in.
#[derive(Clone, Debug, Default)]
pub struct FuncMap(BTreeMap<Arc<str>, Arc<Function>>);

impl FuncMap {
    /// No functions.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds or replaces a function; `params` is described at [`Function::new`].
    ///
    /// It must take time in proportion to its arguments and its result, which are charged for.
    pub fn add(
        &mut self,
        name: &str,
        params: &str,
        body: impl Fn(&[Value]) -> Result<Value, FuncError> + Send + Sync + 'static,
    ) {
        self.add_metered(name, params, move |args, _| body(args));
    }

    /// As [`Self::add`], for a function that charges for more than the size of its arguments.
    pub fn add_metered(
        &mut self,
        name: &str,
        params: &str,
        body: impl Fn(&[Value], &mut Meter) -> Result<Value, FuncError> + Send + Sync + 'static,
    ) {
        self.0
            .insert(name.into(), Arc::new(Function::new(params, body)));
    }

    /// Gives a function further names.
    pub(crate) fn alias(&mut self, name: &str, others: &[&str]) {
        if let Some(function) = self.0.get(name).cloned() {
            for other in others {
                self.0.insert((*other).into(), Arc::clone(&function));
            }
        }
    }

    /// Adds all functions of another map.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// The names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(AsRef::as_ref)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Arc<Function>> {
        self.0.get(name)
    }
}
