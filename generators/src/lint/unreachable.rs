//! Templates that name parameters which no generator yields.

use std::collections::{BTreeMap, BTreeSet};

use argosy_crds::application_set::ApplicationSetGenerator;
use argosy_gotemplate::Reference;

use super::texts::{self, Placed};
use super::yields::{self, Yields};
use super::{Finding, Level, Subject};
use crate::template::Engine;

/// Place and name of a parameter, to the generators that lack it, the worst level and the names
/// that there are instead.
type Lacking = BTreeMap<(String, String), (BTreeSet<String>, Level, BTreeSet<String>)>;

pub(super) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let engine = subject.engine();
    let mut lacking = Lacking::new();
    for (index, entry) in subject.set.spec.generators.iter().enumerate() {
        let here = format!("spec.generators[{index}]");
        let there = yields::of(subject, entry);
        for placed in texts::of_entry(subject, index, entry, &engine) {
            note(subject, &placed, &there, &here, &mut lacking);
        }
        children(
            subject,
            &here,
            entry,
            &Yields::default(),
            &engine,
            &mut lacking,
        );
    }
    lacking
        .into_iter()
        .map(|((place, name), (generators, level, known))| {
            finding(place, &name, &generators, level, &known)
        })
        .collect()
}

/// Looks at what generators name: a later child of a matrix names parameters of earlier ones, and
/// `values` those of their own generator.
fn children(
    subject: &Subject<'_>,
    place: &str,
    entry: &ApplicationSetGenerator,
    earlier: &Yields,
    engine: &Engine,
    lacking: &mut Lacking,
) {
    let mut seen = earlier.clone();
    for (kind, generators) in [
        ("matrix", entry.matrix.as_ref().map(|it| &it.generators)),
        ("merge", entry.merge.as_ref().map(|it| &it.generators)),
    ] {
        for (index, child) in generators.into_iter().flatten().enumerate() {
            let place = format!("{place}.{kind}.generators[{index}]");
            children(subject, &place, child, &seen, engine, lacking);
            if kind == "matrix" {
                seen.add(&yields::of(subject, child));
            }
        }
    }
    let mut own = earlier.clone();
    own.add(&yields::before_values(subject, entry));
    for placed in texts::of_generator(place, entry, engine) {
        let is_value = placed.place.contains(".values.");
        let there = if is_value { &own } else { earlier };
        note(subject, &placed, there, place, lacking);
    }
}

fn note(
    subject: &Subject<'_>,
    placed: &Placed,
    there: &Yields,
    generator: &str,
    lacking: &mut Lacking,
) {
    for reference in placed.text.references().fields {
        let name = reference.path.join(".");
        if there.has(&name) {
            continue;
        }
        let level = level(subject, placed, &reference);
        let (generators, worst, known) = lacking
            .entry((placed.place.clone(), name))
            .or_insert_with(|| (BTreeSet::new(), level, BTreeSet::new()));
        generators.insert(generator.to_owned());
        *worst = level.min(*worst);
        known.extend(there.names().map(str::to_owned));
    }
}

/// What provides for an absent value may mean it; where a missing key is an error only a lookup
/// does. The elements of a list are data, which may look like a template and be none.
fn level(subject: &Subject<'_>, placed: &Placed, reference: &Reference) -> Level {
    let strict = super::missing_key::is_strict(subject.set);
    let is_data = placed.place.contains(".list.elements[");
    if is_data || reference.lookup || (reference.provided && !strict) {
        Level::Warning
    } else {
        Level::Error
    }
}

fn finding(
    place: String,
    name: &str,
    generators: &BTreeSet<String>,
    level: Level,
    known: &BTreeSet<String>,
) -> Finding {
    let generators: Vec<_> = generators.iter().map(String::as_str).collect();
    let known: Vec<_> = known.iter().map(String::as_str).take(12).collect();
    let there = if known.is_empty() {
        "it yields none that could be named here".to_owned()
    } else {
        format!("there are {}", known.join(", "))
    };
    Finding {
        level,
        rule: "unreachable-parameter",
        place,
        message: format!(
            "the parameter `{name}` is named, but {} does not yield it",
            generators.join(" and ")
        ),
        fix: format!("correct the name or yield it; {there}"),
    }
}
