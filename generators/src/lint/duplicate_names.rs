//! Names that several Applications would have: none of them is written.

use std::collections::BTreeMap;

use argosy_crds::application_set::ApplicationSetGenerator;

use super::{Finding, Level, Subject};

const PLACE: &str = "spec.template.metadata.name";
const FIX: &str = "put into the name what tells the sets of parameters apart";

pub(super) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    match subject.expansion {
        Ok(expansion) => {
            let mut counts = BTreeMap::new();
            for app in expansion.applications.get() {
                let name = app.metadata.name.as_deref().unwrap_or_default();
                *counts.entry(name).or_insert(0_usize) += 1;
            }
            let repeated = counts.into_iter().filter(|(_, count)| *count > 1);
            repeated
                .map(|(name, count)| {
                    finding(
                        Level::Error,
                        format!(
                            "{count} Applications are called `{name}`, and none of them is written"
                        ),
                    )
                })
                .collect()
        }
        Err(_) => unexpanded(subject),
    }
}

fn finding(level: Level, message: String) -> Finding {
    Finding {
        level,
        rule: "duplicate-name",
        place: PLACE.to_owned(),
        message,
        fix: FIX.to_owned(),
    }
}

/// Without the parameters only a name without any can be judged.
fn unexpanded(subject: &Subject<'_>) -> Vec<Finding> {
    let spec = &subject.set.spec;
    let name = &spec.template.metadata.name;
    let at_most_one = spec.generators.len() == 1 && spec.generators.iter().all(yields_one);
    if name.is_empty() || name.contains("{{") || spec.template_patch.is_some() || at_most_one {
        return Vec::new();
    }
    let message =
        format!("every Application is called `{name}`; with more than one none is written");
    vec![finding(Level::Warning, message)]
}

fn yields_one(entry: &ApplicationSetGenerator) -> bool {
    entry.names() == ["list"]
        && entry
            .list
            .as_ref()
            .is_some_and(|list| list.elements.len() <= 1 && list.elements_yaml.is_empty())
}
