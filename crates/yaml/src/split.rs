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
    let mut lines = text.split_inclusive('\n');
    // How many lines have been read, and where they end.
    let (mut count, mut end) = (0, 0);
    let mut failed = false;
    std::iter::from_fn(move || {
        if failed {
            return None;
        }
        let (start, line) = (end, count + 1);
        for next in lines.by_ref() {
            let before = end;
            count += 1;
            end += next.len();
            let Some(rest) = next.strip_prefix("---") else {
                continue;
            };
            if let Err(error) = check_separator(rest, count) {
                failed = true;
                return Some(Err(error));
            }
            if before > start {
                let text = unix(&text[start..before]);
                return Some(Ok(RawDocument { text, line }));
            }
        }
        let text = unix(&text[start..end]);
        (!text.is_empty()).then_some(Ok(RawDocument { text, line }))
    })
}

fn check_separator(rest: &str, line: usize) -> Result<(), Error> {
    let rest = rest.trim();
    if rest.is_empty() || rest.starts_with('#') {
        return Ok(());
    }
    let message = "invalid YAML document separator: only a comment may follow '---'";
    Err(Error::at(Position { line, column: 4 }, message))
}

/// The lines, each ended by a line feed alone.
fn unix(lines: &str) -> String {
    let mut lines = if lines.contains('\r') {
        lines.replace("\r\n", "\n")
    } else {
        lines.to_owned()
    };
    if !lines.is_empty() && !lines.ends_with('\n') {
        lines.push('\n');
    }
    lines
}
