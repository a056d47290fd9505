//! Reads typed objects with Go's strictness: where a struct is wanted only a map will do.
//!
//! Derived deserialisers would take a list for a struct, field by field; a patch with such a list
//! must be refused.

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{DeserializeOwned, Deserializer, Error as _, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::{Error, Value};

use crate::flatten::print_float;

/// Reads JSON.
pub(crate) fn from_json<T: DeserializeOwned>(value: Value) -> Result<T, String> {
    read(value, false)
}

/// Reads what was YAML: a number or boolean becomes text where text is wanted. `annotations: {x: y}`
/// is a boolean in YAML 1.1 and a text in the API; sigs.k8s.io/yaml knows the wanted type, too.
pub(crate) fn from_yaml<T: DeserializeOwned>(value: Value) -> Result<T, String> {
    read(value, true)
}

fn read<T: DeserializeOwned>(value: Value, texts: bool) -> Result<T, String> {
    T::deserialize(Typed { value, texts }).map_err(|error| error.to_string())
}

struct Typed {
    value: Value,
    /// Whether scalars become text where text is wanted.
    texts: bool,
}

impl Typed {
    /// A null where text is wanted is the empty one, as Go leaves it.
    fn into_text(self) -> Value {
        match self.value {
            Value::Null => Value::String(String::new()),
            other if !self.texts => other,
            Value::Bool(b) => Value::String(b.to_string()),
            Value::Number(n) => Value::String(match n.as_f64() {
                Some(f) if n.is_f64() => print_float(f),
                _ => n.to_string(),
            }),
            other => other,
        }
    }
}

impl IntoDeserializer<'_, Error> for Typed {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Typed {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let texts = self.texts;
        let inner = |value| Self { value, texts };
        match self.value {
            Value::Array(items) => {
                visitor.visit_seq(SeqDeserializer::new(items.into_iter().map(inner)))
            }
            Value::Object(entries) => visitor.visit_map(MapDeserializer::new(
                entries.into_iter().map(|(key, value)| (key, inner(value))),
            )),
            scalar => scalar.deserialize_any(visitor),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        if self.value.is_array() {
            return Err(Error::custom(format!("cannot read a list as {name}")));
        }
        self.deserialize_any(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.value.is_null() {
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.into_text().deserialize_any(visitor)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.into_text().deserialize_any(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.value.deserialize_enum(name, variants, visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct
        seq tuple tuple_struct map identifier ignored_any
    }
}
