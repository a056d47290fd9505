//! Strings: trimming, cutting, joining, quoting. Lengths and positions are bytes, as in Go.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::containers::{Elem, Map};
use crate::error::FuncError;
use crate::fmt::{lossy, quote};
use crate::funcs::FuncMap;
use crate::value::Value;

use super::args::{Answer, any, bounded, bounded_items, count, fail, int, text};
use super::cast::{texts, to_text, to_texts};

pub(super) fn register(m: &mut FuncMap) {
    m.add("hello", "", |_| Ok("Hello!".into()));
    m.add("trim", "string", |a| Ok(text(a, 0).trim().into()));
    m.add("trimAll", "string,string", |a| {
        let cut: BTreeSet<char> = text(a, 0).chars().collect();
        Ok(text(a, 1).trim_matches(|c| cut.contains(&c)).into())
    });
    m.alias("trimAll", &["trimall"]);
    m.add("trimSuffix", "string,string", |a| {
        Ok(text(a, 1)
            .strip_suffix(text(a, 0))
            .unwrap_or(text(a, 1))
            .into())
    });
    m.add("trimPrefix", "string,string", |a| {
        Ok(text(a, 1)
            .strip_prefix(text(a, 0))
            .unwrap_or(text(a, 1))
            .into())
    });
    m.add("contains", "string,string", |a| {
        Ok(text(a, 1).contains(text(a, 0)).into())
    });
    m.add("hasPrefix", "string,string", |a| {
        Ok(text(a, 1).starts_with(text(a, 0)).into())
    });
    m.add("hasSuffix", "string,string", |a| {
        Ok(text(a, 1).ends_with(text(a, 0)).into())
    });
    m.add("nospace", "string", |a| Ok(nospace(text(a, 0)).into()));
    m.add("repeat", "int,string", |a| {
        repeat(text(a, 1), int(a, 0)).map(Value::from)
    });
    m.add("replace", "string,string,string", replace);
    m.add("trunc", "int,string", trunc);
    m.add("substr", "int,int,string", substr);
    m.add("quote", "any...", |a| quoted(a, quote));
    m.add("squote", "any...", |a| quoted(a, |s| format!("'{s}'")));
    m.add("cat", "any...", |a| quoted(a, ToOwned::to_owned));
    m.add("indent", "int,string", |a| {
        indent(int(a, 0), text(a, 1)).map(Value::from)
    });
    m.add("nindent", "int,string", |a| {
        Ok(format!("\n{}", indent(int(a, 0), text(a, 1))?).into())
    });
    m.add("plural", "string,string,int", |a| {
        Ok(text(a, usize::from(int(a, 2) != 1)).into())
    });
    m.add("toString", "any", |a| Ok(to_text(any(a, 0)).into()));
    m.add("toStrings", "any", |a| {
        Ok(Value::strings(to_texts(any(a, 0))?))
    });
    m.add("join", "string,any", join);
    m.add("splitList", "string,string", |a| {
        Ok(Value::strings(split(text(a, 1), text(a, 0), -1)?))
    });
    m.add("split", "string,string", |a| {
        Ok(numbered(split(text(a, 1), text(a, 0), -1)?))
    });
    m.add("splitn", "string,int,string", |a| {
        Ok(numbered(split(text(a, 2), text(a, 0), int(a, 1))?))
    });
    m.add("sortAlpha", "any", |a| {
        let mut texts = match any(a, 0) {
            list @ Value::List(_) => to_texts(list)?,
            other => vec![to_text(other)],
        };
        texts.sort();
        Ok(Value::strings(texts))
    });
}

/// The arguments that are not nil, each written by `write`, with blanks between them.
/// Goes byte by byte, as goutils does: where anything is taken away, other characters than ASCII
/// come out as what their bytes are in Latin-1.
fn nospace(text: &str) -> String {
    let kept: String = text
        .bytes()
        .map(char::from)
        .filter(|c| !c.is_whitespace())
        .collect();
    if kept.chars().count() == text.len() {
        return text.to_owned();
    }
    kept
}

fn quoted(args: &[Value], write: impl Fn(&str) -> String) -> Answer {
    let parts: Vec<String> = texts(args)?.iter().map(|text| write(text)).collect();
    Ok(parts.join(" ").into())
}

fn repeat(text: &str, times: i64) -> Result<String, FuncError> {
    let Ok(times) = usize::try_from(times) else {
        return fail("strings: negative Repeat count");
    };
    bounded(text.len().checked_mul(times))?;
    Ok(text.repeat(times))
}

fn replace(args: &[Value]) -> Answer {
    let (old, new, source) = (text(args, 0), text(args, 1), text(args, 2));
    let times = if old.is_empty() {
        source.len() + 1
    } else {
        source.matches(old).count()
    };
    bounded(
        times
            .checked_mul(new.len())
            .and_then(|n| n.checked_add(source.len())),
    )?;
    Ok(source.replace(old, new).into())
}

fn indent(spaces: i64, text: &str) -> Result<String, FuncError> {
    let pad = repeat(" ", spaces)?;
    bounded(pad.len().checked_mul(text.matches('\n').count() + 1))?;
    Ok(format!("{pad}{}", text.replace('\n', &format!("\n{pad}"))))
}

fn trunc(args: &[Value]) -> Answer {
    let (length, source) = (int(args, 0), text(args, 1));
    let bytes = source.as_bytes();
    let size = usize::try_from(length.unsigned_abs()).unwrap_or(usize::MAX);
    let kept = if length < 0 {
        if bytes.len() > size {
            bytes.get(bytes.len() - size..)
        } else {
            None
        }
    } else {
        bytes.get(..size)
    };
    Ok(lossy(kept.unwrap_or(bytes)).into())
}

fn substr(args: &[Value]) -> Answer {
    let (start, end, source) = (int(args, 0), int(args, 1), text(args, 2).as_bytes());
    let len = i64::try_from(source.len()).unwrap_or(i64::MAX);
    let (from, to) = if start < 0 {
        (0, end)
    } else if end < 0 || end > len {
        (start, len)
    } else {
        (start, end)
    };
    match source.get(count(from)?..count(to)?) {
        Some(part) => Ok(lossy(part).into()),
        None => fail(format!(
            "runtime error: slice bounds out of range [{from}:{to}] with length {len}"
        )),
    }
}

fn join(args: &[Value]) -> Answer {
    let (separator, texts) = (text(args, 0), to_texts(any(args, 1))?);
    let total: usize = texts.iter().map(String::len).sum();
    bounded(
        separator
            .len()
            .checked_mul(texts.len())
            .and_then(|n| n.checked_add(total)),
    )?;
    Ok(texts.join(separator).into())
}

/// `strings.SplitN`
pub(super) fn split<'a>(
    source: &'a str,
    separator: &'a str,
    limit: i64,
) -> Result<Vec<&'a str>, FuncError> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    if limit == 0 {
        return Ok(Vec::new());
    }
    bounded_items(limit.min(source.matches(separator).count() + 1))?;
    if !separator.is_empty() {
        return Ok(source.splitn(limit, separator).collect());
    }
    let mut parts = Vec::new();
    let mut rest = source;
    while let Some(c) = rest.chars().next() {
        let (head, tail) = if parts.len() + 1 == limit {
            (rest, "")
        } else {
            rest.split_at(c.len_utf8())
        };
        parts.push(head);
        rest = tail;
    }
    Ok(parts)
}

/// A map of texts under `_0`, `_1` …
fn numbered(parts: Vec<&str>) -> Value {
    let entries = parts
        .into_iter()
        .enumerate()
        .map(|(i, part)| (Arc::from(format!("_{i}")), part.into()))
        .collect();
    Value::Map(Map::from_entries(Elem::Str, entries))
}
