//! Reads JSON as Go's encoding/json does: lone surrogates become replacement characters, the last of repeated keys
//! wins. Never accepts what only YAML allows; the caller tries that next.

use serde_json::{Map, Value};

use crate::{Error, Position, number};

/// Reads the first value of a text, after white space. Gives it and the byte after it; `None` if there is only white
/// space.
pub(crate) fn read(text: &str, max_depth: usize) -> Result<Option<(Value, usize)>, Error> {
    let mut reader = Reader {
        text,
        at: 0,
        depth: 0,
        max_depth,
    };
    reader.skip_space();
    if reader.at == text.len() {
        return Ok(None);
    }
    let value = reader.value()?;
    Ok(Some((value, reader.at)))
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    max_depth: usize,
}

impl Reader<'_> {
    fn byte(&self) -> u8 {
        self.text.as_bytes().get(self.at).copied().unwrap_or(0)
    }

    fn skip_space(&mut self) {
        while matches!(self.byte(), b' ' | b'\t' | b'\r' | b'\n') {
            self.at += 1;
        }
    }

    /// Steps over the byte if it stands there, and the space after it.
    fn eat(&mut self, byte: u8) -> bool {
        let found = self.byte() == byte;
        if found {
            self.at += 1;
            self.skip_space();
        }
        found
    }

    fn value(&mut self) -> Result<Value, Error> {
        match self.byte() {
            b'{' => self.nested(Self::object),
            b'[' => self.nested(Self::array),
            b'"' => self.string().map(Value::String),
            b'-' | b'0'..=b'9' => self.number(),
            _ => {
                let words = [
                    ("true", Value::Bool(true)),
                    ("false", Value::Bool(false)),
                    ("null", Value::Null),
                ];
                for (word, value) in words {
                    if self.text[self.at..].starts_with(word) {
                        self.at += word.len();
                        return Ok(value);
                    }
                }
                Err(self.error("did not find expected JSON value"))
            }
        }
    }

    fn nested(&mut self, read: fn(&mut Self) -> Result<Value, Error>) -> Result<Value, Error> {
        self.depth += 1;
        if self.depth > self.max_depth {
            let message = format!("collections are nested deeper than {}", self.max_depth);
            return Err(self.error(&message));
        }
        self.at += 1;
        self.skip_space();
        let value = read(self)?;
        self.depth -= 1;
        Ok(value)
    }

    fn object(&mut self) -> Result<Value, Error> {
        let mut map = Map::new();
        if self.close(b'}') {
            return Ok(Value::Object(map));
        }
        loop {
            if self.byte() != b'"' {
                return Err(self.error("did not find expected JSON key in double quotes"));
            }
            let key = self.string()?;
            self.skip_space();
            if !self.eat(b':') {
                return Err(self.error("did not find expected ':' after a JSON key"));
            }
            let value = self.value()?;
            map.insert(key, value);
            self.skip_space();
            if self.close(b'}') {
                return Ok(Value::Object(map));
            }
            if !self.eat(b',') {
                return Err(self.error("did not find expected ',' or '}' in a JSON object"));
            }
        }
    }

    fn array(&mut self) -> Result<Value, Error> {
        let mut items = Vec::new();
        if self.close(b']') {
            return Ok(Value::Array(items));
        }
        loop {
            items.push(self.value()?);
            self.skip_space();
            if self.close(b']') {
                return Ok(Value::Array(items));
            }
            if !self.eat(b',') {
                return Err(self.error("did not find expected ',' or ']' in a JSON array"));
            }
        }
    }

    /// Steps over a closing bracket, but not over the space after it: that belongs to what follows.
    fn close(&mut self, byte: u8) -> bool {
        let found = self.byte() == byte;
        self.at += usize::from(found);
        found
    }

    fn number(&mut self) -> Result<Value, Error> {
        let start = self.at;
        self.close(b'-');
        if !self.close(b'0') && !self.digits() {
            return Err(self.error("did not find expected digit of a JSON number"));
        }
        let mut float = false;
        if self.close(b'.') {
            float = true;
            if !self.digits() {
                return Err(self.error("did not find expected digit after a decimal point"));
            }
        }
        if self.close(b'e') || self.close(b'E') {
            float = true;
            let _signed = self.close(b'+') || self.close(b'-');
            if !self.digits() {
                return Err(self.error("did not find expected digit of an exponent"));
            }
        }
        let text = &self.text[start..self.at];
        let integer = || {
            text.parse::<i64>()
                .map(Value::from)
                .or_else(|_| text.parse::<u64>().map(Value::from))
                .ok()
        };
        let value = if float { None } else { integer() };
        value
            .or_else(|| number::json(text.parse().ok()?))
            .ok_or_else(|| self.error("a JSON number is out of range"))
    }

    fn digits(&mut self) -> bool {
        let start = self.at;
        while self.byte().is_ascii_digit() {
            self.at += 1;
        }
        self.at > start
    }

    fn string(&mut self) -> Result<String, Error> {
        self.at += 1;
        let mut string = String::new();
        loop {
            let rest = &self.text[self.at..];
            let Some(c) = rest.chars().next() else {
                return Err(self.error("found unexpected end of stream in a JSON string"));
            };
            match c {
                '"' => {
                    self.at += 1;
                    return Ok(string);
                }
                '\\' => string.push(self.escape()?),
                '\0'..='\u{1f}' => {
                    return Err(self.error("found a control character in a JSON string"));
                }
                c => {
                    self.at += c.len_utf8();
                    string.push(c);
                }
            }
        }
    }

    fn escape(&mut self) -> Result<char, Error> {
        self.at += 1;
        let c = match self.byte() {
            c @ (b'"' | b'\\' | b'/') => char::from(c),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode_escape(),
            _ => return Err(self.error("found unknown escape character in a JSON string")),
        };
        self.at += 1;
        Ok(c)
    }

    /// `uXXXX`, or two of them that are a surrogate pair.
    fn unicode_escape(&mut self) -> Result<char, Error> {
        let Some(high) = self.code(self.at + 1) else {
            return Err(self.error("did not find expected hexadecimal number"));
        };
        self.at += 5;
        if !(0xd800..0xdc00).contains(&high) {
            return Ok(char::from_u32(high).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        let second = self.text[self.at..]
            .starts_with("\\u")
            .then(|| self.code(self.at + 2));
        match second.flatten() {
            Some(low) if (0xdc00..0xe000).contains(&low) => {
                self.at += 6;
                let code = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
                Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER))
            }
            _ => Ok(char::REPLACEMENT_CHARACTER),
        }
    }

    fn code(&self, at: usize) -> Option<u32> {
        let digits = self.text.get(at..at + 4)?;
        let hex = digits.bytes().all(|b| b.is_ascii_hexdigit());
        if hex {
            u32::from_str_radix(digits, 16).ok()
        } else {
            None
        }
    }

    fn error(&self, message: &str) -> Error {
        // A cut character's bytes are not before it.
        let before = self.text.get(..self.at).unwrap_or(self.text);
        let last = before.rsplit('\n').next().unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = last.chars().count() + 1;
        Error::at(Position { line, column }, message)
    }
}
