//! Go's text/template with the sprig functions, as Argo CD runs it.
//!
//! Parse a text once, execute it as often as needed, from as many threads as wanted. Nothing here reads the clock, the
//! environment, the file system or the network: the time and the seed of random functions are [`Seams`].

#![expect(
    clippy::format_push_string,
    reason = "short pieces of text; clarity wins"
)]
#![expect(
    clippy::unnecessary_wraps,
    reason = "functions of templates share one signature"
)]
#![allow(
    clippy::float_cmp,
    reason = "Go compares floats exactly, and so must we"
)]

pub mod argocd;

mod arguments;
mod builtins;
mod compare;
mod containers;
mod error;
mod escape;
mod exec;
mod fmt;
mod funcs;
mod meter;
mod options;
mod parse;
mod references;
pub mod sprig;
mod template;
mod value;

pub use containers::{Elem, List, Map};
pub use error::{ExecError, FuncError, OptionError, ParseError};
pub use funcs::{FuncMap, Function, Param};
pub use meter::Meter;
pub use options::{Limits, MissingKey, Options};
pub use references::{Reference, References};
pub use sprig::{RANDOM_NAMES, Random, Seams};
pub use template::Template;
pub use value::{Opaque, Value};
