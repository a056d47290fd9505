//! All texts of a set in which parameters may be named, each with its place.

use argosy_crds::application_set::{ApplicationSetGenerator, ApplicationSetTemplate};
use serde_json::Value;

use super::Subject;
use crate::expand::template_of;
use crate::template::{Engine, Text, fill};

/// A text and where it stands.
pub(super) struct Placed {
    pub(super) place: String,
    pub(super) text: Text,
}

/// What is rendered for the parameters of one top-level entry: its templates and the patch.
pub(super) fn of_entry(
    subject: &Subject<'_>,
    index: usize,
    entry: &ApplicationSetGenerator,
    engine: &Engine,
) -> Vec<Placed> {
    let spec = &subject.set.spec;
    let base = json(&spec.template);
    let mut texts = Vec::new();
    for name in entry.names() {
        match template_of(entry, name) {
            None => walk("spec.template", &base, engine, &mut texts),
            Some(over) => {
                let over = json(over);
                let mut merged = over.clone();
                fill(&mut merged, base.clone());
                let own = format!("spec.generators[{index}].{name}.template");
                walk_merged(
                    ("spec.template", &own),
                    &merged,
                    Some(&over),
                    engine,
                    &mut texts,
                );
            }
        }
    }
    if let Some(patch) = &spec.template_patch {
        texts.push(Placed {
            place: "spec.templatePatch".to_owned(),
            text: engine.compile(patch),
        });
    }
    texts
}

/// The texts of a generator into which earlier parameters are put: all but templates and the
/// selector, and but for the children of matrix and merge, which are entries of their own.
pub(super) fn of_generator(
    place: &str,
    entry: &ApplicationSetGenerator,
    engine: &Engine,
) -> Vec<Placed> {
    let mut texts = Vec::new();
    for name in entry.names() {
        let mut spec = serde_json::to_value(entry)
            .ok()
            .and_then(|mut entry| entry.get_mut(name).map(Value::take))
            .unwrap_or_default();
        if let Some(spec) = spec.as_object_mut() {
            spec.remove("template");
            spec.remove("generators");
        }
        walk(&format!("{place}.{name}"), &spec, engine, &mut texts);
    }
    texts
}

fn json(template: &ApplicationSetTemplate) -> Value {
    serde_json::to_value(template).unwrap_or_default()
}

fn walk(place: &str, value: &Value, engine: &Engine, texts: &mut Vec<Placed>) {
    walk_merged((place, place), value, None, engine, texts);
}

/// Walks a merged template; a text that `over` has stands there, any other in the base.
fn walk_merged(
    (base, own): (&str, &str),
    value: &Value,
    over: Option<&Value>,
    engine: &Engine,
    texts: &mut Vec<Placed>,
) {
    match value {
        Value::String(text) if text.contains("{{") => texts.push(Placed {
            place: if over == Some(value) { own } else { base }.to_owned(),
            text: engine.compile(text),
        }),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                let places = (format!("{base}[{index}]"), format!("{own}[{index}]"));
                let over = over.and_then(|over| over.get(index));
                walk_merged((&places.0, &places.1), item, over, engine, texts);
            }
        }
        Value::Object(entries) => {
            for (key, item) in entries {
                if key.contains("{{") {
                    texts.push(Placed {
                        place: base.to_owned(),
                        text: engine.compile(key),
                    });
                }
                let places = (format!("{base}.{key}"), format!("{own}.{key}"));
                let over = over.and_then(|over| over.get(key));
                walk_merged((&places.0, &places.1), item, over, engine, texts);
            }
        }
        _ => {}
    }
}
