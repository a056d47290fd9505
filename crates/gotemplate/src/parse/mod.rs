//! From text to tree: tokens, nodes, numbers, and Go's unquoting. Nothing here evaluates.

mod lexer;
pub(crate) mod node;
pub(crate) mod number;
mod parser;
mod scope;
mod unquote;

pub(crate) use parser::{Definition, Definitions, parse};
