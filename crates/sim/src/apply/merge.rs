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

/// The applied order holds; what only the live list has keeps its place before its successor.
fn merge_items(live: &[Value], applied: &[Value], node: &Node) -> Vec<Value> {
    let keyed = |items: &[Value]| -> Vec<Option<String>> {
        items.iter().map(|item| node.item_key(item)).collect()
    };
    let (live_keys, applied_keys) = (keyed(live), keyed(applied));
    let mut merged = Vec::with_capacity(live.len().max(applied.len()));
    let mut at = 0;
    let mut emit_own = |until: Option<usize>, merged: &mut Vec<Value>| {
        while at < until.unwrap_or(live.len()) {
            if !applied_keys.contains(&live_keys[at]) {
                merged.push(live[at].clone());
            }
            at += 1;
        }
    };
    for (item, key) in applied.iter().zip(&applied_keys) {
        let position = live_keys
            .iter()
            .position(|live_key| key.is_some() && live_key == key);
        if let Some(position) = position {
            emit_own(Some(position), &mut merged);
            merged.push(merge(&live[position], item, node.item()));
        } else {
            merged.push(item.clone());
        }
    }
    emit_own(None, &mut merged);
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
