//! Mistakes in an object that the schema of its kind shows: unknown fields, wrong types, fields that
//! are missing.
//!
//! Only what a server is sure to refuse is a mistake; what it judges by more than the schema is left
//! to it. Values are never repeated: they may be secrets.

use std::fmt;

use serde_json::{Map, Value};

use super::{Schema, SchemaSource, Type};
use crate::object::ObjectExt as _;

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mistake {
    /// Where, such as `spec.ports[0].port`.
    pub path: String,
    /// What is wrong with it, in words that follow the path.
    pub problem: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.path, self.problem)
    }
}

/// What the schema shows to be wrong with an object; nothing if its kind is not known. What is
/// missing counts only in an object that `is_new`: to one that is there others may contribute.
pub fn mistakes(object: &Value, schemas: &dyn SchemaSource, is_new: bool) -> Vec<Mistake> {
    let Some((schema, root)) = schemas.find(object.api_version(), object.kind()) else {
        return Vec::new();
    };
    let mut finder = Finder {
        schema,
        is_new,
        found: Vec::new(),
    };
    if let Some(fields) = object.as_object() {
        finder.structure(fields, root, "");
    }
    finder.found
}

struct Finder<'a> {
    schema: &'a Schema,
    is_new: bool,
    found: Vec<Mistake>,
}

impl Finder<'_> {
    fn structure(&mut self, fields: &Map<String, Value>, at: usize, path: &str) {
        let Some(structure) = self.schema.structure(at) else {
            return;
        };
        for (name, value) in fields {
            // The status is the controllers', and what is written of it does not count.
            if path.is_empty() && name == "status" {
                continue;
            }
            let path = join(path, name);
            match structure.fields.get(name) {
                Some(field) => self.value(value, &field.of, &path),
                None if structure.open || is_of_any_object(name) || value.is_null() => {}
                None => self.found(path, "is not a field of its kind"),
            }
        }
        if !self.is_new {
            return;
        }
        for name in &structure.required {
            let is_set = fields.get(name).is_some_and(|value| !value.is_null());
            let is_controllers = path.is_empty() && name == "status";
            if !is_set && !is_controllers {
                self.found(join(path, name), "is required");
            }
        }
    }

    fn value(&mut self, value: &Value, of: &Type, path: &str) {
        let wanted = match (of, value) {
            // A null is as good as no field.
            (_, Value::Null)
            | (Type::Any, _)
            | (
                Type::Text | Type::Time | Type::Bytes | Type::Quantity | Type::IntOrString,
                Value::String(_),
            )
            | (Type::Number | Type::Quantity | Type::IntOrString, Value::Number(_))
            | (Type::Boolean, Value::Bool(_)) => return,
            (Type::Integer, Value::Number(number)) if is_whole(number) => return,
            (Type::Struct(at), Value::Object(fields)) => return self.structure(fields, *at, path),
            (Type::Map(of), Value::Object(entries)) => {
                for (key, value) in entries {
                    self.value(value, of, &join(path, key));
                }
                return;
            }
            (Type::List(list), Value::Array(items)) => {
                for (index, item) in items.iter().enumerate() {
                    self.value(item, &list.item, &format!("{path}[{index}]"));
                }
                return;
            }
            (Type::Text | Type::Bytes, _) => "has to be a string",
            (Type::Time, _) => "has to be a time",
            (Type::Integer, _) => "has to be a whole number",
            (Type::Number, _) => "has to be a number",
            (Type::Boolean, _) => "has to be true or false",
            (Type::Quantity, _) => "has to be a quantity",
            (Type::IntOrString, _) => "has to be a whole number or a string",
            (Type::Struct(_) | Type::Map(_), _) => "has to be a map",
            (Type::List(_), _) => "has to be a list",
        };
        self.found(path.to_owned(), &format!("{wanted} and is {}", word(value)));
    }

    fn found(&mut self, path: String, problem: &str) {
        self.found.push(Mistake {
            path,
            problem: problem.to_owned(),
        });
    }
}

/// The fields of objects within objects, which schemas need not name.
fn is_of_any_object(name: &str) -> bool {
    matches!(name, "apiVersion" | "kind" | "metadata")
}

fn is_whole(number: &serde_json::Number) -> bool {
    let is_fraction = number.as_f64().is_some_and(|float| float.fract() != 0.0);
    !is_fraction
}

fn word(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{bundled, read_openapi};
    use super::*;

    fn told(object: &Value, schemas: &dyn SchemaSource, is_new: bool) -> Vec<String> {
        let found = mistakes(object, schemas, is_new);
        found.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn all_mistakes_in_an_object_of_kubernetes_are_told_with_their_paths() {
        let object = json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "web", "labels": {"tier": 1}},
            "spec": {"replcas": 1, "replicas": "2", "paused": null, "template": {"spec": {
                "containers": [{"name": "a", "image": "b", "ports": {"containerPort": 80},
                    "resources": {"limits": {"cpu": 1, "memory": "1Gi"}}}]}}},
            "status": {"nonsense": true},
        });
        assert_eq!(
            told(&object, bundled(), true),
            [
                "metadata.labels.tier has to be a string and is a number",
                "spec.replcas is not a field of its kind",
                "spec.replicas has to be a whole number and is a string",
                "spec.template.spec.containers[0].ports has to be a list and is a map",
                "spec.selector is required",
            ]
        );
        let unknown = json!({"apiVersion": "example.com/v1", "kind": "Boat", "spec": 1});
        assert!(told(&unknown, bundled(), true).is_empty());
    }

    #[test]
    fn a_custom_kind_may_need_fields_or_take_any() {
        let mut schema = Schema::default();
        let spec = json!({"type": "object", "required": ["oars", "sail"], "properties": {
            "oars": {"type": "integer"},
            "sail": {"type": "string", "default": "white"},
            "cargo": {"type": "object", "x-kubernetes-preserve-unknown-fields": true,
                      "properties": {"weight": {"type": "number"}}},
            "engine": {"type": "object", "required": ["power"],
                       "properties": {"power": {"x-kubernetes-int-or-string": true}}}}});
        let document = json!({"components": {"schemas": {"com.example.v1.Boat": {
            "type": "object", "required": ["spec"],
            "properties": {"metadata": {"type": "object"}, "spec": spec},
            "x-kubernetes-group-version-kind": [{"group": "example.com", "version": "v1", "kind": "Boat"}],
        }}}});
        read_openapi(&document, &mut schema);
        let boat =
            |spec: Value| json!({"apiVersion": "example.com/v1", "kind": "Boat", "spec": spec});
        let flawed =
            boat(json!({"cargo": {"weight": 1.5, "any": {"thing": 1}}, "engine": {}, "mast": 1}));
        assert_eq!(
            told(&flawed, &schema, true),
            [
                "spec.engine.power is required",
                "spec.mast is not a field of its kind",
                "spec.oars is required",
            ]
        );
        let part = boat(json!({"engine": {}}));
        assert!(
            told(&part, &schema, false).is_empty(),
            "others may set the rest"
        );
        let whole = boat(json!({"oars": 50, "engine": {"power": "100%"}}));
        assert!(told(&whole, &schema, true).is_empty());
    }
}
