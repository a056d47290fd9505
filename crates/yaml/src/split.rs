//! Splits a stream into documents by its lines, as apimachinery's reader does: without knowledge of YAML, so that a
//! separator cuts inside quoted text too, and `...` ends nothing.

use crate::{Error, Position};

/// The text of one document, its lines ended by line feeds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawDocument {
    /// The text; a `---` that no other document precedes is part of it.
    pub text: String,
    /// The line of the stream, counted from 1, on which the text starts.
    pub line: usize,
}

/// Splits a stream at its `---` lines. What follows `---` on its line must be blank or a comment.
pub fn split_documents(text: &str) -> impl Iterator<Item = Result<RawDocument, Error>> {
    let mut lines = text.split_inclusive('\n').enumerate();
    let mut failed = false;
    std::iter::from_fn(move || {
        let mut document = RawDocument {
            text: String::new(),
            line: 1,
        };
        while !failed {
            let Some((index, line)) = lines.next() else {
                break;
            };
            if let Some(rest) = line.strip_prefix("---") {
                let rest = rest.trim();
                if !rest.is_empty() && !rest.starts_with('#') {
                    failed = true;
                    let message =
                        "invalid YAML document separator: only a comment may follow '---'";
                    return Some(Err(Error::at(
                        Position {
                            line: index + 1,
                            column: 4,
                        },
                        message,
                    )));
                }
                if !document.text.is_empty() {
                    return Some(Ok(document));
                }
            }
            if document.text.is_empty() {
                document.line = index + 1;
            }
            match line.strip_suffix('\n') {
                Some(line) => document
                    .text
                    .push_str(line.strip_suffix('\r').unwrap_or(line)),
                None => document.text.push_str(line),
            }
            document.text.push('\n');
        }
        (!document.text.is_empty()).then_some(Ok(document))
    })
}
