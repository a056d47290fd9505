//! strconv's quoting of strings and characters.

use std::fmt::Write as _;

/// Which characters stay as they are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Plain {
    /// Everything printable.
    Printable,
    /// Only ASCII.
    Ascii,
}

/// `strconv.Quote`.
pub(crate) fn quote(text: &str) -> String {
    quote_with(text, Plain::Printable)
}

pub(crate) fn quote_with(text: &str, plain: Plain) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        push_escaped(&mut out, c, '"', plain);
    }
    out.push('"');
    out
}

/// `strconv.QuoteRune` for any integer; what is no character becomes the replacement character.
pub(crate) fn quote_rune(code: u64, plain: Plain) -> String {
    let c = u32::try_from(code)
        .ok()
        .and_then(char::from_u32)
        .unwrap_or(char::REPLACEMENT_CHARACTER);
    let mut out = String::from("'");
    push_escaped(&mut out, c, '\'', plain);
    out.push('\'');
    out
}

/// Whether a string can stand between backquotes.
pub(crate) fn can_backquote(text: &str) -> bool {
    text.chars()
        .all(|c| c != '`' && c != '\u{feff}' && c != '\u{7f}' && (c >= ' ' || c == '\t'))
}

fn push_escaped(out: &mut String, c: char, quote: char, plain: Plain) {
    if c == quote || c == '\\' {
        out.push('\\');
        out.push(c);
        return;
    }
    if c.is_ascii() && !c.is_ascii_control() || plain == Plain::Printable && is_printable(c) {
        out.push(c);
        return;
    }
    match c {
        '\x07' => out.push_str("\\a"),
        '\x08' => out.push_str("\\b"),
        '\x0c' => out.push_str("\\f"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\x0b' => out.push_str("\\v"),
        c => {
            let code = u32::from(c);
            // Writing to a string cannot fail.
            let _ = match code {
                0..0x20 | 0x7f => write!(out, "\\x{code:02x}"),
                0x80..0x1_0000 => write!(out, "\\u{code:04x}"),
                _ => write!(out, "\\U{code:08x}"),
            };
        }
    }
}

/// Go's `IsPrint`: letters, marks, numbers, punctuation, symbols and the ASCII blank.
///
/// Rust's own escaping knows the same categories, except that it escapes marks that extend what stands before.
pub(crate) fn is_printable(c: char) -> bool {
    if c == ' ' {
        return true;
    }
    !c.is_whitespace()
        && !c.is_control()
        && (c.is_alphanumeric() || is_mark(c) || c.escape_debug().len() == 1)
}

/// Combining marks of the blocks that texts really use.
fn is_mark(c: char) -> bool {
    matches!(u32::from(c), 0x300..=0x36f | 0x483..=0x489 | 0x591..=0x5bd | 0x610..=0x61a | 0x64b..=0x65f
        | 0x900..=0x903 | 0x93a..=0x94f | 0x1ab0..=0x1ace | 0x1dc0..=0x1dff | 0x20d0..=0x20f0 | 0xfe00..=0xfe0f | 0xfe20..=0xfe2f)
}
