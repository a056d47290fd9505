//! Wrapping and abbreviating, counted in bytes as goutils counts.

use crate::fmt::lossy;
use crate::funcs::FuncMap;

use super::args::{bounded, int, text};

pub(super) fn register(m: &mut FuncMap) {
    m.add("wrap", "int,string", |a| {
        bounded(text(a, 1).len().checked_mul(2))?;
        Ok(wrap(text(a, 1), int(a, 0), "\n", false).into())
    });
    m.add("wrapWith", "int,string,string", |a| {
        let separator = if text(a, 1).is_empty() {
            "\n"
        } else {
            text(a, 1)
        };
        bounded(
            separator
                .len()
                .checked_add(1)
                .and_then(|n| n.checked_mul(text(a, 2).len())),
        )?;
        Ok(wrap(text(a, 2), int(a, 0), separator, true).into())
    });
    m.add("abbrev", "int,string", |a| {
        let width = int(a, 0);
        Ok(if width < 4 {
            text(a, 1).to_owned()
        } else {
            abbreviate(text(a, 1), 0, width)
        }
        .into())
    });
    m.add("abbrevboth", "int,int,string", |a| {
        let (left, right, source) = (int(a, 0), int(a, 1), text(a, 2));
        let keep = right < 4 || left > 0 && right < 7;
        Ok(if keep {
            source.to_owned()
        } else {
            abbreviate(source, left, right)
        }
        .into())
    });
}

/// Breaks at blanks so that lines have at most `width` bytes; long words are broken only when `long` says so.
fn wrap(source: &str, width: i64, newline: &str, long: bool) -> String {
    let bytes = source.as_bytes();
    let width = usize::try_from(width.max(1)).unwrap_or(usize::MAX);
    let mut out: Vec<u8> = Vec::new();
    let mut at = 0;
    while bytes.len() - at > width {
        let rest = bytes.get(at..).unwrap_or_default();
        if rest.first() == Some(&b' ') {
            at += 1;
            continue;
        }
        let window = rest.get(..=width).unwrap_or(rest);
        let (end, skip) = match window.iter().rposition(|b| *b == b' ') {
            Some(space) => (space, 1),
            None if long => (width, 0),
            None => match rest.iter().skip(width).position(|b| *b == b' ') {
                Some(space) => (width + space, 1),
                None => break,
            },
        };
        out.extend_from_slice(rest.get(..end).unwrap_or_default());
        out.extend_from_slice(newline.as_bytes());
        at += end + skip;
    }
    out.extend_from_slice(bytes.get(at..).unwrap_or_default());
    lossy(&out)
}

/// Cuts a text to `width` bytes with dots; `offset` is the left edge that must stay visible.
fn abbreviate(source: &str, offset: i64, width: i64) -> String {
    let bytes = source.as_bytes();
    let len = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
    if len <= width {
        return source.to_owned();
    }
    let kept = width - 3;
    let offset = offset.min(len);
    let offset = if len - offset < kept {
        len - kept
    } else {
        offset
    };
    let part = |from: i64, to: i64| {
        let range = usize::try_from(from).unwrap_or(0)..usize::try_from(to).unwrap_or(0);
        lossy(bytes.get(range).unwrap_or_default())
    };
    if offset <= 4 {
        return format!("{}...", part(0, kept));
    }
    if width < 7 {
        return String::new();
    }
    if offset + kept < len {
        let rest = part(offset, len);
        let inner = if kept < 4 {
            String::new()
        } else {
            abbreviate(&rest, 0, kept)
        };
        return format!("...{inner}");
    }
    format!("...{}", part(len - kept, len))
}
