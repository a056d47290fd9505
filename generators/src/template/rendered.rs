//! A structure that is rendered while it is read into a type.

use serde::de::value::{MapDeserializer, SeqDeserializer, StringDeserializer};
use serde::de::{Deserializer, Error as _, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::Error;

use super::text::Scope;
use super::tree::{Key, Tree, left_for_later};

/// A parsed structure with the parameters to render it with. Errors do not say where.
#[derive(Clone, Copy)]
pub(crate) struct Rendered<'t> {
    tree: &'t Tree,
    scope: &'t Scope<'t>,
}

impl<'t> Rendered<'t> {
    pub(crate) fn new(tree: &'t Tree, scope: &'t Scope<'t>) -> Self {
        Self { tree, scope }
    }

    fn of(self, tree: &'t Tree) -> Self {
        Self { tree, ..self }
    }

    /// The text, where it is one that is rendered.
    fn text(self) -> Option<Result<String, Error>> {
        match self.tree {
            Tree::Text(text) => Some(text.render(self.scope).map_err(Error::custom)),
            Tree::Later(text, written) => {
                let rendered = text.render(self.scope);
                let rendered = rendered.or_else(|problem| left_for_later(written, problem));
                Some(rendered.map_err(Error::custom))
            }
            Tree::Fixed(_) | Tree::List(_) | Tree::Map(_) => None,
        }
    }
}

impl<'t> IntoDeserializer<'t, Error> for Rendered<'t> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// A key, rendered when its entry is read.
struct RenderedKey<'t>(&'t Key, &'t Scope<'t>);

impl<'t> IntoDeserializer<'t, Error> for RenderedKey<'t> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'t> Deserializer<'t> for RenderedKey<'t> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Key::Fixed(key) => visitor.visit_borrowed_str(key),
            Key::Text(text) => visitor.visit_string(text.render(self.1).map_err(Error::custom)?),
        }
    }

    forward_to_deserialize_any! {
        <V: Visitor<'t>>
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl<'t> Deserializer<'t> for Rendered<'t> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.tree {
            Tree::Fixed(value) => value.deserialize_any(visitor),
            Tree::Text(_) | Tree::Later(..) => match self.text() {
                Some(text) => visitor.visit_string(text?),
                None => visitor.visit_unit(),
            },
            Tree::List(items) => {
                let items = items.iter().map(|item| self.of(item));
                visitor.visit_seq(SeqDeserializer::new(items))
            }
            Tree::Map(entries) => {
                let entries = entries
                    .iter()
                    .map(|(key, value)| (RenderedKey(key, self.scope), self.of(value)));
                visitor.visit_map(MapDeserializer::new(entries))
            }
        }
    }

    fn deserialize_option<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.tree {
            Tree::Fixed(value) => value.deserialize_option(visitor),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'t>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'t>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match (self.tree, self.text()) {
            (_, Some(text)) => {
                let text: StringDeserializer<Error> = text?.into_deserializer();
                text.deserialize_enum(name, variants, visitor)
            }
            (Tree::Fixed(value), None) => value.deserialize_enum(name, variants, visitor),
            (_, None) => Err(Error::custom(format!("expected a text for {name}"))),
        }
    }

    forward_to_deserialize_any! {
        <V: Visitor<'t>>
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}
