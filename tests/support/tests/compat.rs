//! `docs/compat.md` tells of every field of an ApplicationSet, and each test that it names is there.

#![expect(
    clippy::unwrap_used,
    reason = "what a test reads is there, or the test fails"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The rows of the tables about ApplicationSets, as cells.
fn rows() -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(root().join("docs/compat.md")).unwrap();
    let (_, section) = text
        .split_once("## ApplicationSet, field by field")
        .unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| "));
    rows.map(|row| {
        let cells = row.trim_matches('|').split('|');
        cells.map(|cell| cell.trim().to_owned()).collect()
    })
    .collect()
}

/// The words that stand in backticks.
fn words(cell: &str) -> impl Iterator<Item = &str> {
    let quoted = cell.split('`').skip(1).step_by(2);
    let is_apart = |letter: char| !letter.is_alphanumeric() && letter != '_';
    quoted.flat_map(move |text| text.split(is_apart))
}

/// The names of all fields of a schema; those of an Application's spec are told elsewhere.
fn fields(schema: &Value, into: &mut BTreeSet<String>) {
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        into.insert(name.clone());
        if name != "template" {
            fields(field, into);
        }
    }
    if schema["items"].is_object() {
        fields(&schema["items"], into);
    }
}

#[test]
fn every_field_of_an_application_set_has_a_row() {
    let definitions = argosy_crds::manifest::custom_resource_definitions();
    let set = definitions
        .iter()
        .map(|(_, definition)| definition)
        .find(|definition| definition["spec"]["names"]["kind"] == "ApplicationSet");
    let schema = &set.unwrap()["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
    let mut wanted = BTreeSet::new();
    for part in ["spec", "status"] {
        fields(&schema["properties"][part], &mut wanted);
    }
    let rows = rows();
    let told: BTreeSet<&str> = rows.iter().flat_map(|row| words(&row[0])).collect();
    let is_missing = |name: &&String| !told.contains(name.as_str());
    let missing: Vec<_> = wanted.iter().filter(is_missing).collect();
    assert!(wanted.len() > 100, "{wanted:?}");
    assert!(
        missing.is_empty(),
        "docs/compat.md is silent on {missing:?}"
    );
}

/// All Rust sources below a folder, in one text.
fn sources(folder: &Path, into: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push_str(&std::fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn each_test_that_is_named_is_there() {
    let mut text = String::new();
    for folder in ["crates", "generators", "src", "tests"] {
        sources(&root().join(folder), &mut text);
    }
    let mut named = 0;
    for row in rows() {
        let Some(tests) = row.get(3).filter(|_| row[0] != "field" && row[0] != "key") else {
            continue;
        };
        for name in words(tests).filter(|name| !name.is_empty()) {
            named += 1;
            assert!(
                text.contains(&format!("fn {name}(")),
                "no test is called {name}"
            );
        }
    }
    assert!(named > 40, "{named} tests are named");
}
