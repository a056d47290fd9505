//! The CRD manifests, made from the types.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use crate::app_project::AppProjectSpec;
use crate::application::{ApplicationSpec, Operation};
use crate::application_set::ApplicationSetSpec;
use crate::names;

/// Returns the CustomResourceDefinitions of all kinds, each with the name of its file.
pub fn custom_resource_definitions() -> [(&'static str, Value); 3] {
    [
        ("application.yaml", application()),
        ("applicationset.yaml", application_set()),
        ("appproject.yaml", app_project()),
    ]
}

/// The CRD of `Application`. Its status is open and no subresource: users do not write it, and
/// checking it is a quarter of the cost of a write.
fn application() -> Value {
    let properties = json!({
        "spec": schema_of::<ApplicationSpec>(),
        "operation": schema_of::<Operation>(),
        "status": open(),
    });
    definition(&Kind {
        name: "Application",
        plural: "applications",
        short_names: &["app", "apps"],
        columns: json!([
            {"name": "Sync Status", "type": "string", "jsonPath": ".status.sync.status"},
            {"name": "Health Status", "type": "string", "jsonPath": ".status.health.status"},
            {"name": "Revision", "type": "string", "jsonPath": ".status.sync.revision", "priority": 10},
            {"name": "Project", "type": "string", "jsonPath": ".spec.project", "priority": 10},
        ]),
        status_subresource: false,
        properties,
    })
}

fn application_set() -> Value {
    definition(&Kind {
        name: "ApplicationSet",
        plural: "applicationsets",
        short_names: &["appset", "appsets"],
        columns: json!([
            {"name": "Health Status", "type": "string", "jsonPath": ".status.health.status"},
        ]),
        status_subresource: true,
        properties: json!({"spec": schema_of::<ApplicationSetSpec>(), "status": open()}),
    })
}

fn app_project() -> Value {
    definition(&Kind {
        name: "AppProject",
        plural: "appprojects",
        short_names: &["appproj", "appprojs"],
        columns: json!([]),
        status_subresource: false,
        properties: json!({"spec": schema_of::<AppProjectSpec>(), "status": open()}),
    })
}

/// What distinguishes one CRD from another.
struct Kind {
    name: &'static str,
    plural: &'static str,
    short_names: &'static [&'static str],
    columns: Value,
    status_subresource: bool,
    properties: Value,
}

fn definition(kind: &Kind) -> Value {
    let Kind {
        name,
        plural,
        short_names,
        columns,
        status_subresource,
        properties,
    } = kind;
    let mut properties = properties.clone();
    properties["apiVersion"] = json!({"type": "string"});
    properties["kind"] = json!({"type": "string"});
    properties["metadata"] = json!({"type": "object"});
    let mut version = json!({
        "name": names::VERSION,
        "served": true,
        "storage": true,
        "schema": {"openAPIV3Schema": {
            "type": "object",
            "required": ["metadata", "spec"],
            "properties": properties,
        }},
    });
    if *status_subresource {
        version["subresources"] = json!({"status": {}});
    }
    if columns
        .as_array()
        .is_some_and(|columns| !columns.is_empty())
    {
        let mut columns = columns.clone();
        if let Some(columns) = columns.as_array_mut() {
            columns.push(json!({
                "name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp",
            }));
        }
        version["additionalPrinterColumns"] = columns;
    }
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": format!("{plural}.{}", names::GROUP),
            "labels": {
                "app.kubernetes.io/name": format!("{plural}.{}", names::GROUP),
                "app.kubernetes.io/part-of": "argocd",
            },
        },
        "spec": {
            "group": names::GROUP,
            "scope": "Namespaced",
            "names": {
                "kind": name,
                "listKind": format!("{name}List"),
                "plural": plural,
                "singular": name.to_lowercase(),
                "shortNames": short_names,
            },
            "versions": [version],
        },
    })
}

fn open() -> Value {
    json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true})
}

fn schema_of<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::openapi3().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    let mut schema = settings
        .into_generator()
        .into_root_schema_for::<T>()
        .to_value();
    make_structural(&mut schema);
    schema
}

/// Brings a schema into the form that the API server takes: no defaults (absent stays absent), no
/// `nullable`, choices as one `enum`, nothing that is not part of structural schemas.
fn make_structural(schema: &mut Value) {
    let Some(object) = schema.as_object_mut() else {
        return;
    };
    for key in ["default", "nullable", "title", "$schema", "components"] {
        object.remove(key);
    }
    unwrap_option(object);
    merge_choices(object);
    if let Some(Value::Array(choices)) = object.get_mut("enum") {
        choices.retain(|choice| !choice.is_null());
    }
    if let Some(Value::Object(properties)) = object.get_mut("properties") {
        properties.values_mut().for_each(make_structural);
    }
    for key in ["items", "additionalProperties"] {
        if let Some(inner) = object.get_mut(key) {
            make_structural(inner);
        }
    }
}

/// Replaces `anyOf` of a schema and null by that schema.
fn unwrap_option(object: &mut Map<String, Value>) {
    let Some(Value::Array(variants)) = object.remove("anyOf") else {
        return;
    };
    let present = variants
        .into_iter()
        .find(|variant| variant["enum"] != json!([null]));
    if let Some(Value::Object(inner)) = present {
        for (key, value) in inner {
            object.entry(key).or_insert(value);
        }
        for key in ["nullable", "default"] {
            object.remove(key);
        }
    }
    unwrap_option(object);
    merge_choices(object);
}

/// Replaces `oneOf` of single words by one `enum`.
fn merge_choices(object: &mut Map<String, Value>) {
    let Some(Value::Array(variants)) = object.remove("oneOf") else {
        return;
    };
    let words: Vec<Value> = variants
        .iter()
        .flat_map(|variant| match variant.get("const") {
            Some(word) => vec![word.clone()],
            None => variant["enum"].as_array().cloned().unwrap_or_default(),
        })
        .collect();
    object.insert("type".to_owned(), json!("string"));
    object.insert("enum".to_owned(), Value::Array(words));
}
