//! Turns the bytes of a file into text. Never replaces what it cannot read.

use crate::{Error, Position};

/// Turns the bytes of a file into text: UTF-8 with or without a byte-order mark, UTF-16 with one. The mark is dropped,
/// line ends stay as they are.
pub fn decode(bytes: &[u8]) -> Result<String, Error> {
    match bytes {
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => utf8(rest),
        _ => utf8(bytes),
    }
}

fn utf8(bytes: &[u8]) -> Result<String, Error> {
    str::from_utf8(bytes).map(str::to_owned).map_err(|error| {
        let before = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
        Error::at(
            end_of(&before),
            "the file is neither UTF-8 nor UTF-16 with a byte-order mark",
        )
    })
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, Error> {
    let (units, odd) = bytes.as_chunks::<2>();
    let mut text = String::with_capacity(units.len());
    for c in char::decode_utf16(units.iter().map(|&pair| unit(pair))) {
        match c {
            Ok(c) => text.push(c),
            Err(_) => return Err(Error::at(end_of(&text), "a UTF-16 surrogate stands alone")),
        }
    }
    if odd.is_empty() {
        Ok(text)
    } else {
        Err(Error::at(end_of(&text), "a UTF-16 character is cut"))
    }
}

fn end_of(text: &str) -> Position {
    let last = text.rsplit('\n').next().unwrap_or_default();
    Position {
        line: text.matches('\n').count() + 1,
        column: last.chars().count() + 1,
    }
}
