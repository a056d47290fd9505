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
            while !is_blank_or_end(self.cursor.current()) && !self.ends_plain() {
                folding.flush(&mut text);
                self.cursor.take(&mut text);
            }
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

    fn ends_plain(&self) -> bool {
        match self.cursor.current() {
            ':' => is_blank_or_end(self.cursor.peek(1)),
            ',' | '?' | '[' | ']' | '{' | '}' => self.in_flow(),
            _ => false,
        }
    }
}
