//! A cursor over the characters of one text that knows its line and column, and the classes of characters that YAML 1.1
//! distinguishes. Never copies the text and never looks at tokens.

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

/// The bytes at which something ends: line breaks, the text's end and some ASCII characters.
pub(crate) struct Ends([bool; 256]);

impl Ends {
    pub(crate) const LINE: Self = Self::with(b"");

    pub(crate) const fn with(characters: &[u8]) -> Self {
        let mut ends = [false; 256];
        // The last two begin the line breaks that are not ASCII, and other characters besides.
        let breaks = [0, b'\n', b'\r', 0xc2, 0xe2];
        let mut at = 0;
        while at < breaks.len() {
            ends[breaks[at] as usize] = true;
            at += 1;
        }
        at = 0;
        while at < characters.len() {
            ends[characters[at] as usize] = true;
            at += 1;
        }
        Self(ends)
    }
}

pub(crate) struct Cursor<'a> {
    text: &'a str,
    /// The byte at which the cursor stands.
    at: usize,
    pub(crate) mark: Mark,
}

impl<'a> Cursor<'a> {
    /// Refuses control characters, which YAML does not allow anywhere, and skips a byte-order mark.
    pub(crate) fn new(text: &'a str) -> Result<Self, Error> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let refused = |at: &usize| !text[*at..].starts_with(is_allowed);
        if let Some(at) = suspects(text).find(refused) {
            let before = &text[..at];
            let line = before.matches('\n').count() + 1;
            let column = before.chars().rev().take_while(|&c| c != '\n').count() + 1;
            return Err(Error::at(
                Position { line, column },
                format!(
                    "control characters are not allowed: U+{:04X}",
                    first(&text[at..]).map_or(0, u32::from)
                ),
            ));
        }
        Ok(Self {
            text,
            at: 0,
            mark: Mark::default(),
        })
    }

    /// The character `ahead` of the cursor, [`END`] past the text. What stands between must be ASCII.
    #[inline]
    pub(crate) fn peek(&self, ahead: usize) -> char {
        let at = self.at + ahead;
        match self.text.as_bytes().get(at) {
            Some(&byte) if byte.is_ascii() => char::from(byte),
            _ => self.text.get(at..).and_then(first).unwrap_or(END),
        }
    }

    pub(crate) fn current(&self) -> char {
        self.peek(0)
    }

    /// What the cursor has not come to.
    pub(crate) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Steps over one character that is no line break.
    #[inline]
    pub(crate) fn skip(&mut self) {
        self.at += self.current().len_utf8();
        self.mark.index += 1;
        self.mark.column += 1;
    }

    pub(crate) fn skip_blanks(&mut self) {
        self.take_while(is_blank);
    }

    /// Steps over a comment, up to its line break.
    pub(crate) fn skip_comment(&mut self) {
        if self.current() == '#' {
            self.take_until(&Ends::LINE);
        }
    }

    /// Moves the character into `into`.
    pub(crate) fn take(&mut self, into: &mut String) {
        into.push(self.current());
        self.skip();
    }

    /// Takes all that stands before the first character that ends it, or the text's end.
    pub(crate) fn take_until(&mut self, ends: &Ends) -> &'a str {
        let rest = self.rest();
        let mut length = 0;
        loop {
            let bytes = &rest.as_bytes()[length..];
            let end = bytes.iter().position(|&byte| ends.0[usize::from(byte)]);
            length += end.unwrap_or(bytes.len());
            match first(&rest[length..]) {
                Some(c) if !c.is_ascii() && !is_break(c) => length += c.len_utf8(),
                _ => break,
            }
        }
        let taken = &rest[..length];
        self.advance(length, taken.chars().count());
        taken
    }

    /// Takes all ASCII characters that are `within`, of which none may be a line break.
    pub(crate) fn take_while(&mut self, within: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let ends = |byte: u8| !byte.is_ascii() || !within(char::from(byte));
        let end = rest.bytes().position(ends);
        let length = end.unwrap_or(rest.len());
        self.advance(length, length);
        &rest[..length]
    }

    /// Steps over so many bytes of so many characters, none of which is a line break.
    fn advance(&mut self, length: usize, characters: usize) {
        self.at += length;
        self.mark.index += characters;
        self.mark.column += characters;
    }

    /// Steps over a line break, if there is one, and says what it means: a line feed, unless it is one of Unicode's own
    /// separators.
    pub(crate) fn take_line(&mut self) -> &'static str {
        let (meaning, length, characters) = match self.current() {
            '\r' if self.peek(1) == '\n' => ("\n", 2, 2),
            '\n' | '\r' => ("\n", 1, 1),
            '\u{85}' => ("\n", 2, 1),
            '\u{2028}' => ("\u{2028}", 3, 1),
            '\u{2029}' => ("\u{2029}", 3, 1),
            _ => return "",
        };
        self.at += length;
        self.mark.index += characters;
        self.mark.line += 1;
        self.mark.column = 0;
        meaning
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

fn first(text: &str) -> Option<char> {
    text.chars().next()
}

/// The places where characters begin that may not be allowed, which are few. Looks at many bytes at once.
fn suspects(text: &str) -> impl Iterator<Item = usize> {
    const AT_ONCE: usize = 64;
    let parts = text.as_bytes().chunks(AT_ONCE).enumerate();
    let suspect =
        parts.filter(|(_, part)| part.iter().fold(false, |any, &byte| any | is_suspect(byte)));
    suspect.flat_map(|(number, part)| {
        let bytes = part.iter().enumerate();
        let suspects = bytes.filter(|&(_, &byte)| is_suspect(byte));
        suspects.map(move |(at, _)| number * AT_ONCE + at)
    })
}

fn is_suspect(byte: u8) -> bool {
    match byte {
        b'\t' | b'\n' | b'\r' => false,
        // The last two are what U+0080 to U+00BF and U+F000 to U+FFFF begin with.
        ..b' ' | 0x7f | 0xc2 | 0xef => true,
        _ => false,
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
