//! Manifests of the pages, held against the schemas of their kinds.
//!
//! A block with an `apiVersion` is a whole object. One with a `kind` alone is an excerpt of one of
//! Argo CD's: its fields have to exist, and some may be left out. Any other is values of the chart.

use std::sync::Arc;

use argosy_crds::manifest::custom_resource_definitions;
use argosy_crds::{AppProject, Application, ApplicationSet};
use argosy_engine::schema::{Documents, Schema, mistakes, read_openapi};
use serde::Deserialize as _;
use serde_json::{Map, Value, json};

use super::{ROOT, code};

const ARGO_CD: &str = "argoproj.io/v1alpha1";

#[test]
fn every_manifest_of_the_pages_is_valid() {
    let (schemas, values) = (schemas(), values());
    let (mut found, mut wrong) = (0, Vec::new());
    for code in code().iter().filter(|code| code.is_in(&["yaml"])) {
        for document in serde_yaml::Deserializer::from_str(&code.text) {
            found += 1;
            let problems = match Value::deserialize(document) {
                Ok(object) if object.get("kind").is_some() => object_problems(object, &schemas),
                Ok(object) => unknown(&object, &values, ""),
                Err(error) => vec![error.to_string()],
            };
            let page = code.page.display();
            wrong.extend(
                problems
                    .iter()
                    .map(|problem| format!("{page}: {problem}\n{}", code.text)),
            );
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(found > 10, "{found}");
}

/// What is wrong with an object, or with an excerpt of one.
fn object_problems(mut object: Value, schemas: &Documents) -> Vec<String> {
    let is_whole = object.get("apiVersion").is_some();
    if !is_whole {
        object["apiVersion"] = json!(ARGO_CD);
    }
    let found = mistakes(&object, schemas, is_whole);
    let mut problems: Vec<_> = found.iter().map(ToString::to_string).collect();
    if is_whole && object["apiVersion"] == ARGO_CD {
        problems.extend(unreadable(object).err().map(|error| error.to_string()));
    }
    problems
}

/// Whether the hub reads an object of Argo CD's.
fn unreadable(object: Value) -> serde_json::Result<()> {
    match object["kind"].as_str() {
        Some("Application") => Application::deserialize(object).map(drop),
        Some("ApplicationSet") => ApplicationSet::deserialize(object).map(drop),
        Some("AppProject") => AppProject::deserialize(object).map(drop),
        _ => Ok(()),
    }
}

/// The bundled schemas with those of our definitions.
fn schemas() -> Documents {
    let mut schema = Schema::default();
    for (_, definition) in custom_resource_definitions() {
        let kind = &definition["spec"]["names"]["kind"];
        let mut component = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"].clone();
        component["x-kubernetes-group-version-kind"] =
            json!([{"group": "argoproj.io", "version": "v1alpha1", "kind": kind}]);
        let name = kind.as_str().unwrap();
        read_openapi(
            &json!({"components": {"schemas": {name: component}}}),
            &mut schema,
        );
    }
    let mut documents = Documents::default();
    documents.insert(ARGO_CD, Arc::new(schema));
    documents
}

fn values() -> Value {
    let file = std::fs::read_to_string(format!("{ROOT}/deploy/helm/argosy/values.yaml"));
    serde_yaml::from_str(&file.unwrap()).unwrap()
}

/// Values that the chart does not know. Below what it leaves empty anything may be set.
fn unknown(given: &Value, known: &Value, path: &str) -> Vec<String> {
    let empty = Map::new();
    let known = known.as_object().filter(|known| !known.is_empty());
    let (Some(known), given) = (known, given.as_object().unwrap_or(&empty)) else {
        return Vec::new();
    };
    let problems = given.iter().flat_map(|(name, value)| {
        let path = format!("{path}.{name}");
        known.get(name).map_or_else(
            || {
                vec![format!(
                    "{path} is neither a value of the chart nor of an object with a kind"
                )]
            },
            |known| unknown(value, known, &path),
        )
    });
    problems.collect()
}

#[test]
fn what_is_wrong_is_found() {
    let schemas = schemas();
    let problems = |text: &str| object_problems(serde_yaml::from_str(text).unwrap(), &schemas);
    let excerpt = problems("{kind: Application, spec: {source: {repoUrl: a}}}");
    assert_eq!(excerpt, ["spec.source.repoUrl is not a field of its kind"]);
    assert!(problems("{kind: ApplicationSet, spec: {goTemplate: true}}").is_empty());
    let whole = problems("{apiVersion: argoproj.io/v1alpha1, kind: Application, spec: {}}");
    assert!(
        whole.iter().any(|one| one.contains("destination")),
        "{whole:?}"
    );
    assert!(!unknown(&json!({"replica": 2}), &values(), "").is_empty());
    assert!(
        unknown(
            &json!({"replicas": 2, "configs": {"cm": {"data": {"a": "b"}}}}),
            &values(),
            ""
        )
        .is_empty()
    );
}
