//! Flow collections: in brackets. Never block collections, which cannot stand inside.

use super::{Parser, Place};
use crate::{
    Error,
    node::{Content, NodeId},
    scan::TokenKind,
};

impl<'a> Parser<'a> {
    pub(super) fn flow_sequence(&mut self) -> Result<Content<'a>, Error> {
        self.scanner.take()?;
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
                    let entry = self.flow_pair()?;
                    items.push(self.add(Content::Mapping(vec![entry]), String::new(), mark));
                }
                _ => items.push(self.node(Place::Flow)?),
            }
        }
        self.scanner.take()?;
        Ok(Content::Sequence(items))
    }

    /// The only entry of a mapping without braces: `[a: b]`.
    fn flow_pair(&mut self) -> Result<(NodeId, NodeId), Error> {
        let missing = matches!(
            self.kind()?,
            TokenKind::Value | TokenKind::FlowEntry | TokenKind::FlowSequenceEnd
        );
        let key = if missing {
            // What stands in the key's place is dropped, as Kubernetes' parser does.
            let key = self.empty()?;
            self.scanner.take()?;
            key
        } else {
            self.node(Place::Flow)?
        };
        let value = self.flow_value(&TokenKind::FlowSequenceEnd)?;
        Ok((key, value))
    }

    pub(super) fn flow_mapping(&mut self) -> Result<Content<'a>, Error> {
        self.scanner.take()?;
        let mut entries = Vec::new();
        loop {
            if *self.kind()? == TokenKind::FlowMappingEnd {
                break;
            }
            if !entries.is_empty() {
                self.flow_comma("did not find expected ',' or '}'")?;
            }
            let key = match self.kind()? {
                TokenKind::FlowMappingEnd => break,
                TokenKind::Key => {
                    self.scanner.take()?;
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
                    entries.push((key, value));
                    continue;
                }
            };
            let value = self.flow_value(&TokenKind::FlowMappingEnd)?;
            entries.push((key, value));
        }
        self.scanner.take()?;
        Ok(Content::Mapping(entries))
    }

    fn flow_value(&mut self, end: &TokenKind<'_>) -> Result<NodeId, Error> {
        if *self.kind()? != TokenKind::Value {
            return self.empty();
        }
        self.scanner.take()?;
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
