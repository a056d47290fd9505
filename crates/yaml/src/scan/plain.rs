//! Reads scalars without quotes. Never decides what they mean: `yes` leaves here as text.

use super::{Scanner, Style, TokenKind, quoted::Folding};
use crate::{
    Error,
    cursor::{is_blank, is_blank_or_end, is_break},
};

impl Scanner {
    pub(super) fn plain_scalar(&mut self) -> Result<(), Error> {
        self.save_key()?;
        self.key_allowed = false;
        let start = self.cursor.mark;
        let indent = self.indent + 1;
        let mut text = String::new();
        let mut folding = Folding::default();
        while !self.cursor.at_document_indicator() && self.cursor.current() != '#' {
            self.plain_word(&mut text, &mut folding);
            if !is_blank(self.cursor.current()) && !is_break(self.cursor.current()) {
                break;
            }
            while is_blank(self.cursor.current()) || is_break(self.cursor.current()) {
                let shallow = folding.has_break() && self.column() < indent;
                if shallow && self.cursor.current() == '\t' {
                    return Err(self
                        .cursor
                        .error("found a tab character that violates indentation"));
                }
                folding.eat(&mut self.cursor);
            }
            if !self.in_flow() && self.column() < indent {
                break;
            }
        }
        if folding.has_break() {
            self.key_allowed = true;
        }
        self.push(
            TokenKind::Scalar {
                text,
                style: Style::Plain,
            },
            start,
        );
        Ok(())
    }

    /// Reads up to white space or the end of the scalar, with what was folded before it.
    fn plain_word(&mut self, text: &mut String, folding: &mut Folding) {
        let in_flow = self.in_flow();
        let may_end = |c: char| {
            is_blank_or_end(c)
                || c == ':'
                || in_flow && matches!(c, ',' | '?' | '[' | ']' | '{' | '}')
        };
        while !is_blank_or_end(self.cursor.current()) && !self.ends_plain() {
            folding.flush(text);
            // A `:` that ends nothing.
            self.cursor.take(text);
            self.cursor.take_until(text, may_end);
        }
    }

    fn ends_plain(&self) -> bool {
        match self.cursor.current() {
            ':' => is_blank_or_end(self.cursor.peek(1)),
            ',' | '?' | '[' | ']' | '{' | '}' => self.in_flow(),
            _ => false,
        }
    }
}
