//! Reads scalars without quotes. Never decides what they mean: `yes` leaves here as text.

use std::borrow::Cow;

use super::{Scanner, Style, TokenKind, folding::Folding};
use crate::{
    Error,
    cursor::{is_blank, is_blank_or_end, is_break, is_break_or_end},
};

impl<'a> Scanner<'a> {
    pub(super) fn plain_scalar(&mut self) -> Result<(), Error> {
        self.save_key()?;
        self.key_allowed = false;
        let start = self.cursor.mark;
        let indent = self.indent + 1;
        let mut text = Cow::default();
        let mut folding = Folding::default();
        while !self.cursor.at_document_indicator() {
            let line = self.plain_line();
            if !line.is_empty() {
                folding.add(line, &mut text);
            }
            if !is_break(self.cursor.current()) {
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

    /// Takes what stands up to the end of the line or the scalar, without the blanks before that.
    fn plain_line(&mut self) -> &'a str {
        let in_flow = self.in_flow();
        let may_end = |c: char| {
            is_break_or_end(c)
                || matches!(c, ':' | '#')
                || in_flow && matches!(c, ',' | '?' | '[' | ']' | '{' | '}')
        };
        let rest = self.cursor.rest();
        loop {
            self.cursor.take_until(may_end);
            let line = &rest[..rest.len() - self.cursor.rest().len()];
            let ends = match self.cursor.current() {
                ':' => is_blank_or_end(self.cursor.peek(1)),
                '#' => line.is_empty() || line.ends_with(is_blank),
                _ => true,
            };
            if ends {
                return line.trim_end_matches(is_blank);
            }
            self.cursor.skip();
        }
    }
}
