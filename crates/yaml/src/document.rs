//! Reads a stream of documents as apimachinery's YAML or JSON decoder does. Never skips a document that has content.

use serde_json::Value;

use crate::{
    Error, Limits, Position, from_str_with, json, locate,
    split::{RawDocument, split_documents},
};

/// One document of a stream, as JSON.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// The content; never null, because documents without content are left out.
    pub value: Value,
    /// The line of the stream, counted from 1, on which the document's text starts.
    pub line: usize,
    text: String,
}

impl Document {
    /// The place in the stream of what a JSON pointer (`/spec/ports/0/name`) names: of the key for a mapping's entry, of
    /// the item for a sequence's. `None` if there is no such thing. Reads the text again, so it is for error messages.
    pub fn position_of(&self, pointer: &str) -> Option<Position> {
        let position = locate::position_of(&self.text, pointer)?;
        Some(Position {
            line: position.line + self.line - 1,
            ..position
        })
    }
}

/// Reads every document of a stream that has content, splitting it and sniffing JSON as apimachinery does. The first
/// error ends it, with its place in the stream.
pub fn parse_documents(text: &str) -> Result<Vec<Document>, Error> {
    parse_documents_with(text, &Limits::default())
}

/// As [`parse_documents`], within the given limits.
pub fn parse_documents_with(text: &str, limits: &Limits) -> Result<Vec<Document>, Error> {
    limits.check_size(text)?;
    let mut documents = Vec::new();
    if text.trim_start().starts_with('{') {
        parse_json(text, limits, &mut documents)?;
    } else {
        parse_yaml(text, 0, limits, &mut documents)?;
    }
    Ok(documents)
}

fn parse_yaml(
    text: &str,
    lines_before: usize,
    limits: &Limits,
    documents: &mut Vec<Document>,
) -> Result<(), Error> {
    for raw in split_documents(text) {
        let RawDocument { text, line } = raw.map_err(|error| error.below(lines_before))?;
        let line = line + lines_before;
        let value = from_str_with(&text, limits).map_err(|error| error.below(line - 1))?;
        if !value.is_null() {
            documents.push(Document { value, line, text });
        }
    }
    Ok(())
}

/// Reads JSON values one after another. What is no JSON is tried as YAML if at most one value came before it.
fn parse_json(text: &str, limits: &Limits, documents: &mut Vec<Document>) -> Result<(), Error> {
    let mut rest = text;
    let mut values = 0;
    loop {
        let lines_before = lines(&text[..text.len() - rest.len()]);
        match json::read(rest, limits.depth) {
            Ok(None) => return Ok(()),
            Ok(Some((value, end))) => {
                let (document, after) = rest.split_at(end);
                let trimmed = document.trim_start();
                let line = lines_before + lines(&document[..document.len() - trimmed.len()]) + 1;
                if !value.is_null() {
                    documents.push(Document {
                        value,
                        line,
                        text: trimmed.to_owned(),
                    });
                }
                rest = after;
                values += 1;
            }
            Err(error) => {
                let error = error.below(lines_before);
                let Some(yaml) = after_line(rest).filter(|_| values <= 1) else {
                    return Err(error);
                };
                let lines_before = lines(&text[..text.len() - yaml.len()]);
                return parse_yaml(yaml, lines_before, limits, documents)
                    .map_err(|yaml_error| further(error, yaml_error));
            }
        }
    }
}

/// The error that comes later in the text: its reader has understood more of it.
fn further(json: Error, yaml: Error) -> Error {
    if yaml.position() >= json.position() {
        yaml
    } else {
        json
    }
}

fn lines(text: &str) -> usize {
    text.matches('\n').count()
}

/// What stands after white space and at most one line's end. `None` where less than four bytes are left, which
/// apimachinery's reader takes for the end.
fn after_line(mut text: &str) -> Option<&str> {
    while text.len() >= 4 {
        let c = text.chars().next()?;
        if !c.is_whitespace() {
            return Some(text);
        }
        text = &text[c.len_utf8()..];
        if c == '\n' {
            return Some(text);
        }
    }
    None
}
