//! Block collections: by indentation. Never flow collections.

use super::{Parser, Place};
use crate::{
    Error,
    node::{Content, NodeId},
    scan::TokenKind,
};

impl<'a> Parser<'a> {
    pub(super) fn block_sequence(&mut self) -> Result<Content<'a>, Error> {
        self.scanner.take()?;
        let mut items = Vec::new();
        loop {
            let token = self.scanner.take()?;
            match token.kind {
                TokenKind::BlockEntry => {}
                TokenKind::BlockEnd => return Ok(Content::Sequence(items)),
                _ => {
                    let message = "did not find expected '-' indicator";
                    return Err(Error::at(token.mark.position(), message));
                }
            }
            let empty = matches!(self.kind()?, TokenKind::BlockEntry | TokenKind::BlockEnd);
            items.push(if empty {
                self.empty()?
            } else {
                self.node(Place::Block)?
            });
        }
    }

    /// A sequence in the column of its key, which no token starts or ends.
    pub(super) fn indentless_sequence(&mut self) -> Result<Content<'a>, Error> {
        let mut items = Vec::new();
        while *self.kind()? == TokenKind::BlockEntry {
            self.scanner.take()?;
            let empty = matches!(
                self.kind()?,
                TokenKind::BlockEntry | TokenKind::Key | TokenKind::Value | TokenKind::BlockEnd
            );
            items.push(if empty {
                self.empty()?
            } else {
                self.node(Place::Block)?
            });
        }
        Ok(Content::Sequence(items))
    }

    pub(super) fn block_mapping(&mut self) -> Result<Content<'a>, Error> {
        self.scanner.take()?;
        let mut entries = Vec::new();
        loop {
            let token = self.scanner.peek()?;
            let key = match token.kind {
                TokenKind::Key => {
                    self.scanner.take()?;
                    self.block_mapping_node()?
                }
                TokenKind::BlockEnd => {
                    self.scanner.take()?;
                    return Ok(Content::Mapping(entries));
                }
                _ => {
                    return Err(Error::at(
                        token.mark.position(),
                        "did not find expected key",
                    ));
                }
            };
            let value = if *self.kind()? == TokenKind::Value {
                self.scanner.take()?;
                self.block_mapping_node()?
            } else {
                self.empty()?
            };
            entries.push((key, value));
        }
    }

    fn block_mapping_node(&mut self) -> Result<NodeId, Error> {
        match self.kind()? {
            TokenKind::Key | TokenKind::Value | TokenKind::BlockEnd => self.empty(),
            _ => self.node(Place::BlockMapping),
        }
    }
}
