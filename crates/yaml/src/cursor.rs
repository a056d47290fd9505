//! A cursor over the characters of one text that knows its line and column, and the classes of characters that YAML 1.1
//! distinguishes. Never allocates beyond the text and never looks at tokens.

use crate::{Error, Position};

/// Stands for the end of the text; [`Cursor::new`] refuses texts that contain it.
pub(crate) const END: char = '\0';

/// A place in the text, counted from 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) index: usize,
    pub(crate) line: usize,
    pub(crate) column: usize,
}

impl Mark {
    pub(crate) fn position(self) -> Position {
        Position {
            line: self.line + 1,
            column: self.column + 1,
        }
    }
}

pub(crate) struct Cursor {
    chars: Vec<char>,
    pub(crate) mark: Mark,
}

impl Cursor {
    /// Refuses control characters, which YAML does not allow anywhere, and skips a byte-order mark.
    pub(crate) fn new(text: &str) -> Result<Self, Error> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut chars = Vec::with_capacity(text.len());
        chars.extend(text.chars());
        if let Some(index) = chars.iter().position(|&c| !is_allowed(c)) {
            let before = &chars[..index];
            let line = before.iter().filter(|&&c| c == '\n').count() + 1;
            let column = before.iter().rev().take_while(|&&c| c != '\n').count() + 1;
            return Err(Error::at(
                Position { line, column },
                format!(
                    "control characters are not allowed: U+{:04X}",
                    u32::from(chars[index])
                ),
            ));
        }
        Ok(Self {
            chars,
            mark: Mark::default(),
        })
    }

    /// The character `ahead` of the cursor, [`END`] past the text.
    pub(crate) fn peek(&self, ahead: usize) -> char {
        self.chars
            .get(self.mark.index + ahead)
            .copied()
            .unwrap_or(END)
    }

    pub(crate) fn current(&self) -> char {
        self.peek(0)
    }

    /// Steps over one character that is no line break.
    pub(crate) fn skip(&mut self) {
        self.mark.index += 1;
        self.mark.column += 1;
    }

    pub(crate) fn skip_blanks(&mut self) {
        while is_blank(self.current()) {
            self.skip();
        }
    }

    /// Steps over a comment, up to its line break.
    pub(crate) fn skip_comment(&mut self) {
        if self.current() == '#' {
            while !is_break_or_end(self.current()) {
                self.skip();
            }
        }
    }

    /// Moves the character into `into`.
    pub(crate) fn take(&mut self, into: &mut String) {
        into.push(self.current());
        self.skip();
    }

    /// Moves all that stands before the first character that `ends`, or the text's end, into `into`. Every line break
    /// must be such a character.
    pub(crate) fn take_until(&mut self, into: &mut String, ends: impl Fn(char) -> bool) {
        let rest = self.chars.get(self.mark.index..).unwrap_or_default();
        let length = rest.iter().position(|&c| ends(c)).unwrap_or(rest.len());
        into.extend(&rest[..length]);
        self.mark.index += length;
        self.mark.column += length;
    }

    /// Steps over a line break, if there is one.
    pub(crate) fn skip_line(&mut self) {
        if !is_break(self.current()) {
            return;
        }
        let pair = self.current() == '\r' && self.peek(1) == '\n';
        self.mark.index += if pair { 2 } else { 1 };
        self.mark.line += 1;
        self.mark.column = 0;
    }

    /// Moves a line break into `into`, normalised to a line feed unless it is one of Unicode's own separators.
    pub(crate) fn take_line(&mut self, into: &mut String) {
        match self.current() {
            c @ ('\u{2028}' | '\u{2029}') => into.push(c),
            c if is_break(c) => into.push('\n'),
            _ => {}
        }
        self.skip_line();
    }

    /// Whether `---` or `...` stands alone at the start of a line.
    pub(crate) fn at_document_indicator(&self) -> bool {
        self.at_indicator('-') || self.at_indicator('.')
    }

    /// Whether three of `c` stand alone at the start of a line.
    pub(crate) fn at_indicator(&self, c: char) -> bool {
        self.mark.column == 0
            && (0..3).all(|ahead| self.peek(ahead) == c)
            && is_blank_or_end(self.peek(3))
    }

    pub(crate) fn error(&self, message: impl Into<String>) -> Error {
        Error::at(self.mark.position(), message)
    }
}

fn is_allowed(c: char) -> bool {
    matches!(c,
        '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{a0}'..='\u{fffd}' | '\u{10000}'..)
}

pub(crate) fn is_blank(c: char) -> bool {
    c == ' ' || c == '\t'
}

pub(crate) fn is_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

pub(crate) fn is_break_or_end(c: char) -> bool {
    c == END || is_break(c)
}

/// Blank, line break or end: what must follow most indicators.
pub(crate) fn is_blank_or_end(c: char) -> bool {
    is_blank(c) || is_break_or_end(c)
}

/// What anchors and tag handles consist of.
pub(crate) fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '-'
}
