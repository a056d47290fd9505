//! Custom kinds: what a CustomResourceDefinition says, made into the same description that the
//! built-in kinds have, plus its structural schema.

use std::sync::Arc;

use serde_json::Value;

use super::node::{ListType, Node};
use super::types::metadata_type;
use super::{Kind, Scale};

/// What only a custom kind has.
#[derive(Debug)]
pub(crate) struct Custom {
    /// `openAPIV3Schema`, null where there is none.
    pub(crate) schema: Value,
    pub(crate) preserve: bool,
    pub(crate) columns: Vec<Value>,
}

/// The served kinds of a definition, one a version.
pub(crate) fn kinds_of(definition: &Value) -> Vec<Kind> {
    let spec = &definition["spec"];
    let names = &spec["names"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let list = |value: &Value| -> Vec<String> {
        value.as_array().into_iter().flatten().map(text).collect()
    };
    let versions = spec["versions"].as_array().into_iter().flatten();
    versions
        .filter(|version| version["served"] == true)
        .map(|version| {
            let schema = version["schema"]["openAPIV3Schema"].clone();
            let preserve = spec["preserveUnknownFields"] == true || schema.is_null();
            let subresources = &version["subresources"];
            Kind {
                group: text(&spec["group"]),
                version: text(&version["name"]),
                kind: text(&names["kind"]),
                plural: text(&names["plural"]),
                singular: match text(&names["singular"]) {
                    empty if empty.is_empty() => text(&names["kind"]).to_lowercase(),
                    singular => singular,
                },
                short: list(&names["shortNames"]),
                categories: list(&names["categories"]),
                namespaced: spec["scope"] == "Namespaced",
                stored: true,
                status: subresources["status"].is_object(),
                scale: scale(&subresources["scale"]),
                generation: true,
                schema: Arc::new(root(&schema)),
                custom: Some(Arc::new(Custom {
                    schema,
                    preserve,
                    columns: version["additionalPrinterColumns"]
                        .as_array()
                        .cloned()
                        .unwrap_or_default(),
                })),
            }
        })
        .collect()
}

fn scale(scale: &Value) -> Option<Scale> {
    let path = |value: &Value| -> Option<Vec<String>> {
        Some(
            value
                .as_str()?
                .trim_start_matches('.')
                .split('.')
                .map(str::to_owned)
                .collect(),
        )
    };
    Some(Scale {
        spec: path(&scale["specReplicasPath"])?,
        status: path(&scale["statusReplicasPath"])?,
        selector: path(&scale["labelSelectorPath"]),
    })
}

/// A custom kind's merge behaviour: its schema's, with the metadata every kind has.
fn root(schema: &Value) -> Node {
    let mut root = node(schema);
    root.atomic = false;
    root.fields.insert("metadata".to_owned(), metadata_type());
    root
}

fn node(schema: &Value) -> Node {
    let mut built = Node {
        atomic: schema["x-kubernetes-map-type"] == "atomic",
        list: list_type(schema),
        open: schema["x-kubernetes-preserve-unknown-fields"] == true,
        ..Node::default()
    };
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        built.fields.insert(name.clone(), Arc::new(node(field)));
    }
    if schema["items"].is_object() {
        built.items = Some(Arc::new(node(&schema["items"])));
    }
    if schema["additionalProperties"].is_object() {
        built.values = Some(Arc::new(node(&schema["additionalProperties"])));
    }
    built
}

fn list_type(schema: &Value) -> ListType {
    match schema["x-kubernetes-list-type"].as_str() {
        Some("set") => ListType::Set,
        Some("map") => {
            let keys = schema["x-kubernetes-list-map-keys"]
                .as_array()
                .into_iter()
                .flatten();
            let keyed = keys.filter_map(Value::as_str).map(|key| {
                let default = schema["items"]["properties"][key].get("default").cloned();
                (key.to_owned(), default)
            });
            ListType::Map(keyed.collect())
        }
        _ => ListType::Atomic,
    }
}
