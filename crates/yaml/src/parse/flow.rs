//! Flow collections: in brackets. Never block collections, which cannot stand inside.

use super::{Compose, Parser, Place};
use crate::{Error, cursor::Mark, scan::TokenKind};

impl<'a, C: Compose<'a>> Parser<'a, '_, C> {
    pub(super) fn flow_sequence(&mut self, open: C::Open) -> Result<C::Node, Error> {
        self.scanner.skip()?;
        let mut items = Vec::new();
        loop {
            if *self.kind()? == TokenKind::FlowSequenceEnd {
                break;
            }
            if !items.is_empty() {
                self.flow_comma("did not find expected ',' or ']'")?;
            }
            match self.kind()? {
                TokenKind::FlowSequenceEnd => break,
                TokenKind::Key => {
                    let mark = self.scanner.take()?.mark;
                    items.push(self.flow_pair(mark)?);
                }
                _ => items.push(self.node(Place::Flow)?),
            }
        }
        self.scanner.skip()?;
        Ok(self.composer.sequence(open, items))
    }

    /// The only entry of a mapping without braces: `[a: b]`.
    fn flow_pair(&mut self, mark: Mark) -> Result<C::Node, Error> {
        let open = self.composer.open(None, mark)?;
        let missing = matches!(
            self.kind()?,
            TokenKind::Value | TokenKind::FlowEntry | TokenKind::FlowSequenceEnd
        );
        let key = if missing {
            // What stands in the key's place is dropped, as Kubernetes' parser does.
            let key = self.empty()?;
            self.scanner.skip()?;
            key
        } else {
            self.node(Place::Flow)?
        };
        let value = self.flow_value(&TokenKind::FlowSequenceEnd)?;
        let mut entries = C::Entries::default();
        self.composer.entry(&mut entries, key, value)?;
        Ok(self.composer.mapping(open, entries))
    }

    pub(super) fn flow_mapping(&mut self, open: C::Open) -> Result<C::Node, Error> {
        self.scanner.skip()?;
        let mut entries = C::Entries::default();
        let mut first = true;
        loop {
            if *self.kind()? == TokenKind::FlowMappingEnd {
                break;
            }
            if !std::mem::take(&mut first) {
                self.flow_comma("did not find expected ',' or '}'")?;
            }
            let key = match self.kind()? {
                TokenKind::FlowMappingEnd => break,
                TokenKind::Key => {
                    self.scanner.skip()?;
                    match self.kind()? {
                        TokenKind::Value | TokenKind::FlowEntry | TokenKind::FlowMappingEnd => {
                            self.empty()?
                        }
                        _ => self.node(Place::Flow)?,
                    }
                }
                _ => {
                    // A key without a `:` has no value, and what follows is the next entry.
                    let key = self.node(Place::Flow)?;
                    let value = self.empty()?;
                    self.composer.entry(&mut entries, key, value)?;
                    continue;
                }
            };
            let value = self.flow_value(&TokenKind::FlowMappingEnd)?;
            self.composer.entry(&mut entries, key, value)?;
        }
        self.scanner.skip()?;
        Ok(self.composer.mapping(open, entries))
    }

    fn flow_value(&mut self, end: &TokenKind<'_>) -> Result<C::Node, Error> {
        if *self.kind()? != TokenKind::Value {
            return self.empty();
        }
        self.scanner.skip()?;
        let next = self.kind()?;
        if *next == TokenKind::FlowEntry || next == end {
            return self.empty();
        }
        self.node(Place::Flow)
    }

    fn flow_comma(&mut self, message: &str) -> Result<(), Error> {
        let token = self.scanner.take()?;
        if token.kind == TokenKind::FlowEntry {
            return Ok(());
        }
        Err(Error::at(token.mark.position(), message))
    }
}
