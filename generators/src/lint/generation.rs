//! A set that cannot be expanded, or not with what is known.

use argosy_facts::Observed;

use super::{Finding, Level, Subject};

pub(super) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let Err(error) = subject.expansion else {
        return Vec::new();
    };
    let unknown = subject.facts.iter().find_map(|(_, answer)| match answer {
        Observed::Complete(_) => None,
        Observed::Partial { why, .. } | Observed::Unknown { why } => Some(why),
    });
    let finding = match unknown {
        Some(why) => Finding {
            level: Level::Info,
            rule: "generation",
            place: error.place.clone(),
            message: format!("what it generates is not judged: {why}"),
            fix: "make it known, or ask a hub that knows".to_owned(),
        },
        None => Finding {
            level: Level::Error,
            rule: "generation",
            place: error.place.clone(),
            message: error.message.clone(),
            fix:
                "correct what the message names; until then nothing is created, updated or deleted"
                    .to_owned(),
        },
    };
    vec![finding]
}
