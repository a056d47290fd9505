//! What a server-side dry run says: the object as an apply would leave it, against the live one.
//!
//! What admission webhooks add of their own accord is nobody's wish: unless it is asked for, only
//! fields count that our field manager owns, before the apply or after it.

use serde_json::{Map, Value};

use super::fields::{differs, same_keys};
use super::path::Path;
use super::{Difference, FIELD_MANAGER};
use crate::secrets;

/// What the API server keeps for itself.
const BOOKKEEPING: [&str; 4] = [
    "managedFields",
    "resourceVersion",
    "generation",
    "creationTimestamp",
];

/// What an apply would change of the live object, Secret values masked. `webhooks` says whether what
/// admission webhooks would change counts.
pub fn predicted_changes(predicted: &Value, live: &Value, webhooks: bool) -> Vec<Difference> {
    let mut out = Vec::new();
    let owned = |object: &Value| {
        if webhooks {
            Owned::All
        } else {
            Owned::of(object)
        }
    };
    let (after, before) = (owned(predicted), owned(live));
    let (Some(one), Some(other)) = (predicted.as_object(), live.as_object()) else {
        return out;
    };
    for name in one
        .keys()
        .chain(other.keys().filter(|name| !one.contains_key(*name)))
    {
        let below = if name == "status" {
            // Others write it all the time, and it may be newer than the live object that is known.
            [predicted, live].map(|object| Owned::of(object).field(name))
        } else {
            [&after, &before].map(|owned| owned.field(name))
        };
        let at = Path::Root.key(name);
        if name == "metadata" {
            let bare = [one, other].map(|object| without_bookkeeping(&object[name]));
            walk(Some(&bare[0]), Some(&bare[1]), &below, &at, &mut out);
        } else {
            walk(one.get(name), other.get(name), &below, &at, &mut out);
        }
    }
    if secrets::is_secret(live) {
        secrets::mask_differences(&mut out);
    }
    out
}

fn without_bookkeeping(metadata: &Value) -> Value {
    let mut metadata = metadata.clone();
    if let Value::Object(fields) = &mut metadata {
        fields.retain(|name, _| !BOOKKEEPING.contains(&name.as_str()));
    }
    metadata
}

/// Which part of a value our field manager owns.
#[derive(Clone, Debug)]
enum Owned {
    All,
    Some(Vec<Map<String, Value>>),
}

impl Owned {
    fn of(object: &Value) -> Self {
        let entries = object.pointer("/metadata/managedFields");
        let entries = entries.and_then(Value::as_array).into_iter().flatten();
        let ours = entries
            .filter(|entry| entry["manager"] == FIELD_MANAGER && entry["operation"] == "Apply")
            .filter_map(|entry| entry["fieldsV1"].as_object().cloned());
        Self::Some(ours.collect())
    }

    fn none() -> Self {
        Self::Some(Vec::new())
    }

    fn is_none(&self) -> bool {
        matches!(self, Self::Some(sets) if sets.is_empty())
    }

    fn field(&self, name: &str) -> Self {
        self.below(|token| token.strip_prefix("f:") == Some(name))
    }

    fn item(&self, item: &Value) -> Self {
        self.below(|token| match token.split_once(':') {
            Some(("k", keys)) => {
                let keys = serde_json::from_str::<Value>(keys).unwrap_or_default();
                let names: Vec<_> = keys
                    .as_object()
                    .into_iter()
                    .flatten()
                    .map(|(key, _)| key.clone())
                    .collect();
                !names.is_empty() && same_keys(item, &keys, &names)
            }
            Some(("v", value)) => {
                serde_json::from_str::<Value>(value).is_ok_and(|value| value == *item)
            }
            _ => false,
        })
    }

    fn below(&self, is: impl Fn(&str) -> bool) -> Self {
        let Self::Some(sets) = self else {
            return Self::All;
        };
        let mut found = Vec::new();
        for (_, below) in sets.iter().flatten().filter(|(token, _)| is(token)) {
            match below.as_object() {
                // A leaf is owned as a whole: a plain value, or an atomic list or map.
                Some(below) if below.is_empty() => return Self::All,
                Some(below) => found.push(below.clone()),
                None => {}
            }
        }
        Self::Some(found)
    }

    fn has_items(&self) -> bool {
        let Self::Some(sets) = self else {
            return false;
        };
        sets.iter()
            .flatten()
            .any(|(token, _)| token.starts_with("k:") || token.starts_with("v:"))
    }
}

fn walk(
    predicted: Option<&Value>,
    live: Option<&Value>,
    owned: &[Owned; 2],
    path: &Path<'_>,
    out: &mut Vec<Difference>,
) {
    if predicted == live || owned.iter().all(Owned::is_none) {
        return;
    }
    match (predicted, live) {
        (Some(Value::Object(one)), Some(Value::Object(other))) => {
            for name in one
                .keys()
                .chain(other.keys().filter(|name| !one.contains_key(*name)))
            {
                let below = [0, 1].map(|side| owned[side].field(name));
                walk(one.get(name), other.get(name), &below, &path.key(name), out);
            }
        }
        (Some(Value::Array(one)), Some(Value::Array(other)))
            if owned.iter().any(Owned::has_items) =>
        {
            items(one, other, owned, path, out);
        }
        (Some(Value::Array(one)), Some(Value::Array(other))) if one.len() == other.len() => {
            for (at, (one, other)) in one.iter().zip(other).enumerate() {
                walk(
                    Some(one),
                    Some(other),
                    &[Owned::All, Owned::All],
                    &path.index(at),
                    out,
                );
            }
        }
        _ => out.push(differs(path, predicted, live)),
    }
}

/// Items with identities: each against the one that our ownership says is the same.
fn items(
    one: &[Value],
    other: &[Value],
    owned: &[Owned; 2],
    path: &Path<'_>,
    out: &mut Vec<Difference>,
) {
    for (at, item) in one.iter().enumerate() {
        let after = owned[0].item(item);
        if after.is_none() {
            continue;
        }
        // What identifies an item for one side does so for the other.
        let same = other
            .iter()
            .find(|candidate| *candidate == item || owned[0].same_item(item, candidate));
        let before = same.map_or_else(Owned::none, |same| owned[1].item(same));
        walk(Some(item), same, &[after, before], &path.index(at), out);
    }
    for (at, item) in other.iter().enumerate() {
        let gone = !one
            .iter()
            .any(|candidate| candidate == item || owned[1].same_item(item, candidate));
        if gone && !owned[1].item(item).is_none() {
            out.push(differs(&path.index(at), None, Some(item)));
        }
    }
}

impl Owned {
    /// Whether two items have the same keys, of those by which we own one of them.
    fn same_item(&self, item: &Value, other: &Value) -> bool {
        let Self::Some(sets) = self else {
            return false;
        };
        sets.iter().flatten().any(|(token, _)| {
            let Some(keys) = token.strip_prefix("k:") else {
                return false;
            };
            let keys = serde_json::from_str::<Value>(keys).unwrap_or_default();
            let names: Vec<_> = keys
                .as_object()
                .into_iter()
                .flatten()
                .map(|(key, _)| key.clone())
                .collect();
            !names.is_empty() && same_keys(item, &keys, &names) && same_keys(other, &keys, &names)
        })
    }
}
