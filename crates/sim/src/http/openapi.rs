//! OpenAPI v3: an index, and for each group version a document with the paths that clients look
//! at before they write, and the schemas of its kinds. Built-in kinds are described only as far
//! as they merge.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use http::Response;
use serde_json::{Map, Value, json};

use super::respond;
use crate::registry::{Form, Kind, ListType, Node};
use crate::service::SimBody;
use crate::store::{Failure, State};

pub(super) fn answer(state: &State, group: Option<&str>) -> Result<Response<SimBody>, Failure> {
    let Some(path) = group else {
        return Ok(index(state));
    };
    Ok(respond::json(200, &document(state, path)?))
}

fn document(state: &State, path: &str) -> Result<Value, Failure> {
    let (group, version) = match path.split('/').collect::<Vec<_>>().as_slice() {
        ["api", version] => (String::new(), (*version).to_owned()),
        ["apis", group, version] => ((*group).to_owned(), (*version).to_owned()),
        _ => return Err(Failure::no_such_path()),
    };
    let kinds = state.registry.version(&group, &version);
    if kinds.is_empty() {
        return Err(Failure::no_such_path());
    }
    let mut paths = Map::new();
    let mut schemas = Map::new();
    for kind in &kinds {
        let scope = if kind.namespaced {
            "namespaces/{namespace}/"
        } else {
            ""
        };
        let place = format!("/{path}/{scope}{}", kind.plural);
        paths.insert(place.clone(), json!({"post": operation(kind, "post")}));
        let change =
            ["patch", "put", "delete"].map(|verb| (verb.to_owned(), operation(kind, verb)));
        paths.insert(
            format!("{place}/{{name}}"),
            Value::Object(Map::from_iter(change)),
        );
        schemas.insert(schema_name(kind), schema(kind));
    }
    Ok(json!({
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": "v1.34"},
        "paths": paths,
        "components": {"schemas": schemas},
    }))
}

fn index(state: &State) -> Response<SimBody> {
    let mut paths = Map::new();
    let mut add = |path: String, custom: bool| {
        // The hash tells clients, of any cluster, what they have read already: custom kinds come
        // and go, and all others are the same everywhere.
        let mut hash = DefaultHasher::new();
        if custom && let Ok(document) = document(state, &path) {
            document.to_string().hash(&mut hash);
        }
        let hash = hash.finish();
        let url = format!("/openapi/v3/{path}?hash={hash}");
        paths.insert(path, json!({"serverRelativeURL": url}));
    };
    add("api/v1".to_owned(), false);
    for (group, versions) in state.registry.groups() {
        for name in versions {
            let custom = state
                .registry
                .version(&group, &name)
                .iter()
                .any(|k| k.custom.is_some());
            add(format!("apis/{group}/{name}"), custom);
        }
    }
    respond::json(200, &json!({"paths": paths}))
}

fn operation(kind: &Kind, verb: &str) -> Value {
    let query = |name: &str| json!({"name": name, "in": "query", "schema": {"type": "string", "uniqueItems": true}});
    let reference =
        json!({"schema": {"$ref": format!("#/components/schemas/{}", schema_name(kind))}});
    json!({
        "x-kubernetes-action": verb,
        "x-kubernetes-group-version-kind": gvk(kind),
        "parameters": [query("dryRun"), query("fieldManager"), query("fieldValidation")],
        "responses": {"200": {"description": "OK", "content": {"application/json": reference}}},
    })
}

fn gvk(kind: &Kind) -> Value {
    json!({"group": kind.group, "version": kind.version, "kind": kind.kind})
}

fn schema_name(kind: &Kind) -> String {
    let group = match kind.group.split('.').next().unwrap_or_default() {
        _ if kind.custom.is_some() => {
            let reversed: Vec<_> = kind.group.split('.').rev().collect();
            return format!("{}.{}.{}", reversed.join("."), kind.version, kind.kind);
        }
        "" => "core",
        first => first,
    };
    format!("io.k8s.api.{group}.{}.{}", kind.version, kind.kind)
}

fn schema(kind: &Kind) -> Value {
    let mut schema = match &kind.custom {
        Some(custom) if custom.schema.is_object() => custom.schema.clone(),
        _ => schema_of(&kind.schema),
    };
    schema["x-kubernetes-group-version-kind"] = json!([gvk(kind)]);
    for field in ["apiVersion", "kind"] {
        schema["properties"][field] = json!({"type": "string"});
    }
    if schema["properties"]["metadata"].is_null() {
        schema["properties"]["metadata"] = json!({"type": "object"});
    }
    schema
}

fn schema_of(node: &Node) -> Value {
    let mut schema = match node.form {
        Form::Any => json!({}),
        Form::Struct | Form::Map => json!({"type": "object"}),
        Form::List => json!({"type": "array"}),
        Form::Text | Form::Quantity => json!({"type": "string"}),
        Form::Bool => json!({"type": "boolean"}),
        Form::Int32 => json!({"type": "integer", "format": "int32"}),
        Form::Int64 => json!({"type": "integer", "format": "int64"}),
        Form::Float => json!({"type": "number", "format": "double"}),
        Form::Bytes => json!({"type": "string", "format": "byte"}),
        Form::Time => json!({"type": "string", "format": "date-time"}),
        Form::IntOrText => json!({"type": "string", "format": "int-or-string"}),
    };
    match &node.list {
        ListType::Set => schema = json!({"type": "array", "x-kubernetes-list-type": "set"}),
        ListType::Map(keys) => {
            let keys: Vec<_> = keys.iter().map(|(key, _)| key).collect();
            schema = json!({
                "type": "array",
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": keys,
                "x-kubernetes-patch-strategy": "merge",
                "x-kubernetes-patch-merge-key": node.patch,
            });
        }
        ListType::Atomic => {}
    }
    if let Some(items) = &node.items {
        schema["type"] = "array".into();
        schema["items"] = schema_of(items);
    }
    if let Some(values) = &node.values {
        schema["additionalProperties"] = schema_of(values);
    }
    if !node.fields.is_empty() {
        schema["type"] = "object".into();
        for (name, field) in &node.fields {
            schema["properties"][name] = schema_of(field);
        }
    }
    if node.atomic {
        schema["x-kubernetes-map-type"] = "atomic".into();
    }
    schema
}
