//! Block collections: by indentation. Never flow collections.

use super::{Compose, Parser, Place};
use crate::{Error, scan::TokenKind};

impl<'a, C: Compose<'a>> Parser<'a, '_, C> {
    pub(super) fn block_sequence(&mut self, open: C::Open) -> Result<C::Node, Error> {
        self.scanner.skip()?;
        let mut items = Vec::new();
        loop {
            let token = self.scanner.take()?;
            match token.kind {
                TokenKind::BlockEntry => {}
                TokenKind::BlockEnd => return Ok(self.composer.sequence(open, items)),
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
    pub(super) fn indentless_sequence(&mut self, open: C::Open) -> Result<C::Node, Error> {
        let mut items = Vec::new();
        while *self.kind()? == TokenKind::BlockEntry {
            self.scanner.skip()?;
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
        Ok(self.composer.sequence(open, items))
    }

    pub(super) fn block_mapping(&mut self, open: C::Open) -> Result<C::Node, Error> {
        self.scanner.skip()?;
        let mut entries = C::Entries::default();
        loop {
            let token = self.scanner.peek()?;
            let key = match token.kind {
                TokenKind::Key => {
                    self.scanner.skip()?;
                    self.block_mapping_node()?
                }
                TokenKind::BlockEnd => {
                    self.scanner.skip()?;
                    return Ok(self.composer.mapping(open, entries));
                }
                _ => {
                    return Err(Error::at(
                        token.mark.position(),
                        "did not find expected key",
                    ));
                }
            };
            let value = if *self.kind()? == TokenKind::Value {
                self.scanner.skip()?;
                self.block_mapping_node()?
            } else {
                self.empty()?
            };
            self.composer.entry(&mut entries, key, value)?;
        }
    }

    fn block_mapping_node(&mut self) -> Result<C::Node, Error> {
        match self.kind()? {
            TokenKind::Key | TokenKind::Value | TokenKind::BlockEnd => self.empty(),
            _ => self.node(Place::BlockMapping),
        }
    }
}
