//! `values` that nothing names.

use std::collections::BTreeSet;

use argosy_crds::application_set::ApplicationSetGenerator;

use super::{Finding, Level, Subject, texts, yields};

/// What is named anywhere.
#[derive(Default)]
struct Named {
    names: BTreeSet<String>,
    /// All parameters are used as one.
    whole: bool,
}

impl Named {
    fn uses(&self, key: &str) -> bool {
        self.whole || self.names.contains("values") || self.names.contains(&format!("values.{key}"))
    }
}

pub(super) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let named = named(subject);
    let unused = subject.entries().into_iter().flat_map(|(place, entry)| {
        let keys = yields::values(entry).filter(|key| !named.uses(key));
        let place = format!("{place}.{}", entry.names().join("+"));
        keys.map(move |key| (place.clone(), key.clone()))
            .collect::<Vec<_>>()
    });
    unused
        .map(|(place, key)| Finding {
            level: Level::Warning,
            rule: "unused-value",
            place: format!("{place}.values.{key}"),
            message: format!("the value `{key}` is yielded and nothing names it"),
            fix: "remove it, or name it as values.KEY in the template".to_owned(),
        })
        .collect()
}

fn named(subject: &Subject<'_>) -> Named {
    let engine = subject.engine();
    let mut named = Named::default();
    let spec = &subject.set.spec;
    let rendered = spec
        .generators
        .iter()
        .enumerate()
        .flat_map(|(index, entry)| texts::of_entry(subject, index, entry, &engine));
    let entries = subject.entries();
    let generators = entries
        .iter()
        .flat_map(|(place, entry)| texts::of_generator(place, entry, &engine));
    for placed in rendered.chain(generators) {
        let references = placed.text.references();
        named.whole |= references.whole;
        let names = references.fields.iter().map(|one| one.path.join("."));
        named.names.extend(names);
    }
    for (_, entry) in &entries {
        named.names.extend(keys(entry));
    }
    named
}

/// The parameters that an entry's selector and merge keys name.
fn keys(entry: &ApplicationSetGenerator) -> Vec<String> {
    let labels = entry
        .selector
        .iter()
        .flat_map(|one| one.match_labels.iter().flatten());
    let expressions = entry
        .selector
        .iter()
        .flat_map(|one| one.match_expressions.iter().flatten());
    let merge = entry.merge.iter().flat_map(|merge| &merge.merge_keys);
    labels
        .map(|(key, _)| key.clone())
        .chain(expressions.map(|one| one.key.clone()))
        .chain(merge.cloned())
        .collect()
}
