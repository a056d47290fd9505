//! Regular expressions in Go's syntax.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use regex::{Regex, RegexBuilder};

use crate::error::FuncError;
use crate::funcs::FuncMap;
use crate::meter::Meter;
use crate::value::Value;

use super::args::{Answer, bounded, bounded_items, int, text};
use super::regex_syntax;

pub(super) fn register(m: &mut FuncMap) {
    let compiled = Arc::new(Compiled::default());
    let mut add = |name: &str, params: &str, body: fn(&Regex, &[Value]) -> Answer| {
        let compiled = Arc::clone(&compiled);
        m.add_metered(name, params, move |a, meter| {
            let re = compiled.get(text(a, 0), meter)?;
            charge_search(text(a, 1), meter)?;
            body(&re, a)
        });
    };
    for name in ["regexFindAll", "mustRegexFindAll"] {
        add(name, "string,string,int", |re, a| {
            find_all(re, text(a, 1), int(a, 2))
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
            split(re, text(a, 0), text(a, 1), int(a, 2))
        });
    }
    add("mustRegexMatch", "string,string", |re, a| {
        Ok(re.is_match(text(a, 1)).into())
    });
    m.add_metered("regexMatch", "string,string", move |a, meter| {
        charge_search(text(a, 1), meter)?;
        match compiled.get(text(a, 0), meter) {
            Ok(re) => Ok(re.is_match(text(a, 1)).into()),
            Err(error) if error.is_limit() => Err(error),
            Err(_) => Ok(false.into()),
        }
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
    fn get(&self, pattern: &str, meter: &mut Meter) -> Result<Regex, FuncError> {
        const MOST: usize = 128;
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(re) = known.get(pattern) {
            return Ok(re.clone());
        }
        let re = compile(pattern, meter)?;
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(pattern.to_owned(), re.clone());
        Ok(re)
    }
}

/// The largest compiled expression, in bytes: `\pL{1000}` fits, a repetition of repetitions does not.
const MOST_COMPILED: usize = 4 << 20;

/// Steps for compiling an expression that may use all of [`MOST_COMPILED`]; small ones cost less.
const STEPS_TO_COMPILE: u64 = 10_000;

fn compile(pattern: &str, meter: &mut Meter) -> Result<Regex, FuncError> {
    meter.charge(if pattern.contains('{') {
        STEPS_TO_COMPILE
    } else {
        u64::try_from(pattern.len()).unwrap_or(u64::MAX)
    })?;
    let translated = regex_syntax::translate(pattern).map_err(|message| {
        FuncError::new(format!("error parsing regexp: {message}: `{pattern}`"))
    })?;
    let built = RegexBuilder::new(&translated)
        .size_limit(MOST_COMPILED)
        .dfa_size_limit(MOST_COMPILED)
        .build();
    built.map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => FuncError::limit(format!(
            "error parsing regexp: the expression takes more than {MOST_COMPILED} bytes when compiled; repeat less"
        )),
        error => FuncError::new(format!("error parsing regexp: {error}")),
    })
}

/// A search takes time in proportion to the text, but more of it than a copy does.
fn charge_search(text: &str, meter: &mut Meter) -> Result<(), FuncError> {
    meter.charge_bytes(text.len().saturating_mul(16))
}

/// At most `limit` matches; all when it is negative.
fn limited(limit: i64) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}

fn find_all(re: &Regex, source: &str, limit: i64) -> Answer {
    let mut all = Vec::new();
    for found in re.find_iter(source).take(limited(limit)) {
        bounded_items(all.len() + 1)?;
        all.push(found.as_str());
    }
    Ok(Value::strings(all))
}

fn replace(re: &Regex, source: &str, replacement: &str, expand: bool) -> Answer {
    let mut out = String::new();
    let mut at = 0;
    for found in re.captures_iter(source) {
        let Some(whole) = found.get(0) else { continue };
        out.push_str(source.get(at..whole.start()).unwrap_or_default());
        if expand {
            // Each reference may stand for the whole match.
            let references = replacement.matches('$').count();
            let most = references.checked_mul(whole.len());
            bounded(most.and_then(|most| most.checked_add(replacement.len())))?;
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

fn split(re: &Regex, pattern: &str, source: &str, limit: i64) -> Answer {
    if limit == 0 {
        return Ok(Value::strings::<&str>([]));
    }
    if !pattern.is_empty() && source.is_empty() {
        return Ok(Value::strings([""]));
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
            bounded_items(parts.len() + 2)?;
            parts.push(source.get(from..end).unwrap_or_default());
        }
        from = found.end();
    }
    if end != source.len() {
        parts.push(source.get(from..).unwrap_or_default());
    }
    Ok(Value::strings(parts))
}
