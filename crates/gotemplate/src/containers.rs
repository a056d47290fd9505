//! Lists and maps: shared, cheap to clone, safe to nest deeply.
//!
//! A map is shared and mutable as in Go, because sprig's `set`, `unset` and `merge` change the map they are given.
//! Dropping never recurses, so that a template cannot exhaust the stack by nesting.

use std::collections::BTreeMap;
use std::mem;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::error::FuncError;
use crate::meter::Meter;
use crate::value::Value;

/// The element type of a list or map, which decides what functions accept it and how `%T` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Elem {
    /// `interface {}`
    Any,
    /// `string`
    Str,
    /// `int`
    Int,
    /// `[]interface {}`
    List,
    /// `map[string]interface {}`
    Map,
}

impl Elem {
    pub(crate) fn list_type(self) -> &'static str {
        match self {
            Self::Any => "[]interface {}",
            Self::Str => "[]string",
            Self::Int => "[]int",
            Self::List => "[][]interface {}",
            Self::Map => "[]map[string]interface {}",
        }
    }

    pub(crate) fn map_type(self) -> &'static str {
        match self {
            Self::Str => "map[string]string",
            _ => "map[string]interface {}",
        }
    }
}

/// A slice that nobody changes.
#[derive(Clone, Debug)]
pub struct List(Arc<Items>);

#[derive(Debug)]
struct Items {
    elem: Elem,
    values: Vec<Value>,
}

impl List {
    /// A list of values that all have the type `elem`.
    pub fn new(elem: Elem, values: Vec<Value>) -> Self {
        Self(Arc::new(Items { elem, values }))
    }

    /// The element type.
    pub fn elem(&self) -> Elem {
        self.0.elem
    }

    /// The values.
    pub fn as_slice(&self) -> &[Value] {
        &self.0.values
    }

    pub(crate) fn iter(&self) -> std::slice::Iter<'_, Value> {
        self.0.values.iter()
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        self.0.values.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.values.is_empty()
    }

    /// The same element type over part of the values; `None` outside of the list.
    pub(crate) fn part(&self, from: usize, to: usize) -> Option<Self> {
        Some(Self::new(
            self.0.elem,
            self.0.values.get(from..to)?.to_vec(),
        ))
    }
}

impl<'a> IntoIterator for &'a List {
    type Item = &'a Value;
    type IntoIter = std::slice::Iter<'a, Value>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl Drop for Items {
    fn drop(&mut self) {
        drop_flat(mem::take(&mut self.values));
    }
}

/// A map with string keys, shared by everybody who holds it.
#[derive(Clone, Debug)]
pub struct Map(Arc<Entries>);

pub(crate) type Tree = BTreeMap<Arc<str>, Value>;

#[derive(Debug)]
struct Entries {
    elem: Elem,
    values: RwLock<Tree>,
}

impl Map {
    /// A new map.
    pub fn from_entries(elem: Elem, values: Tree) -> Self {
        Self(Arc::new(Entries {
            elem,
            values: RwLock::new(values),
        }))
    }

    /// The element type.
    pub fn elem(&self) -> Elem {
        self.0.elem
    }

    fn read(&self) -> RwLockReadGuard<'_, Tree> {
        self.0.values.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Tree> {
        self.0
            .values
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The value under `key`.
    pub fn get(&self, key: &str) -> Option<Value> {
        self.read().get(key).cloned()
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.read().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A copy of the entries as they are now; the values are shared.
    pub fn entries(&self) -> BTreeMap<Arc<str>, Value> {
        self.read().clone()
    }

    /// Sets an entry for everybody who holds this map.
    pub(crate) fn insert(&self, key: Arc<str>, value: Value) {
        self.write().insert(key, value);
    }

    /// Removes an entry for everybody who holds this map.
    pub(crate) fn remove(&self, key: &str) {
        self.write().remove(key);
    }

    /// Whether both are the very same map.
    pub(crate) fn same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Whether `value` is or contains this very map, so that inserting it would make a ring.
    pub(crate) fn is_within(&self, value: &Value, meter: &mut Meter) -> Result<bool, FuncError> {
        let mut pending = vec![value.clone()];
        while let Some(next) = pending.pop() {
            match next {
                Value::Map(m) if m.same(self) => return Ok(true),
                Value::Map(m) => {
                    meter.charge(1)?;
                    meter.charge_items(m.len())?;
                    pending.extend(m.read().values().filter(|v| is_container(v)).cloned());
                }
                Value::List(l) => {
                    meter.charge(1)?;
                    meter.charge_items(l.len())?;
                    pending.extend(l.iter().filter(|v| is_container(v)).cloned());
                }
                _ => {}
            }
        }
        Ok(false)
    }
}

impl Drop for Entries {
    fn drop(&mut self) {
        let values = self
            .values
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        drop_flat(mem::take(values).into_values().collect());
    }
}

fn is_container(value: &Value) -> bool {
    matches!(value, Value::Map(_) | Value::List(_))
}

/// Drops values without recursion: the children of what nobody else holds are taken out before it goes.
fn drop_flat(mut pending: Vec<Value>) {
    if !pending.iter().any(is_container) {
        return;
    }
    while let Some(next) = pending.pop() {
        match next {
            Value::List(mut l) => {
                if let Some(items) = Arc::get_mut(&mut l.0) {
                    pending.append(&mut items.values);
                }
            }
            Value::Map(mut m) => {
                if let Some(entries) = Arc::get_mut(&mut m.0) {
                    let values = entries
                        .values
                        .get_mut()
                        .unwrap_or_else(PoisonError::into_inner);
                    pending.extend(mem::take(values).into_values());
                }
            }
            _ => {}
        }
    }
}
