//! Templates that cannot be parsed.

use std::collections::BTreeSet;

use super::{Finding, Level, Subject, texts};

pub(super) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let engine = subject.engine();
    let rendered = subject
        .set
        .spec
        .generators
        .iter()
        .enumerate()
        .flat_map(|(index, entry)| texts::of_entry(subject, index, entry, &engine));
    let mut seen = BTreeSet::new();
    let broken = rendered.filter_map(|placed| {
        let problem = placed.text.problem()?.to_owned();
        seen.insert(placed.place.clone())
            .then_some((placed.place, problem))
    });
    broken
        .map(|(place, problem)| Finding {
            level: Level::Error,
            rule: "syntax",
            place,
            message: problem,
            fix: "correct the template; until then nothing is created, updated or deleted"
                .to_owned(),
        })
        .collect()
}
