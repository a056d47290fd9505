//! Agreement with sigs.k8s.io/yaml and apimachinery on recorded inputs: values, verdicts, strict verdicts, documents and
//! the split of streams. `tests/differences.jsonl` lists each input that is read differently, with the reason; none may
//! be a different value.

use std::{collections::BTreeMap, env, fs, path::PathBuf};

use argosy_yaml::{from_str, from_str_strict, parse_documents, split_documents};
use serde_json::Value;

fn corpus(name: &str) -> Vec<Value> {
    let root = env::var_os("ARGOSY_CORPORA").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/corpora")),
        PathBuf::from,
    );
    let text = fs::read_to_string(root.join("yaml").join(name)).expect("because the corpus exists");
    text.lines()
        .map(|line| serde_json::from_str(line).expect("because rows are JSON"))
        .collect()
}

/// The listed differences: input and aspect to reason.
fn listed() -> BTreeMap<(String, String), String> {
    let rows = include_str!("differences.jsonl").lines();
    let rows = rows.map(|line| serde_json::from_str::<Value>(line).expect("because rows are JSON"));
    rows.map(|row| {
        let text = |key: &str| {
            row[key]
                .as_str()
                .expect("because every row has it")
                .to_owned()
        };
        ((text("in"), text("aspect")), text("reason"))
    })
    .collect()
}

/// Numbers as JSON readers of Kubernetes take them: `1.0` and `1` are one.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        _ => a == b,
    }
}

fn strings(row: &Value, key: &str) -> Vec<String> {
    let items = row[key].as_array().cloned().unwrap_or_default();
    items
        .iter()
        .map(|item| item.as_str().unwrap_or_default().to_owned())
        .collect()
}

/// What differs for one row, as (aspect, ours).
fn differences(row: &Value) -> Vec<(&'static str, String)> {
    let text = row["in"].as_str().expect("because every row has an input");
    let mut found = Vec::new();
    let value = from_str(text);
    match (&value, row["json"].as_str()) {
        (Ok(ours), Some(json)) => {
            let theirs: Value = serde_json::from_str(json).expect("because it is JSON");
            if *ours != theirs {
                found.push(("value", ours.to_string()));
            }
        }
        (Err(_), None) => {}
        (ours, _) => found.push(("verdict", format!("{ours:?}"))),
    }
    match row["strict"].as_str() {
        // The library's own order of colliding keys is random.
        None | Some("DIFF") => {}
        Some("same") => {
            let ours = from_str_strict(text);
            if ours != value {
                found.push(("strict", format!("{ours:?}")));
            }
        }
        Some(_) => {
            if let Ok(ours) = from_str_strict(text) {
                found.push(("strict", ours.to_string()));
            }
        }
    }
    if row.get("docs").is_some() {
        document_differences(text, row, &mut found);
    }
    found
}

fn document_differences(text: &str, row: &Value, found: &mut Vec<(&'static str, String)>) {
    match (parse_documents(text), row.get("docs_err")) {
        (Ok(ours), None) => {
            let theirs = strings(row, "docs");
            let equal = ours.len() == theirs.len()
                && ours.iter().zip(&theirs).all(|(ours, theirs)| {
                    serde_json::from_str(theirs).is_ok_and(|theirs| same(&ours.value, &theirs))
                });
            if !equal {
                found.push(("docs", format!("{ours:?}")));
            }
        }
        (Err(_), Some(_)) => {}
        (ours, _) => found.push(("docs", format!("{ours:?}"))),
    }
    let mut ours = Vec::new();
    let mut failed = false;
    for document in split_documents(text) {
        match document {
            Ok(document) => ours.push(document.text),
            Err(_) => failed = true,
        }
    }
    if ours != strings(row, "reader") || failed != row.get("reader_err").is_some() {
        found.push(("reader", format!("{ours:?} failed: {failed}")));
    }
}

#[track_caller]
fn check(name: &str) {
    let listed = listed();
    let mut unexpected = Vec::new();
    for row in corpus(name) {
        for (aspect, ours) in differences(&row) {
            let text = row["in"].as_str().unwrap_or_default().to_owned();
            if !listed.contains_key(&(text.clone(), aspect.to_owned())) {
                unexpected.push(format!(
                    "{aspect} of {text:?}\n  ours   {ours}\n  theirs {row}"
                ));
            }
        }
    }
    assert!(
        unexpected.is_empty(),
        "{} differences:\n{}",
        unexpected.len(),
        unexpected.join("\n")
    );
}

#[test]
fn reads_hand_written_texts_as_kubernetes_does() {
    check("cases.jsonl");
}

#[test]
fn reads_damaged_texts_as_kubernetes_does() {
    check("mutated.jsonl");
}

#[test]
fn no_listed_difference_is_a_value() {
    assert!(listed().keys().all(|(_, aspect)| aspect != "value"));
}
