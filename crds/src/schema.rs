//! Schemas of fields whose Rust type does not say what the CRD is to say.
//!
//! Schemas stay lean on purpose: each property costs the API server time at every write, so what
//! users need no check for is left open.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value};

use crate::application_set::generators::{
    ClusterGenerator, DuckTypeGenerator, GitGenerator, ListGenerator, PluginGenerator,
    PullRequestGenerator, ScmProviderGenerator,
};

pub(crate) fn int_or_string(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"x-kubernetes-int-or-string": true})
}

/// An object of any shape that the API server keeps as it is.
pub(crate) fn any_object(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "object", "x-kubernetes-preserve-unknown-fields": true})
}

/// A list of values of any shape.
pub(crate) fn any_list(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "items": {"x-kubernetes-preserve-unknown-fields": true},
    })
}

pub(crate) fn label_selector(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "properties": {
            "matchLabels": {"type": "object", "additionalProperties": {"type": "string"}},
            "matchExpressions": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["key", "operator"],
                    "properties": {
                        "key": {"type": "string"},
                        "operator": {"type": "string"},
                        "values": {"type": "array", "items": {"type": "string"}},
                    },
                },
            },
        },
    })
}

/// A directory that cannot be the root.
pub(crate) fn sync_path(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "minLength": 1, "pattern": "^.{2,}|[^./]$"})
}

/// The children of `matrix` and `merge`. Structural schemas cannot recurse, so a `matrix` or
/// `merge` among them is left open.
pub(crate) fn nested_generators(generator: &mut SchemaGenerator) -> Schema {
    let properties: Map<String, Value> = [
        ("list", ListGenerator::json_schema(generator)),
        ("clusters", ClusterGenerator::json_schema(generator)),
        ("git", GitGenerator::json_schema(generator)),
        ("scmProvider", ScmProviderGenerator::json_schema(generator)),
        (
            "clusterDecisionResource",
            DuckTypeGenerator::json_schema(generator),
        ),
        ("pullRequest", PullRequestGenerator::json_schema(generator)),
        ("plugin", PluginGenerator::json_schema(generator)),
        ("matrix", any_object(generator)),
        ("merge", any_object(generator)),
        ("selector", label_selector(generator)),
    ]
    .into_iter()
    .map(|(name, schema)| {
        let mut schema = schema.to_value();
        drop_descriptions(&mut schema);
        (name.to_owned(), schema)
    })
    .collect();
    json_schema!({
        "type": "array",
        "items": {"type": "object", "properties": properties},
    })
}

/// Removes the descriptions, which stand at the first level already.
fn drop_descriptions(schema: &mut Value) {
    let Some(object) = schema.as_object_mut() else {
        return;
    };
    object.remove("description");
    if let Some(Value::Object(properties)) = object.get_mut("properties") {
        properties.values_mut().for_each(drop_descriptions);
    }
    for key in ["items", "additionalProperties", "anyOf"] {
        match object.get_mut(key) {
            Some(Value::Array(variants)) => variants.iter_mut().for_each(drop_descriptions),
            Some(inner) => drop_descriptions(inner),
            None => {}
        }
    }
}
