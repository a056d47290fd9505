//! Merging built-in kinds: lists by their merge keys, some maps keeping only what git names.

use serde_json::{Map, Value};

use crate::schema::{ListType, PatchMerge, Schema, Type};

/// What `live` becomes when git goes from `original` to `desired`.
pub(super) fn predict(
    schema: &Schema,
    of: &Type,
    (original, desired): (&Value, &Value),
    live: &Value,
) -> Value {
    let trimmed = without_claim_defaults(original, live);
    Merge { schema }.value(of, Some(original), desired, &trimmed, live)
}

struct Merge<'a> {
    schema: &'a Schema,
}

impl Merge<'_> {
    /// `live` is what git is compared with, `kept` what stays where nothing differs.
    fn value(
        &self,
        of: &Type,
        original: Option<&Value>,
        desired: &Value,
        live: &Value,
        kept: &Value,
    ) -> Value {
        match (desired, live, kept) {
            (Value::Object(wanted), Value::Object(live), Value::Object(kept)) => {
                self.object(of, original, wanted, live, kept)
            }
            (Value::Array(wanted), Value::Array(live), _) => {
                let was = original
                    .and_then(Value::as_array)
                    .map_or(&[][..], |was| was);
                self.list(of, was, wanted, live, kept)
            }
            _ if desired == live => kept.clone(),
            _ => desired.clone(),
        }
    }

    fn object(
        &self,
        of: &Type,
        original: Option<&Value>,
        desired: &Map<String, Value>,
        live: &Map<String, Value>,
        kept: &Map<String, Value>,
    ) -> Value {
        let mut out = kept.clone();
        for (key, wanted) in desired {
            if wanted.is_null() {
                out.remove(key);
                continue;
            }
            let (field, retain_keys) = self.field(of, key);
            let was = original.and_then(|was| was.get(key));
            let next = match (live.get(key), kept.get(key)) {
                (Some(live), Some(kept)) => {
                    let next = self.value(field, was, wanted, live, kept);
                    if retain_keys && next != *kept {
                        only_keys_of(wanted, next)
                    } else {
                        next
                    }
                }
                _ => wanted.clone(),
            };
            out.insert(key.clone(), next);
        }
        let dropped = original
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
            .filter(|(key, value)| !value.is_null() && !desired.contains_key(*key));
        for (key, _) in dropped {
            out.remove(key);
        }
        Value::Object(out)
    }

    fn field(&self, of: &Type, key: &str) -> (&Type, bool) {
        match of {
            Type::Struct(at) => match self.schema.field(*at, key) {
                // On a list the strategy is about its items, which are merged by key.
                Some(field) => (
                    self.schema
                        .structure(*at)
                        .and_then(|one| one.fields.get(key))
                        .map_or(&Type::Any, |field| &field.of),
                    field.retain_keys && !matches!(field.of, Type::List(_)),
                ),
                None => (&Type::Any, false),
            },
            _ => (&Type::Any, false),
        }
    }

    fn list(
        &self,
        of: &Type,
        original: &[Value],
        desired: &[Value],
        live: &[Value],
        kept: &Value,
    ) -> Value {
        let Type::List(list) = of else {
            return if desired == live {
                kept.clone()
            } else {
                Value::Array(desired.to_vec())
            };
        };
        match &list.patch {
            PatchMerge::Replace if desired == live => kept.clone(),
            PatchMerge::Replace => Value::Array(desired.to_vec()),
            PatchMerge::Values => values(original, desired, live),
            PatchMerge::Key(key) => self.items(list, key, original, desired, live),
        }
    }

    fn items(
        &self,
        list: &ListType,
        key: &str,
        original: &[Value],
        desired: &[Value],
        live: &[Value],
    ) -> Value {
        let id = |item: &Value| item.get(key).cloned().unwrap_or(Value::Null);
        let mut patched: Vec<Value> = Vec::new();
        let mut taken: Vec<Value> = Vec::new();
        for wanted in desired {
            let nth = taken.iter().filter(|one| **one == id(wanted)).count();
            let mut same = live.iter().filter(|one| id(one) == id(wanted));
            let now = same.clone().nth(nth);
            if now.is_none() && nth > 0 && same.next().is_some() {
                // A second item of a key that lives once is merged into the first one's place.
                continue;
            }
            let was = original.iter().find(|one| id(one) == id(wanted));
            taken.push(id(wanted));
            patched.push(match now {
                Some(now) => self.value(&list.item, was, wanted, now, now),
                None => wanted.clone(),
            });
        }
        let theirs = live.iter().filter(|one| {
            let of_git = |items: &[Value]| items.iter().any(|other| id(other) == id(one));
            !of_git(desired) && !of_git(original)
        });
        let theirs: Vec<Value> = theirs.cloned().collect();
        let position = |item: &Value| live.iter().position(|one| id(one) == id(item));
        Value::Array(interleave(theirs, patched, position))
    }
}

/// Plain values merged as a set: git's in git's order, the others where they were.
fn values(original: &[Value], desired: &[Value], live: &[Value]) -> Value {
    let theirs: Vec<Value> = live
        .iter()
        .filter(|one| !desired.contains(one) && !original.contains(one))
        .cloned()
        .collect();
    let position = |item: &Value| live.iter().position(|one| one == item);
    Value::Array(interleave(theirs, desired.to_vec(), position))
}

/// Others' items keep their place before those of git's that they preceded.
fn interleave(
    theirs: Vec<Value>,
    ours: Vec<Value>,
    position: impl Fn(&Value) -> Option<usize>,
) -> Vec<Value> {
    let mut out = Vec::with_capacity(theirs.len() + ours.len());
    let mut theirs = theirs.into_iter().peekable();
    for item in ours {
        while let (Some(next), Some(here)) = (theirs.peek(), position(&item)) {
            if position(next).is_none_or(|there| there > here) {
                break;
            }
            out.extend(theirs.next());
        }
        out.push(item);
    }
    out.extend(theirs);
    out
}

fn only_keys_of(wanted: &Value, mut next: Value) -> Value {
    if let (Value::Object(wanted), Value::Object(next)) = (wanted, &mut next) {
        next.retain(|key, _| wanted.contains_key(key));
    }
    next
}

/// The API server fills the claim templates of a StatefulSet, which are one value to a patch: what
/// git does not name in them is not compared.
fn without_claim_defaults(original: &Value, live: &Value) -> Value {
    const TEMPLATES: &str = "/spec/volumeClaimTemplates";
    let mut live = live.clone();
    if live["kind"] != "StatefulSet" {
        return live;
    }
    let (Some(Value::Array(was)), Some(Value::Array(now))) =
        (original.pointer(TEMPLATES), live.pointer_mut(TEMPLATES))
    else {
        return live;
    };
    if was.len() == now.len() {
        for (was, now) in was.iter().zip(now) {
            retain_named(was, now);
        }
    }
    live
}

fn retain_named(was: &Value, now: &mut Value) {
    match (was, now) {
        (Value::Object(was), Value::Object(now)) => {
            now.retain(|key, _| was.contains_key(key));
            for (key, value) in now {
                if let Some(was) = was.get(key) {
                    retain_named(was, value);
                }
            }
        }
        (Value::Array(was), Value::Array(now)) => {
            for (was, now) in was.iter().zip(now) {
                retain_named(was, now);
            }
        }
        _ => {}
    }
}
