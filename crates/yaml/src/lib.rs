//! YAML as Kubernetes reads and writes it: sigs.k8s.io/yaml's values and apimachinery's document reader.
//! Never touches files, clocks or the network, and never guesses: what Kubernetes refuses is refused here.
//!
//! A text goes through `cursor` (characters), `scan` (tokens), `parse` (grammar) and `direct` (JSON); where there
//! are aliases, tags or anything wrong, through `node` (the tree as written), `construct` (aliases, merges, kinds) and
//! `typed` (JSON) in its place. `document` splits a stream first. `emit` is the way back.

mod construct;
mod cursor;
mod direct;
mod document;
mod emit;
mod encoding;
mod error;
mod json;
mod limits;
mod locate;
mod node;
mod number;
mod parse;
mod scalar;
mod scan;
mod split;
mod timestamp;
mod typed;

use serde_json::Value;

use self::node::Tree;
pub use self::{
    document::{Document, parse_documents, parse_documents_with},
    emit::to_string,
    encoding::decode,
    error::{Error, Position},
    limits::Limits,
    split::{RawDocument, split_documents},
};

/// Reads the first document of a text as JSON. A repeated key overwrites the earlier one; an empty text is null.
pub fn from_str(text: &str) -> Result<Value, Error> {
    from_str_with(text, &Limits::default())
}

/// As [`from_str`], within the given limits.
pub fn from_str_with(text: &str, limits: &Limits) -> Result<Value, Error> {
    read(text, limits, false)
}

/// As [`from_str`], but a key that is set twice in one mapping is an error.
pub fn from_str_strict(text: &str) -> Result<Value, Error> {
    read(text, &Limits::default(), true)
}

fn read(text: &str, limits: &Limits, strict: bool) -> Result<Value, Error> {
    limits.check_size(text)?;
    if let Some(value) = direct::read(text, limits) {
        return Ok(value);
    }
    match Tree::read(text, limits.depth)? {
        Some(tree) => construct::construct(&tree, limits, strict)?.into_json(),
        None => Ok(Value::Null),
    }
}
