//! Reading an OpenAPI v3 document, as a cluster serves one for each group and version.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Field, Identity, ListType, PatchMerge, Schema, StructType, Type};

/// How the names of Kubernetes' own types begin, which are written in Go.
const OWN: [&str; 4] = [
    "io.k8s.api.",
    "io.k8s.apiextensions-apiserver.",
    "io.k8s.apimachinery.",
    "io.k8s.kube-aggregator.",
];

/// Adds the kinds of one OpenAPI v3 document to `schema`.
///
/// What the document says badly or not at all becomes [`Type::Any`]; nothing fails.
pub fn read(document: &Value, schema: &mut Schema) {
    let Some(components) = document
        .pointer("/components/schemas")
        .and_then(Value::as_object)
    else {
        return;
    };
    let mut reader = Reader {
        components,
        places: schema
            .structs
            .iter()
            .enumerate()
            .map(|(at, one)| (one.name.clone(), at))
            .collect(),
        schema,
    };
    for (name, component) in components {
        for kind in component["x-kubernetes-group-version-kind"]
            .as_array()
            .into_iter()
            .flatten()
        {
            let is_object =
                component.pointer("/properties/metadata").is_some() && !name.ends_with("List");
            let (Some(version), Some(kind)) = (kind["version"].as_str(), kind["kind"].as_str())
            else {
                continue;
            };
            if !is_object {
                continue;
            }
            let api_version = match component_group(component, kind) {
                "" => version.to_owned(),
                group => format!("{group}/{version}"),
            };
            let at = reader.structure(name, component);
            reader
                .schema
                .roots
                .insert((api_version, kind.to_owned()), at);
        }
    }
}

fn component_group<'a>(component: &'a Value, kind: &str) -> &'a str {
    component["x-kubernetes-group-version-kind"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|one| one["kind"] == kind)
        .and_then(|one| one["group"].as_str())
        .unwrap_or_default()
}

/// The fields that have to be there; those with a default are, whoever leaves them out.
///
/// Kubernetes' own documents give the zero value of Go as the default of what it is no default of.
fn required(name: &str, definition: &Value) -> BTreeSet<String> {
    let is_kubernetes = OWN.iter().any(|own| name.starts_with(own));
    let has_default = |field: &&str| {
        let default = &definition["properties"][field]["default"];
        !(default.is_null() || is_kubernetes && is_zero(default))
    };
    let names = definition["required"].as_array().into_iter().flatten();
    let names = names.filter_map(Value::as_str);
    names
        .filter(|name| !has_default(name))
        .map(str::to_owned)
        .collect()
}

fn is_zero(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
    }
}

struct Reader<'a> {
    components: &'a serde_json::Map<String, Value>,
    places: BTreeMap<String, usize>,
    schema: &'a mut Schema,
}

impl Reader<'_> {
    fn structure(&mut self, name: &str, definition: &Value) -> usize {
        let short = name
            .strip_prefix("io.k8s.api.")
            .or_else(|| name.strip_prefix("io.k8s."))
            .unwrap_or(name)
            .to_owned();
        if let Some(at) = self.places.get(&short) {
            return *at;
        }
        let at = self.schema.structs.len();
        self.places.insert(short.clone(), at);
        self.schema.structs.push(StructType {
            name: short.clone(),
            atomic: definition["x-kubernetes-map-type"] == "atomic",
            open: definition["x-kubernetes-preserve-unknown-fields"] == true,
            ..StructType::default()
        });
        self.schema.structs[at].required = required(name, definition);
        for (field, property) in definition["properties"].as_object().into_iter().flatten() {
            let of = self.of(property, &format!("{short}.{field}"));
            let retain_keys = property["x-kubernetes-patch-strategy"]
                .as_str()
                .is_some_and(|strategy| strategy.contains("retainKeys"));
            self.schema.structs[at]
                .fields
                .insert(field.clone(), Field { of, retain_keys });
        }
        at
    }

    fn of(&mut self, property: &Value, path: &str) -> Type {
        let reference = property["$ref"]
            .as_str()
            .or_else(|| property.pointer("/allOf/0/$ref").and_then(Value::as_str));
        if let Some(reference) = reference {
            return self.referred(reference);
        }
        if property["x-kubernetes-int-or-string"] == true {
            return Type::IntOrString;
        }
        if property["x-kubernetes-preserve-unknown-fields"] == true {
            return Type::Any;
        }
        match (property["type"].as_str(), property["format"].as_str()) {
            (Some("string"), Some("byte")) => Type::Bytes,
            (Some("string"), Some("date-time")) => Type::Time,
            (Some("string"), Some("int-or-string")) => Type::IntOrString,
            (Some("string"), _) => Type::Text,
            (Some("integer"), _) => Type::Integer,
            (Some("number"), _) => Type::Number,
            (Some("boolean"), _) => Type::Boolean,
            (Some("array"), _) => self.list(property, path),
            (Some("object"), _) if property["properties"].is_object() => {
                Type::Struct(self.structure(path, property))
            }
            (Some("object"), _) if property["additionalProperties"].is_object() => Type::Map(
                Box::new(self.of(&property["additionalProperties"], &format!("{path}.*"))),
            ),
            _ => Type::Any,
        }
    }

    fn referred(&mut self, reference: &str) -> Type {
        let name = reference.rsplit('/').next().unwrap_or(reference);
        match name.rsplit('.').next() {
            Some("Quantity") => return Type::Quantity,
            Some("IntOrString") => return Type::IntOrString,
            Some("Time" | "MicroTime") => return Type::Time,
            _ => {}
        }
        let Some(definition) = self.components.get(name) else {
            return Type::Any;
        };
        if definition["properties"].is_object() {
            Type::Struct(self.structure(name, definition))
        } else {
            self.of(definition, name)
        }
    }

    fn list(&mut self, property: &Value, path: &str) -> Type {
        let item = self.of(&property["items"], &format!("{path}.[]"));
        let identity = match property["x-kubernetes-list-type"].as_str() {
            Some("set") => Identity::Set,
            Some("map") => Identity::Keys(
                property["x-kubernetes-list-map-keys"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(|key| key.as_str().map(str::to_owned))
                    .collect(),
            ),
            _ => Identity::Atomic,
        };
        let merges = property["x-kubernetes-patch-strategy"]
            .as_str()
            .is_some_and(|strategy| strategy.split(',').any(|one| one == "merge"));
        let patch = match property["x-kubernetes-patch-merge-key"].as_str() {
            _ if !merges => PatchMerge::Replace,
            Some(key) => PatchMerge::Key(key.to_owned()),
            None => PatchMerge::Values,
        };
        Type::List(Box::new(ListType {
            item,
            identity,
            patch,
        }))
    }
}
