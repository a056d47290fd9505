//! Templates with the verdict of Go's text/template and sprig.

#![allow(
    clippy::unwrap_used,
    clippy::unwrap_in_result,
    reason = "broken cases must fail the test"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use argosy_gotemplate::{FuncMap, Options, Random, Seams, Template, Value, sprig};
use serde_json::Value as Json;

/// Cases that are different on purpose: these functions are not offered, as Argo CD does not offer them.
const WITHHELD: [&str; 3] = ["env", "expandenv", "getHostByName"];

fn corpora() -> PathBuf {
    std::env::var_os("ARGOSY_CORPORA")
        .map_or_else(
            || concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/corpora").into(),
            PathBuf::from,
        )
        .join("gotemplate")
}

fn seams() -> Seams {
    Seams {
        now: Arc::new(|| jiff::Timestamp::from_second(1_700_000_000).unwrap()),
        random: Random::new([1; 32]),
    }
}

fn run(case: &Json, data: &Json, sprig: &FuncMap) -> Result<String, String> {
    let mut options = Options::default();
    if let Some(option) = case["opt"].as_str() {
        options.parse_option(option).unwrap();
    }
    let none = FuncMap::new();
    let functions = if case["area"] == "engine" {
        &none
    } else {
        sprig
    };
    let template = Template::parse("t", case["t"].as_str().unwrap(), functions, options)
        .map_err(|error| error.to_string())?;
    template
        .execute(&Value::from(data))
        .map_err(|error| error.to_string())
}

#[test]
fn templates_give_what_go_gives() {
    let data: Json =
        serde_json::from_str(&fs::read_to_string(corpora().join("data.json")).unwrap()).unwrap();
    let sprig = sprig::functions(&seams());
    let mut wrong = BTreeMap::new();
    let mut count = 0;
    let beside = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data"));
    for entry in fs::read_dir(corpora())
        .unwrap()
        .chain(fs::read_dir(beside).unwrap())
    {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|e| e != "jsonl") {
            continue;
        }
        for line in fs::read_to_string(path).unwrap().lines() {
            let case: Json = serde_json::from_str(line).unwrap();
            let text = case["t"].as_str().unwrap();
            if WITHHELD
                .iter()
                .any(|name| text.contains(&format!("{name} ")))
            {
                continue;
            }
            count += 1;
            let got = run(&case, &data, &sprig);
            let right = match (&got, case["out"].as_str()) {
                (Ok(out), Some(want)) => out == want,
                (Err(_), None) => true,
                _ => false,
            };
            if !right {
                let want = case.get("out").or(case.get("err")).cloned();
                wrong.insert(
                    case["id"].to_string(),
                    format!("{text}\n   got {got:?}\n  want {want:?}"),
                );
            }
        }
    }
    let report: Vec<String> = wrong
        .iter()
        .map(|(id, text)| format!("{id}: {text}"))
        .collect();
    assert!(
        wrong.is_empty(),
        "{} of {count} differ:\n{}",
        wrong.len(),
        report.join("\n")
    );
}
