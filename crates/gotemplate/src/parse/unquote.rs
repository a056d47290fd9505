//! Go's `strconv.Unquote` for the literals of templates.

/// The text of a quoted string literal, quotes included; `None` when it is malformed.
pub(super) fn string(literal: &str) -> Option<String> {
    if let Some(raw) = literal.strip_prefix('`') {
        return Some(raw.strip_suffix('`')?.replace('\r', ""));
    }
    let mut rest = literal.strip_prefix('"')?.strip_suffix('"')?;
    let mut bytes = Vec::with_capacity(rest.len());
    while !rest.is_empty() {
        let (piece, after) = one(rest, '"')?;
        match piece {
            Piece::Char(c) => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            Piece::Byte(b) => bytes.push(b),
        }
        rest = after;
    }
    Some(crate::fmt::lossy(&bytes))
}

/// The code of a character constant, quotes included.
pub(super) fn character(literal: &str) -> Option<i64> {
    let (piece, rest) = one(literal.strip_prefix('\'')?, '\'')?;
    (rest == "'").then_some(match piece {
        Piece::Char(c) => i64::from(u32::from(c)),
        Piece::Byte(b) => i64::from(b),
    })
}

enum Piece {
    Char(char),
    Byte(u8),
}

/// The first character or escape of a literal, and what follows it.
fn one(text: &str, quote: char) -> Option<(Piece, &str)> {
    let mut chars = text.chars();
    match chars.next()? {
        c if c == quote => None,
        '\\' => escape(chars.as_str(), quote),
        c => Some((Piece::Char(c), chars.as_str())),
    }
}

fn escape(text: &str, quote: char) -> Option<(Piece, &str)> {
    let mut chars = text.chars();
    let c = chars.next()?;
    let rest = chars.as_str();
    let simple = match c {
        'a' => '\x07',
        'b' => '\x08',
        'f' => '\x0c',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\x0b',
        '\\' => '\\',
        '\'' | '"' if c == quote => c,
        'x' => {
            let code = u8::from_str_radix(hex(rest, 2)?, 16).ok()?;
            return Some((Piece::Byte(code), rest.get(2..)?));
        }
        'u' | 'U' => {
            let digits = if c == 'u' { 4 } else { 8 };
            let code = u32::from_str_radix(hex(rest, digits)?, 16).ok()?;
            return Some((Piece::Char(char::from_u32(code)?), rest.get(digits..)?));
        }
        '0'..='7' => {
            let digits = text
                .get(..3)
                .filter(|d| d.bytes().all(|b| (b'0'..=b'7').contains(&b)))?;
            let code = u8::try_from(u16::from_str_radix(digits, 8).ok()?).ok()?;
            return Some((Piece::Byte(code), text.get(3..)?));
        }
        _ => return None,
    };
    Some((Piece::Char(simple), rest))
}

fn hex(text: &str, digits: usize) -> Option<&str> {
    text.get(..digits)
        .filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_read_as_go_reads_them() {
        assert_eq!(
            string(r#""a\n\x41\u00e9\101""#).as_deref(),
            Some("a\nAé".to_owned().as_str()).map(|_| "a\nAéA")
        );
        assert_eq!(string(r#""\q""#), None);
        assert_eq!(string("`a\\n`").as_deref(), Some("a\\n"));
        assert_eq!(character("'\\n'"), Some(10));
        assert_eq!(character("'ab'"), None);
    }
}
