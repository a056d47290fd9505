//! What differs between two values, field by field.

use std::collections::BTreeMap;

use serde_json::Value;

use super::fields::Fields;
use crate::registry::{Form, ListType, Node};

/// The paths that one value has and the other has not, and those where both differ.
#[derive(Debug, Default)]
pub(super) struct Comparison {
    pub(super) added: Fields,
    pub(super) removed: Fields,
    pub(super) modified: Fields,
}

impl Comparison {
    pub(super) fn of(old: &Value, new: &Value, node: &Node) -> Self {
        let mut comparison = Self::default();
        comparison.walk(Some(old), Some(new), node, &mut Vec::new());
        comparison
    }

    fn walk(
        &mut self,
        old: Option<&Value>,
        new: Option<&Value>,
        node: &Node,
        path: &mut Vec<String>,
    ) {
        match (old, new) {
            (None, Some(_)) => mark(&mut self.added, path),
            (Some(_), None) => mark(&mut self.removed, path),
            _ => {}
        }
        let old_children = old.and_then(|value| children(value, node));
        let new_children = new.and_then(|value| children(value, node));
        match (old, old_children, new, new_children) {
            // Two containers, or one that came or went: each child speaks for itself.
            (_, Some(old), _, Some(new)) => self.descend(&old, &new, node, path),
            (None, _, _, Some(new)) => self.descend(&BTreeMap::new(), &new, node, path),
            (_, Some(old), None, _) => self.descend(&old, &BTreeMap::new(), node, path),
            (Some(old), _, Some(new), _) if old != new => mark(&mut self.modified, path),
            _ => {}
        }
    }

    fn descend(
        &mut self,
        old: &BTreeMap<String, &Value>,
        new: &BTreeMap<String, &Value>,
        node: &Node,
        path: &mut Vec<String>,
    ) {
        let gone = old.keys().filter(|key| !new.contains_key(*key));
        for element in new.keys().chain(gone) {
            let below = match element.strip_prefix("f:") {
                Some(name) => node.field(name),
                None => node.item(),
            };
            path.push(element.clone());
            self.walk(
                old.get(element).copied(),
                new.get(element).copied(),
                below,
                path,
            );
            path.pop();
        }
    }
}

/// The children of a container that merges; `None` for what is one value.
fn children<'a>(value: &'a Value, node: &Node) -> Option<BTreeMap<String, &'a Value>> {
    match value {
        Value::Object(map) if !node.atomic => Some(
            map.iter()
                .map(|(name, value)| (format!("f:{name}"), value))
                .collect(),
        ),
        Value::Array(items) if node.list != ListType::Atomic => Some(
            items
                .iter()
                .filter_map(|item| Some((node.item_key(item)?, item)))
                .collect(),
        ),
        // What the Go type has and nobody filled.
        Value::Null if !node.atomic && [Form::Map, Form::Struct].contains(&node.form) => {
            Some(BTreeMap::new())
        }
        Value::Null if node.list != ListType::Atomic => Some(BTreeMap::new()),
        _ => None,
    }
}

fn mark(set: &mut Fields, path: &[String]) {
    let mut at = set;
    for element in path {
        at = at.child(element);
    }
    at.member = true;
}
