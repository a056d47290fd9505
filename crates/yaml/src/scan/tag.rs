//! Reads anchors, aliases and tags. Never resolves a tag's handle: that needs the document's directives.

use super::{Scanner, TokenKind};
use crate::{
    Error,
    cursor::{is_blank_or_end, is_word},
};

impl<'a> Scanner<'a> {
    /// An anchor or alias, by the kind of token to make of its name.
    pub(super) fn named(&mut self, kind: fn(&'a str) -> TokenKind<'a>) -> Result<(), Error> {
        self.save_key()?;
        self.key_allowed = false;
        let start = self.cursor.mark;
        self.cursor.skip();
        let name = self.cursor.take_while(is_word);
        let next = self.cursor.current();
        let ends =
            is_blank_or_end(next) || matches!(next, '?' | ':' | ',' | ']' | '}' | '%' | '@' | '`');
        if name.is_empty() || !ends {
            let message =
                "did not find expected alphabetic or numeric character in an anchor's name";
            return Err(self.cursor.error(message));
        }
        self.push(kind(name), start);
        Ok(())
    }

    pub(super) fn tag(&mut self) -> Result<(), Error> {
        self.save_key()?;
        self.key_allowed = false;
        let start = self.cursor.mark;
        let (handle, suffix) = if self.cursor.peek(1) == '<' {
            self.verbatim_tag()?
        } else {
            self.short_tag()?
        };
        if !is_blank_or_end(self.cursor.current()) {
            let message = "did not find expected whitespace or line break after a tag";
            return Err(self.cursor.error(message));
        }
        self.push(TokenKind::Tag(Box::new((handle, suffix))), start);
        Ok(())
    }

    /// `!<tag:example.com,2000:x>`: no handle.
    fn verbatim_tag(&mut self) -> Result<(String, String), Error> {
        self.cursor.skip();
        self.cursor.skip();
        let suffix = self.tag_uri("")?;
        if self.cursor.current() != '>' {
            return Err(self
                .cursor
                .error("did not find the expected '>' at the end of a tag"));
        }
        self.cursor.skip();
        Ok((String::new(), suffix))
    }

    /// `!handle!suffix`, `!suffix` or `!`.
    fn short_tag(&mut self) -> Result<(String, String), Error> {
        let handle = self.tag_handle(false)?;
        if handle.len() > 1 && handle.ends_with('!') {
            let suffix = self.tag_uri("")?;
            return Ok((handle, suffix));
        }
        let suffix = self.tag_uri(&handle)?;
        if suffix.is_empty() {
            return Ok((String::new(), "!".to_owned()));
        }
        Ok(("!".to_owned(), suffix))
    }

    /// The part of a tag up to its second `!`; in a directive that must be there, unless the handle is `!`.
    pub(super) fn tag_handle(&mut self, directive: bool) -> Result<String, Error> {
        let missing = "did not find expected '!' of a tag handle";
        if self.cursor.current() != '!' {
            return Err(self.cursor.error(missing));
        }
        let mut handle = String::new();
        self.cursor.take(&mut handle);
        handle.push_str(self.cursor.take_while(is_word));
        if self.cursor.current() == '!' {
            self.cursor.take(&mut handle);
        } else if directive && handle != "!" {
            return Err(self.cursor.error(missing));
        }
        Ok(handle)
    }

    /// The characters of a URI after `head`, of which the leading `!` is dropped.
    pub(super) fn tag_uri(&mut self, head: &str) -> Result<String, Error> {
        let mut uri = head.get(1..).unwrap_or_default().as_bytes().to_vec();
        let mut found = !head.is_empty();
        loop {
            match self.cursor.current() {
                '%' => self.uri_escape(&mut uri)?,
                c if is_uri(c) => {
                    uri.extend(u8::try_from(c));
                    self.cursor.skip();
                }
                _ => break,
            }
            found = true;
        }
        if !found {
            return Err(self.cursor.error("did not find expected tag URI"));
        }
        Ok(String::from_utf8_lossy(&uri).into_owned())
    }

    /// One character as `%E2%82%AC`.
    fn uri_escape(&mut self, uri: &mut Vec<u8>) -> Result<(), Error> {
        let first = self.uri_octet()?;
        let more = match first {
            0x00..=0x7f => 0,
            0xc0..=0xdf => 1,
            0xe0..=0xef => 2,
            0xf0..=0xf7 => 3,
            _ => {
                return Err(self
                    .cursor
                    .error("found an incorrect leading UTF-8 octet in a tag"));
            }
        };
        uri.push(first);
        for _ in 0..more {
            let octet = self.uri_octet()?;
            if octet & 0xc0 != 0x80 {
                return Err(self
                    .cursor
                    .error("found an incorrect trailing UTF-8 octet in a tag"));
            }
            uri.push(octet);
        }
        Ok(())
    }

    fn uri_octet(&mut self) -> Result<u8, Error> {
        let digits = (
            self.cursor.peek(1).to_digit(16),
            self.cursor.peek(2).to_digit(16),
        );
        let ('%', (Some(high), Some(low))) = (self.cursor.current(), digits) else {
            return Err(self.cursor.error("did not find URI escaped octet in a tag"));
        };
        (0..3).for_each(|_| self.cursor.skip());
        Ok(u8::try_from(high * 16 + low).unwrap_or(u8::MAX))
    }
}

fn is_uri(c: char) -> bool {
    is_word(c)
        || matches!(
            c,
            ';' | '/'
                | '?'
                | ':'
                | '@'
                | '&'
                | '='
                | '+'
                | '$'
                | ','
                | '.'
                | '!'
                | '~'
                | '*'
                | '\''
                | '('
                | ')'
                | '['
                | ']'
        )
}
