//! One set of parameters.

use std::collections::BTreeMap;
use std::collections::btree_map;
use std::sync::Arc;

use argosy_gotemplate::{Elem, Map, Value};
use serde_json::Value as Json;

use crate::flatten::flatten;

/// Parameters by name. In fast mode the names are flat (`metadata.labels.env`) and only strings are
/// replaced; in Go mode the values nest. Copies share their values.
#[derive(Clone, Debug, Default)]
pub(crate) struct Params(BTreeMap<Arc<str>, Value>);

impl Params {
    pub(crate) fn from_json(entries: impl IntoIterator<Item = (String, Json)>) -> Self {
        entries
            .into_iter()
            .map(|(key, value)| (key.into(), value.into()))
            .collect()
    }

    pub(crate) fn set(&mut self, key: impl Into<Arc<str>>, value: impl Into<Value>) {
        self.0.insert(key.into(), value.into());
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(key)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn iter(&self) -> btree_map::Iter<'_, Arc<str>, Value> {
        self.0.iter()
    }

    /// The whole set as the data of a Go template.
    pub(crate) fn to_value(&self) -> Value {
        Value::Map(Map::from_entries(Elem::Any, self.0.clone()))
    }

    /// The parameters by which a person tells this set from others, in brief.
    pub(crate) fn summary(&self) -> String {
        const TELLING: [&str; 6] = [
            "name",
            "path.path",
            "path",
            "repository",
            "branch",
            "number",
        ];
        const SHOWN: usize = 3;
        const LONGEST: usize = 60;
        let flat = flatten(self);
        let rank = |key: &str| TELLING.iter().position(|telling| *telling == key);
        let mut entries: Vec<_> = flat.iter().collect();
        entries.sort_by_key(|(key, _)| (rank(key).unwrap_or(TELLING.len()), key.len()));
        let mut shown: Vec<String> = entries
            .iter()
            .take(SHOWN)
            .map(|(key, value)| {
                let cut: String = value.chars().take(LONGEST).collect();
                let dots = if cut.len() < value.len() { "…" } else { "" };
                format!("{key}: {cut}{dots}")
            })
            .collect();
        if entries.len() > SHOWN {
            shown.push("…".to_owned());
        }
        format!("{{{}}}", shown.join(", "))
    }

    /// Lays `over` on top, as Go mode does: maps are merged in depth, everything else is replaced,
    /// also by empty values.
    pub(crate) fn override_with(&mut self, over: &Self) {
        merge(&mut self.0, &over.0);
    }
}

impl FromIterator<(Arc<str>, Value)> for Params {
    fn from_iter<I: IntoIterator<Item = (Arc<str>, Value)>>(entries: I) -> Self {
        Self(entries.into_iter().collect())
    }
}

fn merge(base: &mut BTreeMap<Arc<str>, Value>, over: &BTreeMap<Arc<str>, Value>) {
    for (key, value) in over {
        let merged = match (base.get(key), value) {
            (Some(Value::Map(below)), Value::Map(above)) => {
                let mut entries = below.entries();
                merge(&mut entries, &above.entries());
                Value::Map(Map::from_entries(below.elem(), entries))
            }
            _ => value.clone(),
        };
        base.insert(Arc::clone(key), merged);
    }
}

/// A `map[string]string`, as labels and values are.
pub(crate) fn string_map(entries: &BTreeMap<String, String>) -> Value {
    let entries = entries
        .iter()
        .map(|(key, value)| (Arc::from(key.as_str()), Value::str(value.as_str())))
        .collect();
    Value::Map(Map::from_entries(Elem::Str, entries))
}
