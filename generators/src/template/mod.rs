//! Templates: texts and whole structures with parameters in them.
//!
//! Each text is parsed once and run for every set of parameters. Mistakes are kept until a template
//! is run, because a set without parameters has none.

mod fast;
mod fill;
mod patch;
mod rendered;
mod text;
mod tree;

pub(crate) use fill::fill;
pub(crate) use patch::Patch;
pub(crate) use rendered::Rendered;
pub(crate) use text::{Engine, Scope, Text};
pub(crate) use tree::{Key as TreeKey, Tree};
