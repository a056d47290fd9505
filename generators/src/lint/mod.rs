//! What is likely wrong with a set, told before it is applied. One file a rule.
//!
//! A rule looks at the set and at what is known of the world, and never fetches anything: what is
//! not known is not judged. Findings are values; printing them is somebody else's business.

mod duplicate_names;
mod empty_glob;
mod fresh_key;
mod generation;
mod missing_key;
mod patch_list;
mod selector;
mod syntax;
mod texts;
mod unreachable;
mod unused_values;
mod yields;

use argosy_crds::ApplicationSet;
use argosy_crds::application_set::ApplicationSetGenerator;

use crate::error::Error;
use crate::expand::Expansion;
use crate::facts::Facts;
use crate::settings::Settings;
use crate::template::Engine;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The set does not do what it says.
    Error,
    /// It may not do what its author meant.
    Warning,
    /// It could not be judged.
    Info,
}

impl Level {
    /// The level as users write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
        }
    }
}

/// Something that a rule found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub level: Level,
    /// The rule, by its name.
    pub rule: &'static str,
    /// Where in the set, such as `spec.template.metadata.name`.
    pub place: String,
    /// What is wrong and why.
    pub message: String,
    /// How to fix it.
    pub fix: String,
}

/// What is looked at.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    /// The set.
    pub set: &'a ApplicationSet,
    /// What is known of the world; an expansion's facts.
    pub facts: &'a Facts,
    /// What the set generates, or why it does not.
    pub expansion: &'a Result<Expansion, Error>,
    /// How it is expanded.
    pub settings: &'a Settings,
}

type Rule = fn(&Subject<'_>) -> Vec<Finding>;

const RULES: [Rule; 10] = [
    generation::check,
    syntax::check,
    unreachable::check,
    unused_values::check,
    patch_list::check,
    empty_glob::check,
    selector::check,
    missing_key::check,
    duplicate_names::check,
    fresh_key::check,
];

/// Runs all rules; the worst findings come first.
pub fn lint(subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings: Vec<_> = RULES.iter().flat_map(|rule| rule(subject)).collect();
    findings.sort_by(|a, b| (a.level, &a.place, &a.message).cmp(&(b.level, &b.place, &b.message)));
    findings
}

impl Subject<'_> {
    fn engine(&self) -> Engine {
        Engine::new(self.set, self.settings)
    }

    /// Every generator entry at any depth, with its place.
    fn entries(&self) -> Vec<(String, &ApplicationSetGenerator)> {
        let mut entries = Vec::new();
        collect("spec", &self.set.spec.generators, &mut entries);
        entries
    }
}

fn collect<'s>(
    place: &str,
    generators: &'s [ApplicationSetGenerator],
    entries: &mut Vec<(String, &'s ApplicationSetGenerator)>,
) {
    for (index, entry) in generators.iter().enumerate() {
        let place = format!("{place}.generators[{index}]");
        entries.push((place.clone(), entry));
        if let Some(matrix) = &entry.matrix {
            collect(&format!("{place}.matrix"), &matrix.generators, entries);
        }
        if let Some(merge) = &entry.merge {
            collect(&format!("{place}.merge"), &merge.generators, entries);
        }
    }
}

#[cfg(test)]
mod tests;
