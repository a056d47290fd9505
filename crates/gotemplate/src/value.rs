//! The dynamic value that templates work on: Go's `interface{}` with the concrete types that text/template and sprig meet.
//!
//! Cloning is cheap (shared pointers); nothing here formats or evaluates.

use std::any::Any;
use std::sync::Arc;

use serde_json::Value as Json;

use crate::containers::{Elem, List, Map};
use crate::error::FuncError;
use crate::funcs::Function;
use crate::meter::Meter;
use crate::options::Limits;

/// A value as a Go template sees it.
///
/// Integers keep Go's types apart because functions accept `int` or `int64`, not both.
#[derive(Clone, Debug)]
pub enum Value {
    /// No value at all (a missing map key); prints as `<no value>`.
    Absent,
    /// A nil held by a list or a map.
    Nil,
    /// `bool`
    Bool(bool),
    /// `int`
    Int(i64),
    /// `int64`
    Int64(i64),
    /// `uint64`
    Uint(u64),
    /// `uint8`, which indexing a string gives
    Byte(u8),
    /// `float64`; every number that comes from JSON
    Float(f64),
    /// `complex128`
    Complex(f64, f64),
    /// `string`
    Str(Arc<str>),
    /// A slice.
    List(List),
    /// A map with string keys, always visited in the order of its keys.
    Map(Map),
    /// A function value, run by `call`.
    Func(Arc<Function>),
    /// Anything with methods or hidden fields (times, versions, certificates).
    Opaque(Arc<dyn Opaque>),
}

/// A value with methods or fields that templates can reach but not take apart.
pub trait Opaque: Any + std::fmt::Debug + Send + Sync {
    /// Go's name of the type, such as `time.Time`.
    fn type_name(&self) -> &'static str;
    /// Go's reflect kind, such as `struct`, `ptr` or `int64`.
    fn kind(&self) -> &'static str;
    /// What `%v` prints.
    fn text(&self) -> String;
    /// The method or field called `name`; `None` when there is none. Fields refuse arguments themselves.
    fn member(&self, name: &str, args: &[Value]) -> Option<Result<Value, FuncError>>;
    /// The integer beneath, for types such as durations.
    fn integer(&self) -> Option<i64> {
        None
    }
    /// What `toJson` writes.
    fn to_json(&self) -> Json {
        Json::String(self.text())
    }
    /// Go's truth of the value: structs are always true.
    fn is_true(&self) -> bool {
        self.integer() != Some(0)
    }
    /// Whether both are the same value of the same type.
    fn equals(&self, other: &dyn Opaque) -> bool {
        self.type_name() == other.type_name() && self.text() == other.text()
    }
}

impl Value {
    /// A string.
    pub fn str(text: impl Into<Arc<str>>) -> Self {
        Self::Str(text.into())
    }

    /// A list of anything.
    pub fn list(items: Vec<Self>) -> Self {
        Self::List(List::new(Elem::Any, items))
    }

    /// A `[]string`.
    pub fn strings<S: Into<Arc<str>>>(items: impl IntoIterator<Item = S>) -> Self {
        let items = items.into_iter().map(|s| Self::Str(s.into())).collect();
        Self::List(List::new(Elem::Str, items))
    }

    /// A map from entries.
    pub fn map<S: Into<Arc<str>>>(entries: impl IntoIterator<Item = (S, Self)>) -> Self {
        Self::Map(Map::from_entries(
            Elem::Any,
            entries.into_iter().map(|(k, v)| (k.into(), v)).collect(),
        ))
    }

    /// Go's truth: not zero, not empty, not nil.
    pub fn is_true(&self) -> bool {
        match self {
            Self::Absent | Self::Nil => false,
            Self::Bool(b) => *b,
            Self::Int(n) | Self::Int64(n) => *n != 0,
            Self::Uint(n) => *n != 0,
            Self::Byte(n) => *n != 0,
            Self::Float(f) => *f != 0.0,
            Self::Complex(re, im) => *re != 0.0 || *im != 0.0,
            Self::Str(s) => !s.is_empty(),
            Self::List(l) => !l.is_empty(),
            Self::Map(m) => !m.is_empty(),
            Self::Func(_) => true,
            Self::Opaque(o) => o.is_true(),
        }
    }

    /// Whether the value is nil or absent.
    pub fn is_nil(&self) -> bool {
        matches!(self, Self::Absent | Self::Nil)
    }

    /// Go's name of the type, as `%T` prints it.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Absent | Self::Nil => "<nil>",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Int64(_) => "int64",
            Self::Uint(_) => "uint64",
            Self::Byte(_) => "uint8",
            Self::Float(_) => "float64",
            Self::Complex(..) => "complex128",
            Self::Str(_) => "string",
            Self::List(l) => l.elem().list_type(),
            Self::Map(m) => m.elem().map_type(),
            Self::Func(_) => "func(...interface {}) (interface {}, error)",
            Self::Opaque(o) => o.type_name(),
        }
    }

    /// Go's reflect kind.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Absent | Self::Nil => "invalid",
            Self::List(_) => "slice",
            Self::Map(_) => "map",
            Self::Func(_) => "func",
            Self::Opaque(o) => o.kind(),
            other => other.type_name(),
        }
    }

    /// The text of a string; nothing for other types.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Str(s) => Some(s),
            _ => None,
        }
    }

    /// The opaque value of type `T`, if it is one.
    pub fn downcast<T: Opaque>(&self) -> Option<&T> {
        match self {
            Self::Opaque(o) => (o.as_ref() as &dyn Any).downcast_ref(),
            _ => None,
        }
    }

    /// Go's `reflect.DeepEqual`: equal types and equal contents.
    pub(crate) fn deep_equal(&self, other: &Self, meter: &mut Meter) -> Result<bool, FuncError> {
        meter.charge(1)?;
        Ok(match (self, other) {
            (Self::Absent | Self::Nil, Self::Absent | Self::Nil) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Int(a), Self::Int(b)) | (Self::Int64(a), Self::Int64(b)) => a == b,
            (Self::Uint(a), Self::Uint(b)) => a == b,
            (Self::Byte(a), Self::Byte(b)) => a == b,
            (Self::Float(a), Self::Float(b)) => same_float(*a, *b),
            (Self::Complex(a, b), Self::Complex(c, d)) => same_float(*a, *c) && same_float(*b, *d),
            (Self::Str(a), Self::Str(b)) if a.len() == b.len() => {
                meter.charge_bytes(a.len())?;
                a == b
            }
            (Self::List(a), Self::List(b)) => {
                a.elem() == b.elem()
                    && a.len() == b.len()
                    && meter.nested(|meter| {
                        all(a.iter().zip(b.iter()), |(x, y)| x.deep_equal(y, meter))
                    })?
            }
            (Self::Map(a), Self::Map(b)) if a.same(b) => true,
            (Self::Map(a), Self::Map(b)) => {
                a.elem() == b.elem()
                    && a.len() == b.len()
                    && meter.nested(|meter| {
                        all(a.entries(), |(key, value)| match b.get(&key) {
                            Some(other) => value.deep_equal(&other, meter),
                            None => Ok(false),
                        })
                    })?
            }
            (Self::Opaque(a), Self::Opaque(b)) => a.equals(b.as_ref()),
            _ => false,
        })
    }

    /// The value as JSON, as Go's encoder writes it: integers stay integers, floats that are whole lose their point.
    ///
    /// Fails on functions, on NaN and infinities, and on values that are nested too deeply or too large.
    pub fn to_json(&self) -> Result<Json, FuncError> {
        self.json(&mut Meter::new(Limits::default().steps))
    }

    pub(crate) fn json(&self, meter: &mut Meter) -> Result<Json, FuncError> {
        meter.charge(1)?;
        Ok(match self {
            Self::Absent | Self::Nil => Json::Null,
            Self::Bool(b) => Json::Bool(*b),
            Self::Int(n) | Self::Int64(n) => (*n).into(),
            Self::Uint(n) => (*n).into(),
            Self::Byte(n) => (*n).into(),
            Self::Float(f) => json_float(*f)?,
            Self::Str(s) => {
                meter.charge_bytes(s.len())?;
                Json::String(s.to_string())
            }
            Self::List(l) => meter.nested(|meter| {
                let items = l.iter().map(|v| v.json(meter));
                Ok(Json::Array(items.collect::<Result<_, FuncError>>()?))
            })?,
            Self::Map(m) => meter.nested(|meter| {
                let entries = m.entries();
                let entries = entries
                    .iter()
                    .map(|(k, v)| Ok((k.to_string(), v.json(meter)?)));
                Ok(Json::Object(entries.collect::<Result<_, FuncError>>()?))
            })?,
            Self::Opaque(o) => o.to_json(),
            Self::Complex(..) | Self::Func(_) => {
                return Err(FuncError::new(format!(
                    "json: unsupported type: {}",
                    self.type_name()
                )));
            }
        })
    }
}

/// Whether all hold; stops at the first that does not.
fn all<T>(
    items: impl IntoIterator<Item = T>,
    mut holds: impl FnMut(T) -> Result<bool, FuncError>,
) -> Result<bool, FuncError> {
    for item in items {
        if !holds(item)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// How deeply values may be nested before they are refused rather than walked.
pub(crate) const MAX_NESTING: usize = 256;

fn same_float(a: f64, b: f64) -> bool {
    a.partial_cmp(&b) == Some(std::cmp::Ordering::Equal)
}

fn json_float(f: f64) -> Result<Json, FuncError> {
    // Whole floats print without a point in Go, so they become integers where that loses nothing.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if f.fract() == 0.0 && f.abs() <= EXACT && !(f == 0.0 && f.is_sign_negative()) {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "whole and within the exact range"
        )]
        return Ok((f as i64).into());
    }
    serde_json::Number::from_f64(f)
        .map(Json::Number)
        .ok_or_else(|| {
            FuncError::new(format!(
                "json: unsupported value: {}",
                crate::fmt::print(&Value::Float(f))
            ))
        })
}

impl From<Json> for Value {
    fn from(json: Json) -> Self {
        match json {
            Json::Null => Self::Nil,
            Json::Bool(b) => Self::Bool(b),
            Json::Number(n) => Self::Float(n.as_f64().unwrap_or(f64::NAN)),
            Json::String(s) => Self::Str(s.into()),
            Json::Array(items) => Self::list(items.into_iter().map(Self::from).collect()),
            Json::Object(entries) => {
                Self::map(entries.into_iter().map(|(k, v)| (k, Self::from(v))))
            }
        }
    }
}

impl From<&Json> for Value {
    fn from(json: &Json) -> Self {
        match json {
            Json::Null => Self::Nil,
            Json::Bool(b) => Self::Bool(*b),
            Json::Number(n) => Self::Float(n.as_f64().unwrap_or(f64::NAN)),
            Json::String(s) => Self::str(s.as_str()),
            Json::Array(items) => Self::list(items.iter().map(Self::from).collect()),
            Json::Object(entries) => {
                Self::map(entries.iter().map(|(k, v)| (k.as_str(), Self::from(v))))
            }
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::str(text)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::str(text)
    }
}

impl From<bool> for Value {
    fn from(b: bool) -> Self {
        Self::Bool(b)
    }
}
