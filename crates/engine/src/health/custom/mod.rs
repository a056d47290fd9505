//! Health of the custom kinds that people use, as tables of rules.
//!
//! Each `*.rules` file describes a family of kinds; `rule.rs` says how a rule reads. Rules look at
//! one object's own status and need no code; the first that fits decides.

mod parse;
mod rule;
mod template;

use std::sync::LazyLock;

use argosy_glob::gobwas::Glob;
use serde_json::Value;

use super::{Error, Health, HealthStatus};
use rule::{Answer, Rule};

const TABLES: [&str; 5] = [
    include_str!("argo.rules"),
    include_str!("clouds.rules"),
    include_str!("data.rules"),
    include_str!("flux.rules"),
    include_str!("platform.rules"),
];

/// The rules for some kinds.
struct Entry {
    kinds: Vec<String>,
    patterns: Vec<Glob>,
    rules: Vec<Rule>,
}

static ENTRIES: LazyLock<Vec<Entry>> = LazyLock::new(|| {
    TABLES
        .iter()
        .flat_map(|text| parse::table(text).expect("because a test reads the same bundled tables"))
        .collect()
});

/// Judges an object by the bundled rules; `None` for a kind without any.
pub(super) fn assess(object: &Value) -> Option<Result<Health, Error>> {
    let (group, _, kind) = super::group_version_kind(object);
    let key = format!("{group}/{kind}");
    let entry = ENTRIES
        .iter()
        .find(|entry| entry.kinds.contains(&key))
        .or_else(|| {
            ENTRIES
                .iter()
                .find(|entry| entry.patterns.iter().any(|glob| glob.is_match(&key)))
        })?;
    let found = entry.rules.iter().find_map(|rule| rule.judge(object));
    Some(match found {
        Some(Answer::Judged(health)) => Ok(health),
        Some(Answer::Unjudgeable) => Err(Error::Check {
            object: key,
            problem: "its status lacks what the check needs".to_owned(),
        }),
        None => Ok(Health::new(HealthStatus::Unset, "")),
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_bundled_tables_are_readable() {
        for text in super::TABLES {
            super::parse::table(text).map(|_| ()).expect("a table");
        }
    }
}
