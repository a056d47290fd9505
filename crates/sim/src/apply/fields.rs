//! A set of field paths in the shape of FieldsV1.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::registry::{ListType, Node};

/// A tree of path elements as FieldsV1 spells them (`f:name`, `k:{…}`, `v:…`). A node that is a
/// member stands for its own path, besides those of its children.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Fields {
    pub(super) member: bool,
    pub(super) children: BTreeMap<String, Self>,
}

impl Fields {
    pub(super) fn leaf() -> Self {
        Self {
            member: true,
            children: BTreeMap::new(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        !self.member && self.children.is_empty()
    }

    pub(super) fn child(&mut self, element: &str) -> &mut Self {
        self.children.entry(element.to_owned()).or_default()
    }

    /// Everything that `value` sets, as apply owns it.
    pub(super) fn of(value: &Value, node: &Node) -> Self {
        match value {
            Value::Object(map) if !node.atomic => {
                let mut set = Self {
                    member: map.is_empty(),
                    ..Self::default()
                };
                for (name, value) in map {
                    let mut field = Self::of(value, node.field(name));
                    // Keys of a free map are owned themselves, named fields only by their content.
                    let free = node.values.is_some() || node.open;
                    field.member |= free && !node.fields.contains_key(name);
                    if !field.is_empty() {
                        set.children.insert(format!("f:{name}"), field);
                    }
                }
                set
            }
            Value::Array(items) if node.list != ListType::Atomic => {
                let mut set = Self::default();
                for item in items {
                    if let Some(key) = node.item_key(item) {
                        let mut field = Self::of(item, node.item());
                        field.member = true;
                        set.children.insert(key, field);
                    }
                }
                set
            }
            _ => Self::leaf(),
        }
    }

    pub(super) fn union(&mut self, other: &Self) {
        self.member |= other.member;
        for (element, theirs) in &other.children {
            self.child(element).union(theirs);
        }
    }

    pub(super) fn subtract(&mut self, other: &Self) {
        self.member &= !other.member;
        for (element, theirs) in &other.children {
            if let Some(mine) = self.children.get_mut(element) {
                mine.subtract(theirs);
                if mine.is_empty() {
                    self.children.remove(element);
                }
            }
        }
    }

    pub(super) fn intersection(&self, other: &Self) -> Self {
        let mut both = Self {
            member: self.member && other.member,
            ..Self::default()
        };
        for (element, mine) in &self.children {
            if let Some(theirs) = other.children.get(element) {
                let shared = mine.intersection(theirs);
                if !shared.is_empty() {
                    both.children.insert(element.clone(), shared);
                }
            }
        }
        both
    }

    /// Takes away a path and all below it.
    pub(super) fn remove(&mut self, path: &[&str]) {
        let [element, rest @ ..] = path else { return };
        if rest.is_empty() {
            self.children.remove(*element);
        } else if let Some(child) = self.children.get_mut(*element) {
            child.remove(rest);
            if child.is_empty() {
                self.children.remove(*element);
            }
        }
    }

    /// Keeps nothing but a path and all below it.
    pub(super) fn only(&self, element: &str) -> Self {
        let mut kept = Self::default();
        if let Some(child) = self.children.get(element) {
            kept.children.insert(element.to_owned(), child.clone());
        }
        kept
    }

    pub(super) fn from_json(value: &Value) -> Self {
        let Some(map) = value.as_object() else {
            return Self::default();
        };
        let mut set = Self {
            member: map.is_empty() || map.contains_key("."),
            ..Self::default()
        };
        for (element, below) in map.iter().filter(|(element, _)| *element != ".") {
            set.children.insert(element.clone(), Self::from_json(below));
        }
        set
    }

    pub(super) fn to_json(&self) -> Value {
        let mut map = Map::new();
        if self.member && !self.children.is_empty() {
            map.insert(".".to_owned(), Value::Object(Map::new()));
        }
        for (element, below) in &self.children {
            map.insert(element.clone(), below.to_json());
        }
        Value::Object(map)
    }

    /// All member paths as errors print them: `.spec.template.spec.containers[name="a"].image`.
    pub(super) fn paths(&self) -> Vec<String> {
        let mut found = Vec::new();
        self.collect(String::new(), &mut found);
        found
    }

    fn collect(&self, path: String, found: &mut Vec<String>) {
        for (element, below) in &self.children {
            below.collect(format!("{path}{}", printed(element)), found);
        }
        if self.member {
            found.push(path);
        }
    }
}

/// A path element as errors print it.
pub(crate) fn printed(element: &str) -> String {
    match element.split_once(':') {
        Some(("k", key)) => {
            let key: Map<String, Value> = serde_json::from_str(key).unwrap_or_default();
            let parts: Vec<_> = key
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            format!("[{}]", parts.join(","))
        }
        Some(("v", value)) => format!("[={value}]"),
        Some((_, name)) => format!(".{name}"),
        None => element.to_owned(),
    }
}
