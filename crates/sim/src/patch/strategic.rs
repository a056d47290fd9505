//! Strategic merge patch: JSON merge patch, with lists that merge by a key and directives
//! (`$patch`, `$retainKeys`, `$deleteFromPrimitiveList/…`, `$setElementOrder/…`).

use serde_json::{Map, Value};

use super::PatchError;
use crate::registry::Node;

const DELETE_PRIMITIVES: &str = "$deleteFromPrimitiveList/";
const ORDER: &str = "$setElementOrder/";

/// `live` with `patch` applied.
pub(super) fn merge(live: Value, patch: &Value, node: &Node) -> Result<Value, PatchError> {
    let Some(patch) = patch.as_object() else {
        return Err(PatchError::Malformed(
            "a strategic merge patch must be an object".to_owned(),
        ));
    };
    let live = match live {
        Value::Object(live) => live,
        _ => Map::new(),
    };
    Ok(Value::Object(merge_maps(live, patch, node)?))
}

fn merge_maps(
    mut live: Map<String, Value>,
    patch: &Map<String, Value>,
    node: &Node,
) -> Result<Map<String, Value>, PatchError> {
    match patch.get("$patch").and_then(Value::as_str) {
        Some("replace") => {
            let mut replaced = patch.clone();
            replaced.remove("$patch");
            return Ok(replaced);
        }
        Some("delete") => return Ok(Map::new()),
        _ => {}
    }
    if let Some(keys) = patch.get("$retainKeys").and_then(Value::as_array) {
        live.retain(|name, _| keys.iter().any(|key| key == name.as_str()));
    }
    for (name, value) in patch {
        if let Some(list) = name.strip_prefix(DELETE_PRIMITIVES) {
            let gone = value.as_array().cloned().unwrap_or_default();
            if let Some(items) = live.get_mut(list).and_then(Value::as_array_mut) {
                items.retain(|item| !gone.contains(item));
            }
        } else if name.starts_with('$') {
        } else if value.is_null() {
            live.remove(name);
        } else {
            let below = node.field(name);
            let merged = match (live.remove(name), value) {
                (Some(Value::Array(old)), Value::Array(new)) => {
                    Value::Array(merge_lists(old, new, below)?)
                }
                (None, Value::Array(new)) => Value::Array(merge_lists(Vec::new(), new, below)?),
                (old, Value::Object(_)) => merge(old.unwrap_or_default(), value, below)?,
                (_, value) => value.clone(),
            };
            live.insert(name.clone(), merged);
        }
    }
    order(&mut live, patch, node);
    Ok(live)
}

fn merge_lists(live: Vec<Value>, patch: &[Value], node: &Node) -> Result<Vec<Value>, PatchError> {
    let Some(key) = &node.patch else {
        return Ok(patch.to_vec());
    };
    let same: &dyn Fn(&Value, &Value) -> bool = if key.is_empty() {
        &|one, other| one == other
    } else {
        &|one, other| one.get(key) == other.get(key)
    };
    let order = live.clone();
    if key.is_empty() {
        return Ok(in_order(live, patch.to_vec(), &order, same));
    }
    let directive = |item: &Value, name| item["$patch"] == name && item.as_object().is_some();
    if patch.iter().any(|item| directive(item, "replace")) {
        return Ok(patch
            .iter()
            .filter(|item| !directive(item, "replace"))
            .cloned()
            .collect());
    }
    let mut merged = live;
    for item in patch {
        let Some(wanted) = item.get(key) else {
            let printed = printed(item);
            let message = format!("map: {printed} does not contain declared merge key: {key}");
            return Err(PatchError::Keyless(message));
        };
        if directive(item, "delete") {
            merged.retain(|old| old.get(key) != Some(wanted));
            continue;
        }
        match merged.iter_mut().find(|old| old.get(key) == Some(wanted)) {
            Some(old) => *old = merge(std::mem::take(old), item, node.item())?,
            None => merged.push(merge(Value::Null, item, node.item())?),
        }
    }
    let mut patched = Vec::new();
    for item in patch {
        if let Some(at) = merged.iter().position(|merged| same(merged, item)) {
            patched.push(merged.remove(at));
        }
    }
    Ok(in_order(merged, patched, &order, same))
}

/// What the patch names comes first, unless both lists are in the live order.
fn in_order(
    rest: Vec<Value>,
    patched: Vec<Value>,
    order: &[Value],
    same: &dyn Fn(&Value, &Value) -> bool,
) -> Vec<Value> {
    let rank = |item: &Value| order.iter().position(|old| same(old, item));
    let mut rest: std::collections::VecDeque<_> = rest
        .into_iter()
        .filter(|item| !patched.iter().any(|patched| same(patched, item)))
        .collect();
    let mut merged = Vec::with_capacity(rest.len() + patched.len());
    for item in patched {
        while let Some(first) = rest.front() {
            let (Some(mine), Some(theirs)) = (rank(first), rank(&item)) else {
                break;
            };
            if mine > theirs {
                break;
            }
            merged.extend(rest.pop_front());
        }
        merged.push(item);
    }
    merged.extend(rest);
    merged
}

/// As Go prints values.
fn printed(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(printed).collect();
            format!("[{}]", items.join(" "))
        }
        Value::Object(map) => {
            let items: Vec<_> = map
                .iter()
                .map(|(key, value)| format!("{key}:{}", printed(value)))
                .collect();
            format!("map[{}]", items.join(" "))
        }
        other => other.to_string(),
    }
}

/// Puts lists in the order the patch asks for; what it does not name stays behind its neighbour.
fn order(live: &mut Map<String, Value>, patch: &Map<String, Value>, node: &Node) {
    for (name, wanted) in patch {
        let Some(list) = name.strip_prefix(ORDER) else {
            continue;
        };
        let (Some(wanted), Some(items)) = (
            wanted.as_array(),
            live.get_mut(list).and_then(Value::as_array_mut),
        ) else {
            continue;
        };
        let key = node
            .field(list)
            .patch
            .as_deref()
            .filter(|key| !key.is_empty());
        let rank = |item: &Value| {
            wanted.iter().position(|wish| match key {
                Some(key) => wish.get(key) == item.get(key),
                None => wish == item,
            })
        };
        let mut last = 0;
        let mut ranked: Vec<_> = std::mem::take(items)
            .into_iter()
            .map(|item| {
                last = rank(&item).unwrap_or(last);
                (last, item)
            })
            .collect();
        ranked.sort_by_key(|(rank, _)| *rank);
        *items = ranked.into_iter().map(|(_, item)| item).collect();
    }
}
