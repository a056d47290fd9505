//! Reads `%YAML` and `%TAG`. Never accepts another directive, because its meaning is not known.

use super::{Scanner, TokenKind};
use crate::{
    Error,
    cursor::{is_blank, is_blank_or_end, is_break_or_end, is_word},
};

impl<'a> Scanner<'a> {
    pub(super) fn directive(&mut self) -> Result<(), Error> {
        self.dedent_to(-1);
        self.keys.remove()?;
        self.key_allowed = false;
        let start = self.cursor.mark;
        self.cursor.skip();
        let kind = match self.directive_name()? {
            "YAML" => self.version()?,
            "TAG" => self.tag_directive()?,
            _ => return Err(Error::at(start.position(), "found unknown directive name")),
        };
        self.cursor.skip_blanks();
        self.cursor.skip_comment();
        if !is_break_or_end(self.cursor.current()) {
            let message = "did not find expected comment or line break after a directive";
            return Err(self.cursor.error(message));
        }
        self.cursor.take_line();
        self.push(kind, start);
        Ok(())
    }

    fn directive_name(&mut self) -> Result<&'a str, Error> {
        let name = self.cursor.take_while(is_word);
        if name.is_empty() {
            return Err(self.cursor.error("could not find expected directive name"));
        }
        if !is_blank_or_end(self.cursor.current()) {
            let message = "found unexpected non-alphabetical character in a directive's name";
            return Err(self.cursor.error(message));
        }
        Ok(name)
    }

    fn version(&mut self) -> Result<TokenKind<'a>, Error> {
        self.cursor.skip_blanks();
        let major = self.version_number()?;
        if self.cursor.current() != '.' {
            return Err(self
                .cursor
                .error("did not find expected digit or '.' character"));
        }
        self.cursor.skip();
        let minor = self.version_number()?;
        Ok(TokenKind::Version { major, minor })
    }

    fn version_number(&mut self) -> Result<u8, Error> {
        let mut digits = String::new();
        while self.cursor.current().is_ascii_digit() {
            self.cursor.take(&mut digits);
            if digits.len() > 2 {
                return Err(self.cursor.error("found extremely long version number"));
            }
        }
        digits
            .parse()
            .map_err(|_| self.cursor.error("did not find expected version number"))
    }

    fn tag_directive(&mut self) -> Result<TokenKind<'a>, Error> {
        self.cursor.skip_blanks();
        let handle = self.tag_handle(true)?;
        if !is_blank(self.cursor.current()) {
            let message = "did not find expected whitespace after a tag handle";
            return Err(self.cursor.error(message));
        }
        self.cursor.skip_blanks();
        let prefix = self.tag_uri("")?;
        if !is_blank_or_end(self.cursor.current()) {
            let message = "did not find expected whitespace or line break after a tag prefix";
            return Err(self.cursor.error(message));
        }
        Ok(TokenKind::TagDirective(Box::new((handle, prefix))))
    }
}
