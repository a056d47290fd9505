//! Line breaks within flow scalars: one becomes a space, of several the first is left out. Never holds the text itself.

use std::borrow::Cow;

use crate::cursor::{Cursor, is_blank};

/// The line breaks after what was read, if there are any, and the indentation after them.
#[derive(Default)]
pub(super) struct Folding {
    first_break: Option<&'static str>,
    more_breaks: String,
}

impl Folding {
    /// A line break that a backslash has escaped: it leaves nothing, not even a space.
    pub(super) fn escaped() -> Self {
        Self {
            first_break: Some(""),
            more_breaks: String::new(),
        }
    }

    pub(super) fn has_break(&self) -> bool {
        self.first_break.is_some()
    }

    /// Takes one blank and spaces after it, or one line break.
    pub(super) fn eat(&mut self, cursor: &mut Cursor<'_>) {
        if is_blank(cursor.current()) {
            cursor.skip();
            cursor.take_while(|c| c == ' ');
        } else if self.has_break() {
            self.more_breaks.push_str(cursor.take_line());
        } else {
            self.first_break = Some(cursor.take_line());
        }
    }

    /// Adds what the breaks become and what stands after them to the text, and starts again.
    pub(super) fn add<'a>(&mut self, piece: &'a str, text: &mut Cow<'a, str>) {
        if let Some(first) = self.first_break.take() {
            let first = match first {
                "\n" if self.more_breaks.is_empty() => " ",
                "\n" => "",
                separator => separator,
            };
            add(first, text);
            text.to_mut().push_str(&self.more_breaks);
        }
        self.more_breaks.clear();
        add(piece, text);
    }
}

/// Adds to a text, which is a piece of the source as long as it has only one.
pub(super) fn add<'a>(piece: &'a str, text: &mut Cow<'a, str>) {
    if text.is_empty() {
        *text = Cow::Borrowed(piece);
    } else {
        text.to_mut().push_str(piece);
    }
}
