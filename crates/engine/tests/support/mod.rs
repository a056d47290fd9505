//! Reading the black-box cases.

use std::path::PathBuf;

use serde_json::Value;

/// The cases of an area: `ARGOSY_CASES` names another folder of the same layout.
pub(crate) fn cases(area: &str) -> Vec<Value> {
    let root = std::env::var_os("ARGOSY_CASES").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/cases")),
        PathBuf::from,
    );
    let folder = root.join(area);
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .expect("the folder of cases is there")
        .map(|entry| entry.expect("a readable entry").path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "jsonl"))
        .collect();
    files.sort();
    files
        .iter()
        .flat_map(|file| {
            let text = std::fs::read_to_string(file).expect("a readable file");
            text.lines()
                .map(|line| serde_json::from_str(line).expect("a case in JSON"))
                .collect::<Vec<_>>()
        })
        .collect()
}

/// Runs every case and fails with the list of those that differ.
pub(crate) fn run(cases: &[Value], answer: impl Fn(&Value) -> Result<Value, String>) {
    let mut failures = Vec::new();
    for case in cases {
        let expected = &case["expect"];
        let given = answer(&case["input"]);
        let agrees = match &given {
            Err(_) => expected.get("error").is_some(),
            Ok(given) => expected.get("error").is_none() && given == expected,
        };
        if !agrees {
            failures.push(format!(
                "{}: expected {expected}\n   given {given:?}",
                case["id"]
            ));
        }
    }
    assert!(
        failures.is_empty(),
        "{} of {} cases differ:\n{}",
        failures.len(),
        cases.len(),
        failures.join("\n")
    );
}
