//! Splits a stream into documents by its lines, as apimachinery's reader does: without knowledge of YAML, so that a
//! separator cuts inside quoted text too, and `...` ends nothing.

use memchr::{memchr, memchr_iter, memmem};

use crate::{Error, Position};

const SEPARATOR: &str = "---";

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
    let first = text.starts_with(SEPARATOR).then_some(0);
    let others = memmem::find_iter(text.as_bytes(), b"\n---").map(|at| at + 1);
    let mut separators = first.into_iter().chain(others);
    // Where the last separator's line ends, and how many lines there are up to that.
    let (mut end, mut lines) = (0, 0);
    let mut failed = false;
    std::iter::from_fn(move || {
        if failed {
            return None;
        }
        let (start, line) = (end, lines + 1);
        for separator in separators.by_ref() {
            lines += count_lines(&text[end..separator]) + 1;
            let rest = &text[separator + SEPARATOR.len()..];
            let length = memchr(b'\n', rest.as_bytes()).map_or(rest.len(), |at| at + 1);
            if let Err(error) = check_separator(&rest[..length], lines) {
                failed = true;
                return Some(Err(error));
            }
            end = separator + SEPARATOR.len() + length;
            if separator > start {
                let text = unix(&text[start..separator]);
                return Some(Ok(RawDocument { text, line }));
            }
        }
        end = text.len();
        let text = unix(&text[start..]);
        (!text.is_empty()).then_some(Ok(RawDocument { text, line }))
    })
}

fn count_lines(text: &str) -> usize {
    memchr_iter(b'\n', text.as_bytes()).count()
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
    let mut lines = if memchr(b'\r', lines.as_bytes()).is_some() {
        lines.replace("\r\n", "\n")
    } else {
        lines.to_owned()
    };
    if !lines.is_empty() && !lines.ends_with('\n') {
        lines.push('\n');
    }
    lines
}
