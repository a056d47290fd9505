//! Decides by the next characters which token stands there. Never reads scalars, tags or directives itself.

use super::{Scanner, TokenKind};
use crate::{
    Error,
    cursor::{END, is_blank, is_blank_or_end, is_break},
};

impl Scanner<'_> {
    /// Scans one token, or several where an indentation ends, into the queue.
    pub(super) fn scan_token(&mut self) -> Result<(), Error> {
        self.skip_to_token();
        self.dedent_to(self.column());
        if self.cursor.mark.column == 0 {
            if self.cursor.current() == '%' {
                return self.directive();
            }
            if self.cursor.at_indicator('-') {
                return self.document_indicator(TokenKind::DocumentStart);
            }
            if self.cursor.at_indicator('.') {
                return self.document_indicator(TokenKind::DocumentEnd);
            }
        }
        let alone = is_blank_or_end(self.cursor.peek(1));
        let flow = self.in_flow();
        match self.cursor.current() {
            END => self.stream_end(),
            '[' => self.flow_start(TokenKind::FlowSequenceStart),
            '{' => self.flow_start(TokenKind::FlowMappingStart),
            ']' => self.flow_end(TokenKind::FlowSequenceEnd),
            '}' => self.flow_end(TokenKind::FlowMappingEnd),
            ',' => self.flow_entry(),
            '-' if alone => self.block_entry(),
            '?' if flow || alone => self.complex_key(),
            ':' if flow || alone => self.value(),
            '*' => self.named(TokenKind::Alias),
            '&' => self.named(TokenKind::Anchor),
            '!' => self.tag(),
            '|' if !flow => self.block_scalar(true),
            '>' if !flow => self.block_scalar(false),
            '\'' => self.quoted_scalar(true),
            '"' => self.quoted_scalar(false),
            c if self.starts_plain(c) => self.plain_scalar(),
            _ => Err(self
                .cursor
                .error("found character that cannot start any token")),
        }
    }

    fn starts_plain(&self, c: char) -> bool {
        match c {
            '-' => !is_blank(self.cursor.peek(1)),
            '?' | ':' => !self.in_flow() && !is_blank_or_end(self.cursor.peek(1)),
            ',' | '[' | ']' | '{' | '}' | '#' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%'
            | '@' | '`' => false,
            c => !is_blank_or_end(c),
        }
    }

    /// Skips white space, comments and line breaks. Tabs only count as white space where no indentation is measured.
    fn skip_to_token(&mut self) {
        loop {
            let tabs_count = self.in_flow() || !self.key_allowed;
            self.cursor
                .take_while(|c| c == ' ' || c == '\t' && tabs_count);
            self.cursor.skip_comment();
            if !is_break(self.cursor.current()) {
                return;
            }
            self.cursor.take_line();
            if !self.in_flow() {
                self.key_allowed = true;
            }
        }
    }

    fn stream_end(&mut self) -> Result<(), Error> {
        if self.cursor.mark.column != 0 {
            self.cursor.mark.column = 0;
            self.cursor.mark.line += 1;
        }
        self.dedent_to(-1);
        self.keys.remove()?;
        self.key_allowed = false;
        self.ended = true;
        self.push(TokenKind::StreamEnd, self.cursor.mark);
        Ok(())
    }

    fn document_indicator(&mut self, kind: TokenKind<'static>) -> Result<(), Error> {
        self.dedent_to(-1);
        self.keys.remove()?;
        self.key_allowed = false;
        self.push(kind, self.cursor.mark);
        (0..3).for_each(|_| self.cursor.skip());
        Ok(())
    }

    fn flow_start(&mut self, kind: TokenKind<'static>) -> Result<(), Error> {
        self.save_key()?;
        self.keys.enter(self.next_number(), self.cursor.mark);
        self.check_depth()?;
        self.key_allowed = true;
        self.indicator(kind);
        Ok(())
    }

    fn flow_end(&mut self, kind: TokenKind<'static>) -> Result<(), Error> {
        self.keys.remove()?;
        self.keys.leave();
        self.key_allowed = false;
        self.indicator(kind);
        Ok(())
    }

    fn flow_entry(&mut self) -> Result<(), Error> {
        self.keys.remove()?;
        self.key_allowed = true;
        self.indicator(TokenKind::FlowEntry);
        Ok(())
    }

    /// A `-`. In a flow collection it is the parser that finds it wrong, because it can say where.
    fn block_entry(&mut self) -> Result<(), Error> {
        if !self.in_flow() {
            self.require_start("block sequence entries are not allowed in this context")?;
            self.indent_to(self.cursor.mark, None, TokenKind::BlockSequenceStart)?;
        }
        self.keys.remove()?;
        self.key_allowed = true;
        self.indicator(TokenKind::BlockEntry);
        Ok(())
    }

    fn complex_key(&mut self) -> Result<(), Error> {
        if !self.in_flow() {
            self.require_start("mapping keys are not allowed in this context")?;
            self.indent_to(self.cursor.mark, None, TokenKind::BlockMappingStart)?;
        }
        self.keys.remove()?;
        self.key_allowed = !self.in_flow();
        self.indicator(TokenKind::Key);
        Ok(())
    }

    fn value(&mut self) -> Result<(), Error> {
        if let Some((number, mark)) = self.keys.complete(self.cursor.mark)? {
            self.insert(number, TokenKind::Key, mark);
            self.indent_to(mark, Some(number), TokenKind::BlockMappingStart)?;
            self.key_allowed = false;
        } else {
            if !self.in_flow() {
                self.require_start("mapping values are not allowed in this context")?;
                self.indent_to(self.cursor.mark, None, TokenKind::BlockMappingStart)?;
            }
            self.key_allowed = !self.in_flow();
        }
        self.indicator(TokenKind::Value);
        Ok(())
    }

    fn require_start(&self, message: &str) -> Result<(), Error> {
        if self.key_allowed {
            Ok(())
        } else {
            Err(self.cursor.error(message))
        }
    }

    pub(super) fn indicator(&mut self, kind: TokenKind<'static>) {
        self.push(kind, self.cursor.mark);
        self.cursor.skip();
    }
}
