//! Reads literal (`|`) and folded (`>`) block scalars. Never adds a line break that the text does not have: a block that
//! ends with the text, without a line break, has none.

use super::{Scanner, Style, TokenKind};
use crate::{
    Error,
    cursor::{END, Ends, is_blank, is_break, is_break_or_end},
};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Chomping {
    Strip,
    Clip,
    Keep,
}

impl Scanner<'_> {
    pub(super) fn block_scalar(&mut self, literal: bool) -> Result<(), Error> {
        self.keys.remove()?;
        self.key_allowed = true;
        let start = self.cursor.mark;
        self.cursor.skip();
        let (chomping, increment) = self.block_header()?;
        let mut indent = match increment {
            0 => None,
            more => Some(self.indent.max(0) + more),
        };
        let mut text = String::new();
        let mut line_break = "";
        let mut empty_lines = String::new();
        let mut after_blank = false;
        let mut column = self.block_breaks(&mut indent, &mut empty_lines)?;
        while self.column() == column && self.cursor.current() != END {
            let at_blank = is_blank(self.cursor.current());
            let fold = !literal && !after_blank && !at_blank && line_break == "\n";
            if !fold {
                text.push_str(line_break);
            } else if empty_lines.is_empty() {
                text.push(' ');
            }
            text.push_str(&empty_lines);
            empty_lines.clear();
            after_blank = at_blank;
            text.push_str(self.cursor.take_until(&Ends::LINE));
            line_break = self.cursor.take_line();
            column = self.block_breaks(&mut indent, &mut empty_lines)?;
        }
        if chomping != Chomping::Strip {
            text.push_str(line_break);
        }
        if chomping == Chomping::Keep {
            text.push_str(&empty_lines);
        }
        self.push(
            TokenKind::Scalar {
                text: text.into(),
                style: Style::Block,
            },
            start,
        );
        Ok(())
    }

    /// Reads `+`, `-` and the indentation's digit, in either order, and the rest of the line. No digit is 0.
    fn block_header(&mut self) -> Result<(Chomping, isize), Error> {
        let mut chomping = self.chomping();
        let increment = self.indentation_digit()?;
        if chomping.is_none() && increment > 0 {
            chomping = self.chomping();
        }
        self.cursor.skip_blanks();
        self.cursor.skip_comment();
        if !is_break_or_end(self.cursor.current()) {
            let message =
                "did not find expected comment or line break after the head of a block scalar";
            return Err(self.cursor.error(message));
        }
        self.cursor.take_line();
        Ok((chomping.unwrap_or(Chomping::Clip), increment))
    }

    fn chomping(&mut self) -> Option<Chomping> {
        let chomping = match self.cursor.current() {
            '+' => Chomping::Keep,
            '-' => Chomping::Strip,
            _ => return None,
        };
        self.cursor.skip();
        Some(chomping)
    }

    fn indentation_digit(&mut self) -> Result<isize, Error> {
        match self.cursor.current().to_digit(10) {
            None => Ok(0),
            Some(0) => Err(self
                .cursor
                .error("found an indentation indicator equal to 0")),
            Some(digit) => {
                self.cursor.skip();
                Ok(isize::try_from(digit).unwrap_or(0))
            }
        }
    }

    /// Skips indentation and empty lines before a line of content; the first time without a digit, the deepest of them
    /// says what the indentation is.
    fn block_breaks(
        &mut self,
        indent: &mut Option<isize>,
        empty_lines: &mut String,
    ) -> Result<isize, Error> {
        let mut deepest = 0;
        loop {
            let within = |column: isize| indent.is_none_or(|indent| column < indent);
            while within(self.column()) && self.cursor.current() == ' ' {
                self.cursor.skip();
            }
            deepest = deepest.max(self.column());
            if within(self.column()) && self.cursor.current() == '\t' {
                let message = "found a tab character where an indentation space is expected";
                return Err(self.cursor.error(message));
            }
            if !is_break(self.cursor.current()) {
                break;
            }
            empty_lines.push_str(self.cursor.take_line());
        }
        Ok(*indent.get_or_insert(deepest.max(self.indent + 1).max(1)))
    }
}
