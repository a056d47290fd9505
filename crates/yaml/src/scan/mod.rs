//! Turns a text into tokens, by the grammar of libyaml's generation of YAML 1.1, which Kubernetes reads.
//! Never builds values: quoted and plain scalars leave here as text with their style.
//!
//! A mapping key without `?` is recognised only when its `:` comes. Until then its first token waits in the queue as a
//! possible "simple key", and the key and mapping-start tokens are put before it afterwards.

mod block;
mod directive;
mod dispatch;
mod folding;
mod plain;
mod quoted;
mod simple_key;
mod tag;
mod token;

use std::{borrow::Cow, collections::VecDeque};

use self::simple_key::SimpleKeys;
pub(crate) use self::token::{Style, Token, TokenKind};
use crate::{
    Error,
    cursor::{Cursor, Mark, is_blank_or_end},
};

pub(crate) struct Scanner<'a> {
    cursor: Cursor<'a>,
    queue: VecDeque<Token<'a>>,
    /// How many tokens have left the queue.
    taken: usize,
    /// Whether the front of the queue cannot change any more.
    ready: bool,
    ended: bool,
    /// The column of the innermost block collection, -1 outside.
    indent: isize,
    indents: Vec<isize>,
    keys: SimpleKeys,
    key_allowed: bool,
    max_depth: usize,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(text: &'a str, max_depth: usize) -> Result<Self, Error> {
        Ok(Self {
            cursor: Cursor::new(text)?,
            queue: VecDeque::new(),
            taken: 0,
            ready: false,
            ended: false,
            indent: -1,
            indents: Vec::new(),
            keys: SimpleKeys::new(),
            key_allowed: true,
            max_depth,
        })
    }

    /// The next token, which stays.
    #[inline]
    pub(crate) fn peek(&mut self) -> Result<&Token<'a>, Error> {
        if !self.ready {
            self.fill()?;
            self.ready = true;
        }
        self.queue
            .front()
            .ok_or_else(|| self.cursor.error("found unexpected end of stream"))
    }

    /// Takes the next token.
    pub(crate) fn take(&mut self) -> Result<Token<'a>, Error> {
        self.peek()?;
        self.ready = false;
        self.taken += 1;
        let token = self.queue.pop_front();
        token.ok_or_else(|| self.cursor.error("found unexpected end of stream"))
    }

    /// Steps over the next token.
    pub(crate) fn skip(&mut self) -> Result<(), Error> {
        self.peek()?;
        self.ready = false;
        self.taken += 1;
        self.queue.pop_front();
        Ok(())
    }

    /// Scans until the first token of the queue is there and cannot turn out to be a key.
    #[inline(never)]
    fn fill(&mut self) -> Result<(), Error> {
        loop {
            if !self.queue.is_empty() && !self.keys.may_start_at(self.taken, self.cursor.mark)? {
                return Ok(());
            }
            if self.ended {
                return Ok(());
            }
            self.scan_token()?;
        }
    }

    fn in_flow(&self) -> bool {
        self.keys.flow_level() > 0
    }

    fn column(&self) -> isize {
        column_of(self.cursor.mark)
    }

    /// Puts a scalar into the queue and, if its `:` follows at once, all that makes it a key.
    fn push_scalar(&mut self, text: Cow<'a, str>, style: Style, start: Mark) -> Result<(), Error> {
        let scalar = TokenKind::Scalar { text, style };
        let is_key = self.cursor.current() == ':'
            && is_blank_or_end(self.cursor.peek(1))
            && self.depth() < self.max_depth
            && self.keys.take(self.next_number(), self.cursor.mark);
        if !is_key {
            self.push(scalar, start);
            return Ok(());
        }
        self.indent_to(start, None, TokenKind::BlockMappingStart)?;
        self.push(TokenKind::Key, start);
        self.push(scalar, start);
        self.key_allowed = false;
        self.indicator(TokenKind::Value);
        Ok(())
    }

    fn push(&mut self, kind: TokenKind<'a>, mark: Mark) {
        self.queue.push_back(Token { kind, mark });
    }

    /// Puts a token before the token with that number; at the end if that one has already been taken.
    fn insert(&mut self, number: usize, kind: TokenKind<'a>, mark: Mark) {
        let token = Token { kind, mark };
        match number.checked_sub(self.taken) {
            Some(place) if place <= self.queue.len() => self.queue.insert(place, token),
            _ => self.queue.push_back(token),
        }
    }

    /// The number that the next token pushed will have.
    fn next_number(&self) -> usize {
        self.taken + self.queue.len()
    }

    /// Starts a block collection if the column is deeper than the current one.
    fn indent_to(
        &mut self,
        mark: Mark,
        number: Option<usize>,
        kind: TokenKind<'a>,
    ) -> Result<(), Error> {
        let column = column_of(mark);
        if self.in_flow() || self.indent >= column {
            return Ok(());
        }
        self.indents.push(self.indent);
        self.indent = column;
        self.check_depth()?;
        match number {
            Some(number) => self.insert(number, kind, mark),
            None => self.push(kind, mark),
        }
        Ok(())
    }

    /// Ends the block collections that are deeper than the column.
    fn dedent_to(&mut self, column: isize) {
        if self.in_flow() {
            return;
        }
        while self.indent > column {
            self.push(TokenKind::BlockEnd, self.cursor.mark);
            self.indent = self.indents.pop().unwrap_or(-1);
        }
    }

    fn check_depth(&self) -> Result<(), Error> {
        if self.depth() > self.max_depth {
            let message = format!("collections are nested deeper than {}", self.max_depth);
            return Err(self.cursor.error(message));
        }
        Ok(())
    }

    fn depth(&self) -> usize {
        self.indents.len() + self.keys.flow_level()
    }

    /// Remembers that the token about to be pushed may turn out to be a key.
    fn save_key(&mut self) -> Result<(), Error> {
        if self.key_allowed {
            let required = !self.in_flow() && self.indent == self.column();
            self.keys
                .save(self.next_number(), self.cursor.mark, required)?;
        }
        Ok(())
    }
}

fn column_of(mark: Mark) -> isize {
    isize::try_from(mark.column).unwrap_or(isize::MAX)
}
