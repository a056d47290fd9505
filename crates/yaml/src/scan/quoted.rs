//! Reads scalars in quotes, and folds the white space and line breaks within flow scalars.
//! Never accepts an escape that Kubernetes refuses, such as `\/`.

use super::{Scanner, Style, TokenKind};
use crate::{
    Error,
    cursor::{Cursor, END, is_blank, is_blank_or_end, is_break},
};

/// White space between two words of a flow scalar: kept within a line, folded across lines.
#[derive(Default)]
pub(super) struct Folding {
    spaces: String,
    first_break: Option<String>,
    more_breaks: String,
}

impl Folding {
    pub(super) fn has_break(&self) -> bool {
        self.first_break.is_some()
    }

    /// Takes one blank or line break; blanks after a line break are indentation.
    pub(super) fn eat(&mut self, cursor: &mut Cursor) {
        if is_blank(cursor.current()) {
            if self.has_break() {
                cursor.skip();
            } else {
                cursor.take(&mut self.spaces);
            }
        } else if self.has_break() {
            cursor.take_line(&mut self.more_breaks);
        } else {
            self.spaces.clear();
            cursor.take_line(self.first_break.insert(String::new()));
        }
    }

    /// Takes a line break that a backslash has escaped: it leaves nothing, not even a space.
    fn escape_break(&mut self, cursor: &mut Cursor) {
        cursor.skip();
        cursor.skip_line();
        self.first_break = Some(String::new());
    }

    /// Adds what was eaten to the text, and starts again.
    pub(super) fn flush(&mut self, text: &mut String) {
        match self.first_break.take() {
            Some(first) if first == "\n" && self.more_breaks.is_empty() => text.push(' '),
            Some(first) if first == "\n" => text.push_str(&self.more_breaks),
            Some(first) => {
                text.push_str(&first);
                text.push_str(&self.more_breaks);
            }
            None => text.push_str(&self.spaces),
        }
        self.spaces.clear();
        self.more_breaks.clear();
    }
}

impl Scanner {
    pub(super) fn quoted_scalar(&mut self, single: bool) -> Result<(), Error> {
        self.save_key()?;
        self.key_allowed = false;
        let start = self.cursor.mark;
        let quote = if single { '\'' } else { '"' };
        let mut text = String::new();
        self.cursor.skip();
        loop {
            if self.cursor.at_document_indicator() {
                return Err(self
                    .cursor
                    .error("found unexpected document indicator in a quoted scalar"));
            }
            if self.cursor.current() == END {
                let message = format!(
                    "found unexpected end of stream in a quoted scalar, {quote} is missing"
                );
                return Err(Error::at(start.position(), message));
            }
            let mut folding = Folding::default();
            self.quoted_word(single, &mut text, &mut folding)?;
            if self.cursor.current() == quote {
                break;
            }
            while is_blank(self.cursor.current()) || is_break(self.cursor.current()) {
                folding.eat(&mut self.cursor);
            }
            folding.flush(&mut text);
        }
        self.cursor.skip();
        self.push(
            TokenKind::Scalar {
                text,
                style: Style::Quoted,
            },
            start,
        );
        Ok(())
    }

    /// Reads up to white space, the end or the closing quote.
    fn quoted_word(
        &mut self,
        single: bool,
        text: &mut String,
        folding: &mut Folding,
    ) -> Result<(), Error> {
        while !is_blank_or_end(self.cursor.current()) {
            match self.cursor.current() {
                '\'' if single && self.cursor.peek(1) == '\'' => {
                    text.push('\'');
                    self.cursor.skip();
                    self.cursor.skip();
                }
                '\'' if single => break,
                '"' if !single => break,
                '\\' if !single && is_break(self.cursor.peek(1)) => {
                    folding.escape_break(&mut self.cursor);
                    break;
                }
                '\\' if !single => self.escape(text)?,
                _ => {
                    self.cursor.take(text);
                    let special = |c| is_blank_or_end(c) || matches!(c, '\'' | '"' | '\\');
                    self.cursor.take_until(text, special);
                }
            }
        }
        Ok(())
    }

    fn escape(&mut self, text: &mut String) -> Result<(), Error> {
        let length = match self.cursor.peek(1) {
            'x' => 2,
            'u' => 4,
            'U' => 8,
            c => {
                let escaped = simple_escape(c)
                    .ok_or_else(|| self.cursor.error("found unknown escape character"))?;
                text.push(escaped);
                0
            }
        };
        self.cursor.skip();
        self.cursor.skip();
        if length == 0 {
            return Ok(());
        }
        let mut code: u32 = 0;
        for _ in 0..length {
            let digit = self.cursor.current().to_digit(16).ok_or_else(|| {
                self.cursor
                    .error("did not find expected hexadecimal number")
            })?;
            code = (code << 4) | digit;
            self.cursor.skip();
        }
        let message = "found invalid Unicode character escape code";
        text.push(char::from_u32(code).ok_or_else(|| self.cursor.error(message))?);
        Ok(())
    }
}

fn simple_escape(c: char) -> Option<char> {
    Some(match c {
        '0' => '\0',
        'a' => '\u{7}',
        'b' => '\u{8}',
        't' | '\t' => '\t',
        'n' => '\n',
        'v' => '\u{b}',
        'f' => '\u{c}',
        'r' => '\r',
        'e' => '\u{1b}',
        ' ' | '"' | '\'' | '\\' => c,
        'N' => '\u{85}',
        '_' => '\u{a0}',
        'L' => '\u{2028}',
        'P' => '\u{2029}',
        _ => return None,
    })
}
