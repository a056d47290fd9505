//! Objects with every field set pass through the types with nothing lost or renamed, and are
//! what the CRDs describe.

#![expect(
    clippy::unwrap_used,
    reason = "what a test reads is there, or the test fails"
)]

use std::collections::BTreeSet;

use argosy_crds::{AppProject, Application, ApplicationSet};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

fn fixture(name: &str) -> Value {
    let path = format!("{}/tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_yaml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[track_caller]
fn check_round_trip<T: DeserializeOwned + Serialize>(given: &Value) {
    let object: T = serde_json::from_value(given.clone()).unwrap();
    let written = serde_json::to_value(&object).unwrap();
    assert_eq!(&written, given);
}

#[test]
fn full_objects_lose_nothing() {
    check_round_trip::<Application>(&fixture("application.yaml"));
    check_round_trip::<ApplicationSet>(&fixture("applicationset.yaml"));
    check_round_trip::<AppProject>(&fixture("appproject.yaml"));
}

#[test]
fn null_reads_as_absent_and_unknown_fields_are_ignored() {
    let object: Application = serde_json::from_value(json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
        "metadata": {"name": "a"},
        "spec": {"project": null, "sources": null, "source": {"repoURL": "r", "helm": null, "new": 1},
                 "destination": null, "syncPolicy": {"automated": {"prune": null}}},
        "status": {"health": {"status": "Splendid"}, "sync": {"status": "Odd"}},
        "later": true,
    }))
    .unwrap();
    assert_eq!(object.spec.sources().len(), 1);
    assert_eq!(object.spec.project_or_default(), "default");
    assert!(object.spec.sync_policy.unwrap().is_automated());
    let status = object.status.unwrap();
    assert_eq!(status.health.status, None);
    assert_eq!(status.sync.status.as_str(), "Unknown");
}

#[test]
fn an_empty_whitelist_differs_from_none() {
    let with = |spec: Value| -> AppProject {
        serde_json::from_value(json!({"metadata": {}, "spec": spec})).unwrap()
    };
    assert_eq!(with(json!({})).spec.namespace_resource_whitelist, None);
    let none = with(json!({"namespaceResourceWhitelist": []}));
    assert_eq!(none.spec.namespace_resource_whitelist, Some(Vec::new()));
}

#[test]
fn a_hydrated_application_syncs_the_branch_that_is_written() {
    let object: Application = serde_json::from_value(fixture("application.yaml")).unwrap();
    let sources = object.spec.sources();
    assert_eq!(sources.len(), 1);
    assert_eq!(sources[0].repo_url, "https://git.example.com/org/wet.git");
    assert_eq!(sources[0].target_revision, "env/prod");
    assert!(!object.spec.has_multiple_sources());
}

/// The paths of all properties that a schema names and a value lacks. Lists count as the union of
/// their elements, so that alternatives can stand side by side.
fn missing(schema: &Value, values: &[&Value], path: &str, found: &mut BTreeSet<String>) {
    if let Some(properties) = schema["properties"].as_object() {
        for (name, inner) in properties {
            let path = format!("{path}.{name}");
            let values: Vec<&Value> = values.iter().filter_map(|value| value.get(name)).collect();
            if values.is_empty() {
                found.insert(path);
            } else {
                missing(inner, &values, &path, found);
            }
        }
    }
    if let Some(items) = schema.get("items") {
        let values: Vec<&Value> = values
            .iter()
            .filter_map(|value| value.as_array())
            .flatten()
            .collect();
        missing(items, &values, &format!("{path}[]"), found);
    }
}

#[test]
fn fixtures_set_every_field_of_the_schemas() {
    for (file, definition) in argosy_crds::manifest::custom_resource_definitions() {
        let schema = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
        let mut found = BTreeSet::new();
        missing(schema, &[&fixture(file)], "", &mut found);
        // A template's spec is the Application's, which has its own fixture.
        found.retain(|path| !path.starts_with(".spec.template.spec."));
        assert_eq!(found, BTreeSet::new(), "{file}");
    }
}

#[test]
fn manifests_are_fresh() {
    for (file, definition) in argosy_crds::manifest::custom_resource_definitions() {
        let path = format!("{}/{file}", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(path).unwrap();
        let written: Value = serde_yaml::from_str(&text).unwrap();
        assert_eq!(
            written, definition,
            "{file} is stale: run `cargo xtask codegen`"
        );
    }
}
