//! Regular expressions in Go's syntax.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use regex::Regex;

use crate::error::FuncError;
use crate::funcs::FuncMap;
use crate::value::Value;

use super::args::{Answer, bounded, fail, int, text};
use super::regex_syntax;

pub(super) fn register(m: &mut FuncMap) {
    let compiled = Arc::new(Compiled::default());
    let mut add = |name: &str, params: &str, body: fn(&Regex, &[Value]) -> Answer| {
        let compiled = Arc::clone(&compiled);
        m.add(name, params, move |a| body(&compiled.get(text(a, 0))?, a));
    };
    for name in ["regexFindAll", "mustRegexFindAll"] {
        add(name, "string,string,int", |re, a| {
            Ok(find_all(re, text(a, 1), int(a, 2)))
        });
    }
    for name in ["regexFind", "mustRegexFind"] {
        add(name, "string,string", |re, a| {
            Ok(re
                .find(text(a, 1))
                .map_or("", |found| found.as_str())
                .into())
        });
    }
    for name in ["regexReplaceAll", "mustRegexReplaceAll"] {
        add(name, "string,string,string", |re, a| {
            replace(re, text(a, 1), text(a, 2), true)
        });
    }
    for name in ["regexReplaceAllLiteral", "mustRegexReplaceAllLiteral"] {
        add(name, "string,string,string", |re, a| {
            replace(re, text(a, 1), text(a, 2), false)
        });
    }
    for name in ["regexSplit", "mustRegexSplit"] {
        add(name, "string,string,int", |re, a| {
            Ok(split(re, text(a, 0), text(a, 1), int(a, 2)))
        });
    }
    add("mustRegexMatch", "string,string", |re, a| {
        Ok(re.is_match(text(a, 1)).into())
    });
    m.add("regexMatch", "string,string", move |a| {
        Ok(compiled
            .get(text(a, 0))
            .is_ok_and(|re| re.is_match(text(a, 1)))
            .into())
    });
    m.add("regexQuoteMeta", "string", |a| {
        let special = |c: char| r"\.+*?()|[]{}^$".contains(c);
        Ok(text(a, 0)
            .chars()
            .flat_map(|c| special(c).then_some('\\').into_iter().chain([c]))
            .collect::<String>()
            .into())
    });
}

/// Expressions compiled before, since templates run often with the same ones.
#[derive(Default)]
struct Compiled(Mutex<BTreeMap<String, Regex>>);

impl Compiled {
    fn get(&self, pattern: &str) -> Result<Regex, FuncError> {
        const MOST: usize = 128;
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(re) = known.get(pattern) {
            return Ok(re.clone());
        }
        let re = compile(pattern)?;
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(pattern.to_owned(), re.clone());
        Ok(re)
    }
}

fn compile(pattern: &str) -> Result<Regex, FuncError> {
    let translated = regex_syntax::translate(pattern).map_err(|message| {
        FuncError::new(format!("error parsing regexp: {message}: `{pattern}`"))
    })?;
    Regex::new(&translated).or_else(|error| fail(format!("error parsing regexp: {error}")))
}

/// At most `limit` matches; all when it is negative.
fn limited(limit: i64) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}

fn find_all(re: &Regex, source: &str, limit: i64) -> Value {
    Value::strings(
        re.find_iter(source)
            .take(limited(limit))
            .map(|found| found.as_str()),
    )
}

fn replace(re: &Regex, source: &str, replacement: &str, expand: bool) -> Answer {
    let mut out = String::new();
    let mut at = 0;
    for found in re.captures_iter(source) {
        let Some(whole) = found.get(0) else { continue };
        out.push_str(source.get(at..whole.start()).unwrap_or_default());
        if expand {
            found.expand(replacement, &mut out);
        } else {
            out.push_str(replacement);
        }
        at = whole.end();
        bounded(Some(out.len()))?;
    }
    out.push_str(source.get(at..).unwrap_or_default());
    Ok(out.into())
}

fn split(re: &Regex, pattern: &str, source: &str, limit: i64) -> Value {
    if limit == 0 {
        return Value::strings::<&str>([]);
    }
    if !pattern.is_empty() && source.is_empty() {
        return Value::strings([""]);
    }
    let limit = limited(limit);
    let mut parts = Vec::new();
    let (mut from, mut end) = (0, 0);
    for found in re.find_iter(source).take(limit) {
        if parts.len() + 1 == limit {
            break;
        }
        end = found.start();
        if found.end() != 0 {
            parts.push(source.get(from..end).unwrap_or_default());
        }
        from = found.end();
    }
    if end != source.len() {
        parts.push(source.get(from..).unwrap_or_default());
    }
    Value::strings(parts)
}
