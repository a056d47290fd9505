//! Reads scalars without quotes. Never decides what they mean: `yes` leaves here as text.

use std::borrow::Cow;

use super::{Scanner, Style, folding::Folding};
use crate::{
    Error,
    cursor::{Ends, is_blank, is_blank_or_end, is_break},
};

/// What may end a scalar in block collections and in flow collections.
const BLOCK: Ends = Ends::with(b":#");
const FLOW: Ends = Ends::with(b":#,?[]{}");

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
        self.push_scalar(text, Style::Plain, start)
    }

    /// Takes what stands up to the end of the line or the scalar, without the blanks before that.
    fn plain_line(&mut self) -> &'a str {
        let may_end = if self.in_flow() { &FLOW } else { &BLOCK };
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
