//! Fields that are ours in the cluster and no longer in git.
//!
//! Ours is what server-side apply recorded for our field manager, and what kubectl's last-applied
//! annotation still lists. Everything else in a live object belongs to others and stays.

use serde_json::{Map, Value};

use super::Difference;
use super::fields::{Place, differs, same_keys};
use super::path::Path;
use crate::object::{ObjectExt, names};
use crate::schema::{Identity, Type};

/// Adds to `out` each live field that `manager` owns and `desired` lacks.
pub(super) fn managed(manager: &str, desired: &Value, live: &Value, out: &mut Vec<Difference>) {
    let entries = live
        .pointer("/metadata/managedFields")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    for entry in entries {
        let of_status = entry
            .get("subresource")
            .and_then(Value::as_str)
            .is_some_and(|part| !part.is_empty());
        if entry["manager"] == manager
            && !of_status
            && let Some(fields) = entry["fieldsV1"].as_object()
        {
            owned(fields, Some(desired), live, &Path::Root, out);
        }
    }
}

fn owned(
    fields: &Map<String, Value>,
    desired: Option<&Value>,
    live: &Value,
    path: &Path<'_>,
    out: &mut Vec<Difference>,
) {
    for (token, below) in fields {
        let Some((sort, what)) = token.split_once(':') else {
            continue;
        };
        match sort {
            "f" => {
                if let Some(value) = live.get(what) {
                    let wanted = desired.and_then(|one| one.get(what));
                    step(below, wanted, value, &path.key(what), out);
                }
            }
            "k" => {
                let Ok(keys) = serde_json::from_str::<Value>(what) else {
                    continue;
                };
                let Some((at, value)) = item_of(live, &keys) else {
                    continue;
                };
                let wanted = desired
                    .and_then(|one| item_of(one, &keys))
                    .map(|(_, one)| one);
                step(below, wanted, value, &path.index(at), out);
            }
            "v" => {
                let Ok(member) = serde_json::from_str::<Value>(what) else {
                    continue;
                };
                let position =
                    |list: &Value| list.as_array()?.iter().position(|one| *one == member);
                if let Some(at) = position(live)
                    && desired.and_then(position).is_none()
                {
                    out.push(differs(&path.index(at), None, Some(&member)));
                }
            }
            _ => {}
        }
    }
}

fn step(
    below: &Value,
    desired: Option<&Value>,
    live: &Value,
    path: &Path<'_>,
    out: &mut Vec<Difference>,
) {
    match desired {
        None | Some(Value::Null) => {
            if !live.is_null() && !is_ours_alone(path) {
                out.push(differs(path, None, Some(live)));
            }
        }
        Some(_) => {
            if let Some(fields) = below.as_object() {
                owned(fields, desired, live, path, out);
            }
        }
    }
}

/// kubectl's record of what it applied goes when client-side apply's fields are taken over.
fn is_ours_alone(path: &Path<'_>) -> bool {
    matches!(path, Path::Key(_, name) if *name == names::LAST_APPLIED)
}

fn item_of<'a>(list: &'a Value, keys: &Value) -> Option<(usize, &'a Value)> {
    let names: Vec<String> = keys.as_object()?.keys().cloned().collect();
    list.as_array()?
        .iter()
        .enumerate()
        .find(|(_, item)| same_keys(item, keys, &names))
}

/// Adds to `out` each live field that kubectl's last-applied annotation has and `desired` lacks.
pub(super) fn last_applied(
    desired: &Value,
    live: &Value,
    place: Place<'_>,
    out: &mut Vec<Difference>,
) {
    let applied = live
        .annotation(names::LAST_APPLIED)
        .and_then(|text| serde_json::from_str::<Value>(text).ok());
    let Some(Value::Object(mut applied)) = applied else {
        return;
    };
    for identity in ["apiVersion", "kind", "status"] {
        applied.remove(identity);
    }
    if desired.get("data").is_some() && applied.contains_key("stringData") {
        let plain = applied.remove("stringData");
        if let (Some(Value::Object(plain)), Value::Object(data)) = (
            plain,
            applied
                .entry("data")
                .or_insert_with(|| Value::Object(Map::new())),
        ) {
            data.extend(plain);
        }
    }
    if let Some(Value::Object(metadata)) = applied.get_mut("metadata") {
        for identity in ["name", "namespace", "creationTimestamp"] {
            metadata.remove(identity);
        }
    }
    removed(
        &Value::Object(applied),
        desired,
        live,
        place,
        &Path::Root,
        out,
    );
}

fn removed(
    applied: &Value,
    desired: &Value,
    live: &Value,
    place: Place<'_>,
    path: &Path<'_>,
    out: &mut Vec<Difference>,
) {
    match (applied, desired, live) {
        (Value::Object(applied), Value::Object(_), Value::Object(live)) => {
            for (key, was) in applied {
                let Some(value) = live.get(key).filter(|value| !value.is_null()) else {
                    continue;
                };
                let at = path.key(key);
                match desired.get(key) {
                    None | Some(Value::Null) if was.is_null() => {}
                    None | Some(Value::Null) => out.push(differs(&at, None, Some(value))),
                    Some(wanted) => removed(was, wanted, value, place.field(key), &at, out),
                }
            }
        }
        (Value::Array(applied), Value::Array(desired), Value::Array(live)) => {
            let Type::List(list) = place.of else {
                return;
            };
            let Identity::Keys(keys) = &list.identity else {
                return;
            };
            for was in applied {
                let find = |items: &[Value]| items.iter().position(|one| same_keys(one, was, keys));
                let Some(at) = find(live) else {
                    continue;
                };
                let here = path.index(at);
                match find(desired) {
                    None => out.push(differs(&here, None, Some(&live[at]))),
                    Some(wanted) => {
                        removed(
                            was,
                            &desired[wanted],
                            &live[at],
                            place.item(list),
                            &here,
                            out,
                        );
                    }
                }
            }
        }
        _ => {}
    }
}
