//! A document's value with the kinds that YAML has and JSON has not, and its conversion to JSON.
//! Never drops what JSON cannot hold: that is an error.

use std::collections::{BTreeMap, btree_map::Entry};

use serde_json::Value;

use crate::{Error, number, scalar::Scalar};

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Typed {
    Scalar(Scalar),
    Sequence(Vec<Self>),
    Mapping(Map),
}

/// A mapping whose keys are told apart by kind: `1` and `"1"` are two until JSON makes them one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Map {
    entries: Vec<(Scalar, Typed)>,
    /// Where keys are, once there are too many to look at each.
    places: BTreeMap<Identity, usize>,
}

/// How many keys are looked at one after the other: most mappings have fewer.
const FEW: usize = 16;

impl Map {
    /// A mapping with room for so many entries.
    pub(crate) fn with_capacity(entries: usize) -> Self {
        Self {
            entries: Vec::with_capacity(entries),
            places: BTreeMap::new(),
        }
    }

    /// Sets a key and returns how it reads if it was set before.
    pub(crate) fn insert(&mut self, key: Scalar, value: Typed) -> Option<String> {
        if let Some(place) = self.place(&key) {
            self.entries[place].1 = value;
            return Some(describe(&key));
        }
        self.entries.push((key, value));
        None
    }

    fn place(&mut self, key: &Scalar) -> Option<usize> {
        if self.entries.len() < FEW {
            return self
                .entries
                .iter()
                .position(|(other, _)| is_same(other, key));
        }
        if self.places.is_empty() {
            let identities = self
                .entries
                .iter()
                .map(|(key, _)| Identity::of(key))
                .enumerate();
            self.places = identities
                .filter_map(|(place, identity)| Some((identity?, place)))
                .collect();
        }
        match self.places.entry(Identity::of(key)?) {
            Entry::Occupied(place) => Some(*place.get()),
            Entry::Vacant(place) => {
                place.insert(self.entries.len());
                None
            }
        }
    }
}

/// Whether two keys are one, as [`Identity`] tells.
fn is_same(one: &Scalar, other: &Scalar) -> bool {
    match (one, other) {
        (Scalar::Text(one), Scalar::Text(other)) => one == other,
        (Scalar::Text(_), _) | (_, Scalar::Text(_)) => false,
        _ => Identity::of(one).is_some_and(|identity| Some(identity) == Identity::of(other)),
    }
}

/// What tells keys apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Identity {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(u64),
    Text(String),
}

impl Identity {
    /// `None` for what is no number, which equals nothing.
    fn of(key: &Scalar) -> Option<Self> {
        Some(match key {
            Scalar::Null => Self::Null,
            Scalar::Bool(bool) => Self::Bool(*bool),
            Scalar::Int(int) => Self::Int(*int),
            Scalar::Uint(int) => Self::Uint(*int),
            Scalar::Float(float) if float.is_nan() => return None,
            // Both zeros are one.
            Scalar::Float(float) => Self::Float((float + 0.0).to_bits()),
            Scalar::Text(text) => Self::Text(text.clone()),
        })
    }
}

impl Typed {
    /// Plain loops here and in `construct`: iterator adaptors multiply the stack that each level of nesting takes.
    pub(crate) fn into_json(self) -> Result<Value, Error> {
        match self {
            Self::Scalar(scalar) => scalar_json(scalar),
            Self::Sequence(items) => {
                let mut array = Vec::with_capacity(items.len());
                for item in items {
                    array.push(item.into_json()?);
                }
                Ok(Value::Array(array))
            }
            Self::Mapping(map) => {
                let mut object = serde_json::Map::new();
                for (key, value) in map.entries {
                    let key = match key {
                        Scalar::Text(text) => text,
                        key => key_text(&key)?,
                    };
                    object.insert(key, value.into_json()?);
                }
                Ok(Value::Object(object))
            }
        }
    }
}

pub(crate) fn scalar_json(scalar: Scalar) -> Result<Value, Error> {
    Ok(match scalar {
        Scalar::Null => Value::Null,
        Scalar::Bool(bool) => bool.into(),
        Scalar::Int(int) => int.into(),
        Scalar::Uint(int) => int.into(),
        Scalar::Float(float) => number::json(float).ok_or_else(|| {
            Error::new(format!(
                "unsupported value: {}; JSON has no such number",
                number::long(float)
            ))
        })?,
        Scalar::Text(text) => text.into(),
    })
}

/// A key as an error shows it, text in quotes.
fn describe(key: &Scalar) -> String {
    match key {
        Scalar::Text(text) => format!("{text:?}"),
        key => key_text(key).unwrap_or_else(|_| "null".to_owned()),
    }
}

/// A key as JSON has it.
pub(crate) fn key_text(key: &Scalar) -> Result<String, Error> {
    Ok(match key {
        Scalar::Text(text) => text.clone(),
        Scalar::Bool(bool) => bool.to_string(),
        Scalar::Int(int) => int.to_string(),
        Scalar::Float(float) => number::short(*float),
        Scalar::Null => return Err(Error::new("unsupported map key: null; put it in quotes")),
        Scalar::Uint(int) => {
            return Err(Error::new(format!(
                "unsupported map key: {int}; put it in quotes"
            )));
        }
    })
}
