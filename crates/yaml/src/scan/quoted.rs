//! Reads scalars in quotes.
//! Never accepts an escape that Kubernetes refuses, such as `\/`.

use std::borrow::Cow;

use super::{
    Scanner, Style,
    folding::{Folding, add},
};
use crate::{
    Error,
    cursor::{END, Ends, is_blank, is_break},
};

const SINGLE: Ends = Ends::with(b"'");
const DOUBLE: Ends = Ends::with(b"\"\\");

impl Scanner<'_> {
    pub(super) fn quoted_scalar(&mut self, single: bool) -> Result<(), Error> {
        self.save_key()?;
        self.key_allowed = false;
        let start = self.cursor.mark;
        let quote = if single { '\'' } else { '"' };
        let ends = if single { &SINGLE } else { &DOUBLE };
        let mut text = Cow::default();
        self.cursor.skip();
        loop {
            if self.cursor.at_document_indicator() {
                return Err(self
                    .cursor
                    .error("found unexpected document indicator in a quoted scalar"));
            }
            let piece = self.cursor.take_until(ends);
            let current = self.cursor.current();
            if is_break(current) {
                // What stands before it at the end of the line is not content.
                add(piece.trim_end_matches(is_blank), &mut text);
                self.fold(Folding::default(), &mut text);
                continue;
            }
            add(piece, &mut text);
            match current {
                END => {
                    let message = format!(
                        "found unexpected end of stream in a quoted scalar, {quote} is missing"
                    );
                    return Err(Error::at(start.position(), message));
                }
                '\\' if is_break(self.cursor.peek(1)) => {
                    self.cursor.skip();
                    self.cursor.take_line();
                    self.fold(Folding::escaped(), &mut text);
                }
                '\\' => self.escape(text.to_mut())?,
                _ if single && self.cursor.peek(1) == quote => {
                    add("'", &mut text);
                    self.cursor.skip();
                    self.cursor.skip();
                }
                _ => break,
            }
        }
        self.cursor.skip();
        self.push_scalar(text, Style::Quoted, start)
    }

    /// Takes all line breaks and indentation before the next line with content.
    fn fold(&mut self, mut folding: Folding, text: &mut Cow<'_, str>) {
        while is_blank(self.cursor.current()) || is_break(self.cursor.current()) {
            folding.eat(&mut self.cursor);
        }
        folding.add("", text);
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
