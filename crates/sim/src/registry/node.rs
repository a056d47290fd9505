//! What a place in an object holds: its type, and how server-side apply and strategic merge patch
//! treat it. What a node does not mention may be anything: a granular map, an atomic list or a
//! scalar.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

/// How a list's items are told apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum ListType {
    /// Not at all: the list is one value.
    #[default]
    Atomic,
    /// By their value.
    Set,
    /// By these fields, with the value a missing one counts as.
    Map(Vec<(String, Option<Value>)>),
}

/// What a value must be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Form {
    #[default]
    Any,
    Struct,
    Map,
    List,
    Text,
    Bool,
    Int32,
    Int64,
    Float,
    /// In base64.
    Bytes,
    Time,
    Quantity,
    IntOrText,
}

/// What becomes of a field's empty value when the server writes it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Empty {
    /// It stays where it is given.
    #[default]
    Kept,
    /// It is left out.
    Dropped,
    /// It is there even where nobody gave it.
    Written,
}

/// One place in an object.
#[derive(Debug, Clone, Default)]
pub(crate) struct Node {
    pub(crate) form: Form,
    pub(crate) empty: Empty,
    /// The name of the Go type, for structs.
    pub(crate) name: String,
    /// Whether anything may be here that the fields do not mention.
    pub(crate) open: bool,
    pub(crate) fields: BTreeMap<String, Arc<Self>>,
    /// What every value of a map is, where its keys are not fields.
    pub(crate) values: Option<Arc<Self>>,
    pub(crate) items: Option<Arc<Self>>,
    pub(crate) list: ListType,
    pub(crate) atomic: bool,
    /// The key that strategic merge patch uses where the list merges there; empty for scalars.
    pub(crate) patch: Option<String>,
}

static PLAIN: Node = Node {
    form: Form::Any,
    empty: Empty::Kept,
    name: String::new(),
    open: false,
    fields: BTreeMap::new(),
    values: None,
    items: None,
    list: ListType::Atomic,
    atomic: false,
    patch: None,
};

static OPEN: Node = Node {
    form: Form::Any,
    empty: Empty::Kept,
    name: String::new(),
    open: true,
    fields: BTreeMap::new(),
    values: None,
    items: None,
    list: ListType::Atomic,
    atomic: false,
    patch: None,
};

impl Node {
    pub(crate) fn field(&self, name: &str) -> &Self {
        self.fields
            .get(name)
            .or(self.values.as_ref())
            .map_or(if self.open { &OPEN } else { &PLAIN }, |node| node)
    }

    pub(crate) fn item(&self) -> &Self {
        self.items.as_deref().unwrap_or(&PLAIN)
    }

    /// What identifies an item in FieldsV1: `k:{…}`, `v:…`, or `None` where it lacks its keys.
    pub(crate) fn item_key(&self, item: &Value) -> Option<String> {
        match &self.list {
            ListType::Atomic => None,
            ListType::Set => Some(format!("v:{item}")),
            ListType::Map(keys) => {
                let item = item.as_object()?;
                let mut found = BTreeMap::new();
                for (key, default) in keys {
                    if let Some(value) = item.get(key).or(default.as_ref()) {
                        found.insert(key.clone(), value.clone());
                    }
                }
                let found: Map<_, _> = found.into_iter().collect();
                (!found.is_empty()).then(|| format!("k:{}", Value::Object(found)))
            }
        }
    }
}
