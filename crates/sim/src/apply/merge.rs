//! Laying one value over another, and taking owned fields out of a value.

use serde_json::Value;

use super::fields::Fields;
use crate::registry::{ListType, Node};

/// `applied` over `live`: maps merge by field, lists by what tells their items apart.
pub(super) fn merge(live: &Value, applied: &Value, node: &Node) -> Value {
    match (live, applied) {
        (Value::Object(live), Value::Object(applied)) if !node.atomic => {
            let mut merged = live.clone();
            for (name, value) in applied {
                let value = match live.get(name) {
                    Some(old) => merge(old, value, node.field(name)),
                    None => value.clone(),
                };
                merged.insert(name.clone(), value);
            }
            Value::Object(merged)
        }
        (Value::Array(live), Value::Array(applied)) if node.list != ListType::Atomic => {
            Value::Array(merge_items(live, applied, node))
        }
        _ => applied.clone(),
    }
}

/// The order of both lists holds where they agree; where they do not, that of the applied one.
fn merge_items(live: &[Value], applied: &[Value], node: &Node) -> Vec<Value> {
    let keyed = |items: &[Value]| -> Vec<Option<String>> {
        items.iter().map(|item| node.item_key(item)).collect()
    };
    let (live_keys, applied_keys) = (keyed(live), keyed(applied));
    let mut shared = applied_keys
        .iter()
        .filter(|key| live_keys.contains(key))
        .peekable();
    let mut merged = Vec::with_capacity(live.len().max(applied.len()));
    let (mut l, mut a) = (0, 0);
    while l < live.len() || a < applied.len() {
        if let (Some(key), Some(other)) = (live_keys.get(l), applied_keys.get(a)) {
            if key == other {
                merged.push(merge(&live[l], &applied[a], node.item()));
                (l, a) = (l + 1, a + 1);
                shared.next();
                continue;
            }
            let wanted_later = applied_keys.contains(key);
            if wanted_later && shared.peek().is_some_and(|next| *next != key) {
                l += 1;
                continue;
            }
        }
        if let Some(key) = live_keys.get(l) {
            if !applied_keys.contains(key) {
                merged.push(live[l].clone());
                l += 1;
                continue;
            }
            if a >= applied.len() {
                l += 1;
                continue;
            }
        }
        if let Some(key) = applied_keys.get(a) {
            let old = live_keys.iter().position(|live_key| live_key == key);
            merged.push(match old {
                Some(old) => merge(&live[old], &applied[a], node.item()),
                None => applied[a].clone(),
            });
            if shared.peek() == Some(&key) {
                shared.next();
            }
            a += 1;
        }
    }
    merged
}

/// Takes out of `value` what `last` owned and `kept` does not own, the content below included.
pub(super) fn prune(value: &mut Value, last: &Fields, kept: &Fields, node: &Node) {
    for (element, was) in &last.children {
        let keep = kept.children.get(element);
        if let Some(name) = element.strip_prefix("f:") {
            let Some(map) = value.as_object_mut() else {
                return;
            };
            match keep {
                None => drop(map.remove(name)),
                Some(keep) => {
                    if let Some(field) = map.get_mut(name) {
                        prune(field, was, keep, node.field(name));
                    }
                }
            }
        } else {
            let Some(items) = value.as_array_mut() else {
                return;
            };
            let found = items
                .iter()
                .position(|item| node.item_key(item).as_ref() == Some(element));
            match (found, keep) {
                (Some(found), None) => drop(items.remove(found)),
                (Some(found), Some(keep)) => prune(&mut items[found], was, keep, node.item()),
                (None, _) => {}
            }
        }
    }
}
