//! Reading a table of rules.
//!
//! ```text
//! kind example.com/Thing example.com/Other*
//! when !status -> Progressing: Waiting for {kind}
//! when .phase=Ready|Running, !stale -> Healthy: {.message}
//! each Ready=False/Failed -> Degraded: {message}
//! else -> Progressing: Waiting
//! ```
//!
//! A test is a path, `path=a|b`, `path~part`, `path<number or path`, `@Type=Status/Reason` or `stale`,
//! each with `!` before it for the contrary.

use argosy_glob::gobwas::Glob;

use super::Entry;
use super::rule::{ConditionTest, Outcome, Rule, Test, What};
use super::template::Template;
use crate::health::HealthStatus;

/// Reads a table; the error names the line.
pub(super) fn table(text: &str) -> Result<Vec<Entry>, String> {
    let mut entries: Vec<Entry> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let wrong = |problem: &str| format!("line {}: {problem}: {line}", index + 1);
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(kinds) = line.strip_prefix("kind ") {
            let (patterns, kinds): (Vec<&str>, Vec<&str>) =
                kinds.split(' ').partition(|kind| kind.contains('*'));
            entries.push(Entry {
                kinds: kinds.into_iter().map(str::to_owned).collect(),
                patterns: patterns
                    .into_iter()
                    .map(|pattern| Glob::compile(pattern, &[]))
                    .collect::<Result<_, _>>()
                    .map_err(|_| wrong("no pattern"))?,
                rules: Vec::new(),
            });
            continue;
        }
        let (tests, outcome) = line.split_once("->").ok_or_else(|| wrong("no arrow"))?;
        let outcome = parse_outcome(outcome.trim_start()).ok_or_else(|| wrong("no status"))?;
        let entry = entries.last_mut().ok_or_else(|| wrong("no kind"))?;
        let (verb, tests) = tests.trim().split_once(' ').unwrap_or((tests.trim(), ""));
        let mut tests = tests.split(", ").filter(|test| !test.is_empty());
        match verb {
            "when" | "else" => {
                let tests = tests.map(parse_test).collect();
                entry.rules.push(Rule::When(tests, outcome));
            }
            "each" => {
                let condition = parse_condition(tests.next().unwrap_or_default());
                let rule = (condition, tests.map(parse_test).collect(), outcome);
                match entry.rules.last_mut() {
                    Some(Rule::Each(run)) => run.push(rule),
                    _ => entry.rules.push(Rule::Each(vec![rule])),
                }
            }
            _ => return Err(wrong("neither when, each nor else")),
        }
    }
    Ok(entries)
}

fn parse_outcome(text: &str) -> Option<Outcome> {
    let (status, message) = text.split_once(": ").unwrap_or((text, ""));
    let status = match status.trim_end_matches(':') {
        "Fails" => None,
        "Nothing" => Some(HealthStatus::Unset),
        word => Some(HealthStatus::parse(word)?),
    };
    Some(Outcome {
        status,
        message: Template::parse(message),
    })
}

fn parse_test(text: &str) -> Test {
    let (negated, text) = match text.strip_prefix('!') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let what = if text == "stale" {
        What::Stale
    } else if let Some(condition) = text.strip_prefix('@') {
        What::Condition(parse_condition(condition))
    } else if let Some((path, values)) = text.split_once('=') {
        What::OneOf(path.to_owned(), alternatives(values))
    } else if let Some((path, part)) = text.split_once('~') {
        What::Contains(path.to_owned(), part.to_owned())
    } else if let Some((one, other)) = text.split_once('<') {
        What::Less(one.to_owned(), other.to_owned())
    } else {
        What::Present(text.to_owned())
    };
    Test { negated, what }
}

fn parse_condition(text: &str) -> ConditionTest {
    let (types, rest) = text.split_once('=').unwrap_or((text, ""));
    let (statuses, reasons) = rest.split_once('/').unwrap_or((rest, ""));
    ConditionTest {
        types: words(types),
        statuses: words(statuses),
        reasons: words(reasons),
    }
}

/// The values of a test; none at all means the empty text.
fn alternatives(text: &str) -> Vec<String> {
    text.split('|').map(str::to_owned).collect()
}

fn words(text: &str) -> Vec<String> {
    text.split('|')
        .filter(|word| !word.is_empty() && *word != "*")
        .map(str::to_owned)
        .collect()
}
