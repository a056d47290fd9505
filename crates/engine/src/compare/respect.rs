//! `RespectIgnoreDifferences=true`: what a sync writes leaves alone what the ignore rules name.
//!
//! A server-side apply that left an ignored field out would give it up, and a field that nobody else
//! owns would go. So the live value of what is ignored is put into the object that is applied, and
//! nothing else of the live object is: not the other items of a list, and no field that git dropped.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::fields::{Place, same_keys};
use super::object::Rules;
use crate::ignore;
use crate::normalise;
use crate::object::{ObjectExt, names};
use crate::schema::{Identity, Type};

/// Metadata that identifies an object or that the API server keeps; never taken over.
const NOT_TAKEN: [&str; 9] = [
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "generation",
    "managedFields",
    "name",
    "namespace",
    "resourceVersion",
    "uid",
];

/// Marks that say whose the object is and what was applied; always the desired ones.
const KEPT: [(&str, &[&str]); 2] = [
    (
        "annotations",
        &[
            names::TRACKING_ID,
            names::INSTALLATION_ID,
            names::LAST_APPLIED,
        ],
    ),
    ("labels", &[names::INSTANCE_LABEL]),
];

/// `desired` with the live values of the fields that the rules ignore; borrowed if they ignore
/// nothing of the object.
///
/// # Errors
/// A rule for the object that could not be used: nobody can tell what to leave alone.
pub fn respecting<'a>(
    desired: &'a Value,
    live: &Value,
    rules: Rules<'_>,
) -> Result<Cow<'a, Value>, ignore::Error> {
    let options = rules.overrides.compare_options();
    let (mut wanted, mut present) = (desired.clone(), live.clone());
    if desired.kind() == "Secret" && desired.group().is_empty() {
        wanted = normalise::object(desired, options).into_owned();
    }
    for state in [&mut wanted, &mut present] {
        if let Value::Object(fields) = state {
            fields.remove("status");
        }
    }
    let (mut target, mut kept) = (wanted.clone(), present.clone());
    let removed = rules.ignore.remove(&mut target, &mut kept);
    if let Some(flaw) = removed.flaws.into_iter().next() {
        return Err(flaw);
    }
    if target == wanted && kept == present {
        return Ok(Cow::Borrowed(desired));
    }
    let root;
    let place = match rules.schema.find(live.api_version(), live.kind()) {
        Some((schema, at)) if desired.api_version() == live.api_version() => {
            root = Type::Struct(at);
            Place::new(schema, &root)
        }
        _ => Place::unknown(),
    };
    restore(&mut target, &kept, &present, place);
    keep_identity(&mut target, desired);
    Ok(Cow::Owned(target))
}

/// Puts into `target` what `live` has and `kept`, which is `live` without what is ignored, lacks.
fn restore(target: &mut Value, kept: &Value, live: &Value, place: Place<'_>) {
    match (target, kept, live) {
        (Value::Object(target), Value::Object(kept), Value::Object(live)) => {
            for (name, value) in live {
                match (kept.get(name), target.get_mut(name)) {
                    (Some(left), _) if left == value => {}
                    (Some(left), Some(below)) if !below.is_null() => {
                        restore(below, left, value, place.field(name));
                    }
                    (left, _) => {
                        let taken =
                            left.map_or_else(|| Some(value.clone()), |left| ignored(left, value));
                        target.extend(taken.map(|taken| (name.clone(), taken)));
                    }
                }
            }
        }
        (Value::Array(target), Value::Array(kept), Value::Array(live)) => {
            restore_items(target, kept, live, place);
        }
        _ => {}
    }
}

/// The ignored fields alone; a part of a list cannot stand alone.
fn ignored(kept: &Value, live: &Value) -> Option<Value> {
    let (Value::Object(kept), Value::Object(live)) = (kept, live) else {
        return None;
    };
    let fields: Map<_, _> = live
        .iter()
        .filter_map(|(name, value)| match kept.get(name) {
            None => Some((name.clone(), value.clone())),
            Some(left) => ignored(left, value).map(|part| (name.clone(), part)),
        })
        .collect();
    (!fields.is_empty()).then_some(Value::Object(fields))
}

fn restore_items(target: &mut Vec<Value>, kept: &[Value], live: &[Value], place: Place<'_>) {
    let (keys, below) = match place.of {
        Type::List(list) => match &list.identity {
            Identity::Keys(keys) => (Some(keys.clone()), place.item(list)),
            Identity::Set | Identity::Atomic => (names_of(target, live), place.item(list)),
        },
        _ => (names_of(target, live), Place::unknown()),
    };
    let find = |items: &[Value], wanted: &Value, place: usize| match &keys {
        Some(keys) => items.iter().position(|one| same_keys(one, wanted, keys)),
        None => (place < items.len()).then_some(place),
    };
    for (at, (item, remnant)) in live.iter().zip(remnants(kept, live)).enumerate() {
        match remnant {
            // Ignored as a whole.
            None => {
                let there = match &keys {
                    Some(_) => find(target, item, at).is_some(),
                    None => target.contains(item),
                };
                if !there {
                    target.insert(at.min(target.len()), item.clone());
                }
            }
            Some(place) if kept[place] == *item => {}
            Some(place) => {
                if let Some(found) = find(target, item, place) {
                    restore(&mut target[found], &kept[place], item, below);
                }
            }
        }
    }
}

/// Lists that the schema does not key are matched by the names of their items, where all have one
/// of their own; else by position.
fn names_of(target: &[Value], live: &[Value]) -> Option<Vec<String>> {
    let distinct = |items: &[Value]| {
        let names: Option<std::collections::BTreeSet<_>> = items
            .iter()
            .map(|item| item.get("name")?.as_str())
            .collect();
        names.is_some_and(|names| names.len() == items.len())
    };
    (distinct(target) && distinct(live)).then(|| vec!["name".to_owned()])
}

/// For each live item the place of what is left of it; `None` if it is ignored as a whole.
fn remnants(kept: &[Value], live: &[Value]) -> Vec<Option<usize>> {
    if kept.len() == live.len() {
        return (0..live.len()).map(Some).collect();
    }
    let mut next = 0;
    live.iter()
        .map(|item| {
            let found = kept.get(next).is_some_and(|left| is_remnant(left, item));
            next += usize::from(found);
            found.then(|| next - 1)
        })
        .collect()
}

fn is_remnant(left: &Value, whole: &Value) -> bool {
    match (left, whole) {
        (Value::Object(left), Value::Object(whole)) => left.iter().all(|(name, value)| {
            whole
                .get(name)
                .is_some_and(|whole| is_remnant(value, whole))
        }),
        (Value::Array(left), Value::Array(whole)) => {
            remnants(left, whole).iter().flatten().count() == left.len()
        }
        (left, whole) => left == whole,
    }
}

/// A rule may name so much that it reaches what makes the object this very object.
fn keep_identity(target: &mut Value, desired: &Value) {
    for field in ["apiVersion", "kind", "status"] {
        set(target, field, desired.get(field));
    }
    if !target["metadata"].is_object() {
        target["metadata"] = Value::Object(Map::new());
    }
    for field in NOT_TAKEN {
        set(
            &mut target["metadata"],
            field,
            desired["metadata"].get(field),
        );
    }
    for (map, entries) in KEPT {
        for entry in entries {
            let own = desired["metadata"][map].get(entry);
            if own.is_some() && !target["metadata"][map].is_object() {
                target["metadata"][map] = Value::Object(Map::new());
            }
            if let Some(entries) = target["metadata"].get_mut(map) {
                set(entries, entry, own);
            }
        }
    }
}

fn set(object: &mut Value, field: &str, value: Option<&Value>) {
    if let Value::Object(fields) = object {
        match value {
            Some(value) => fields.insert(field.to_owned(), value.clone()),
            None => fields.remove(field),
        };
    }
}
