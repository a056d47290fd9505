//! Built-in objects as the server's Go types hold them: unknown fields are dropped, wrong types
//! refused, and empty values written or left out as JSON encoding does. It knows no kind by name.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Map, Value};

use crate::registry::{Empty, Form, Node};

/// Puts an object into the form its type has. Answers the paths of unknown fields, which are gone
/// then, or what Go's decoder says of a value that does not fit.
pub(super) fn decode(object: &mut Value, node: &Node) -> Result<Vec<String>, String> {
    let mut decoder = Decoder::default();
    decoder.read(object, node, "")?;
    Ok(decoder.unknown)
}

/// The object that has nothing: what Go's encoder writes of an empty struct.
pub(super) fn zero(node: &Node) -> Value {
    match node.form {
        Form::Struct => {
            let written = node
                .fields
                .iter()
                .filter(|(_, field)| field.empty == Empty::Written)
                .map(|(name, field)| (name.clone(), zero(field)));
            Value::Object(written.collect())
        }
        Form::Text => "".into(),
        Form::Bool => false.into(),
        Form::Int32 | Form::Int64 | Form::Float | Form::IntOrText => 0.into(),
        Form::Quantity => "0".into(),
        Form::Any | Form::Map | Form::List | Form::Bytes | Form::Time => Value::Null,
    }
}

#[derive(Default)]
struct Decoder {
    unknown: Vec<String>,
    /// The innermost struct and the fields that lead to the value, as Go's errors name them.
    owner: String,
    fields: Vec<String>,
}

impl Decoder {
    fn read(&mut self, value: &mut Value, node: &Node, path: &str) -> Result<(), String> {
        match (node.form, &mut *value) {
            (Form::Any, _)
            | (Form::Bool, Value::Bool(_))
            | (Form::Float, Value::Number(_))
            | (Form::Text | Form::Time | Form::Quantity | Form::IntOrText, Value::String(_)) => {
                Ok(())
            }
            (Form::Struct, Value::Object(map)) => self.read_struct(map, node, path),
            (Form::Map, Value::Object(map)) => self.read_map(map, node, path),
            (Form::List, Value::Array(items)) => {
                for (index, item) in items.iter_mut().enumerate() {
                    self.read(item, node.item(), &format!("{path}[{index}]"))?;
                }
                Ok(())
            }
            (Form::Int32 | Form::Int64 | Form::IntOrText, Value::Number(number)) => {
                let Some(whole) = whole(number) else {
                    return Err(self.unfit(&format!("number {number}"), node));
                };
                *value = whole.into();
                Ok(())
            }
            (Form::Quantity, Value::Number(number)) => {
                *value = number.to_string().into();
                Ok(())
            }
            (Form::Bytes, Value::String(text)) => BASE64
                .decode(text.as_bytes())
                .map(drop)
                .map_err(|_| illegal_base64(text)),
            (_, other) => {
                let found = go_kind(other);
                Err(self.unfit(found, node))
            }
        }
    }

    fn read_struct(
        &mut self,
        map: &mut Map<String, Value>,
        node: &Node,
        path: &str,
    ) -> Result<(), String> {
        map.retain(|name, value| {
            let known = node.fields.contains_key(name);
            if !known {
                self.unknown.push(joined(path, name));
            }
            known && !value.is_null()
        });
        for (name, field) in &node.fields {
            if let Some(value) = map.get_mut(name) {
                let outer = std::mem::replace(&mut self.owner, node.name.clone());
                self.fields.push(name.clone());
                self.read(value, field, &joined(path, name))?;
                self.fields.pop();
                self.owner = outer;
                if field.empty == Empty::Dropped && is_empty(value) {
                    map.remove(name);
                }
            } else if field.empty == Empty::Written {
                let value = zero(field);
                if !value.is_null() {
                    map.insert(name.clone(), without_nulls(value));
                }
            }
        }
        Ok(())
    }

    fn read_map(
        &mut self,
        map: &mut Map<String, Value>,
        node: &Node,
        path: &str,
    ) -> Result<(), String> {
        let values = node.field("");
        for (name, value) in map.iter_mut() {
            if value.is_null() {
                *value = zero(values);
            } else {
                self.read(value, values, &joined(path, name))?;
            }
        }
        Ok(())
    }

    fn unfit(&self, found: &str, node: &Node) -> String {
        format!(
            "json: cannot unmarshal {found} into Go struct field {}.{} of type {}",
            self.owner,
            self.fields.join("."),
            go_type(node)
        )
    }
}

fn joined(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}

/// Stored objects have no nulls.
fn without_nulls(mut value: Value) -> Value {
    if let Some(map) = value.as_object_mut() {
        map.retain(|_, value| !value.is_null());
        for value in map.values_mut() {
            *value = without_nulls(value.take());
        }
    }
    value
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(flag) => !flag,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
    }
}

/// Whole numbers may be written as `3.0`.
fn whole(number: &serde_json::Number) -> Option<i64> {
    if let Some(whole) = number.as_i64() {
        return Some(whole);
    }
    let float = number.as_f64()?;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "only whole numbers far below the limit get here"
    )]
    (float.fract() == 0.0 && float.abs() < 9e15).then_some(float as i64)
}

fn illegal_base64(text: &str) -> String {
    let legal = |b: u8| b.is_ascii_alphanumeric() || b"+/".contains(&b);
    let at = text
        .bytes()
        .position(|b| !legal(b))
        .unwrap_or(text.len().saturating_sub(1) / 4 * 4);
    format!("illegal base64 data at input byte {at}")
}

fn go_kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn go_type(node: &Node) -> String {
    match node.form {
        Form::Any => "interface {}".to_owned(),
        Form::Struct => format!("v1.{}", node.name),
        Form::Map => format!("map[string]{}", go_type(node.field(""))),
        Form::List => format!("[]{}", go_type(node.item())),
        Form::Text => "string".to_owned(),
        Form::Bool => "bool".to_owned(),
        Form::Int32 => "int32".to_owned(),
        Form::Int64 => "int64".to_owned(),
        Form::Float => "float64".to_owned(),
        Form::Bytes => "[]uint8".to_owned(),
        Form::Time => "v1.Time".to_owned(),
        Form::Quantity => "resource.Quantity".to_owned(),
        Form::IntOrText => "intstr.IntOrString".to_owned(),
    }
}
