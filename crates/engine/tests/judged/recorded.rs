//! The recorded answers of Argo CD for this crate's areas.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;

/// One recorded case.
pub(crate) struct Case {
    pub(crate) id: String,
    pub(crate) category: String,
    pub(crate) input: Value,
    pub(crate) expect: Value,
}

/// Every case of an area, from the project's own folder or the one that `ARGOSY_CASES` names.
pub(crate) fn load(area: &str) -> Vec<Case> {
    let root = std::env::var_os("ARGOSY_CASES").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/cases")),
        PathBuf::from,
    );
    let mut cases = Vec::new();
    let folder = root.join(area);
    for entry in std::fs::read_dir(&folder).expect("the folder of cases") {
        let path = entry.expect("readable").path();
        if path
            .extension()
            .is_none_or(|extension| extension != "jsonl")
        {
            continue;
        }
        for line in std::fs::read_to_string(&path).expect("readable").lines() {
            let mut case: Value = serde_json::from_str(line).expect("a case a line");
            cases.push(Case {
                id: case["id"].as_str().expect("an id").to_owned(),
                category: case["category"].as_str().expect("a category").to_owned(),
                input: case["input"].take(),
                expect: case["expect"].take(),
            });
        }
    }
    cases
}

/// The data of argocd-cm that a case brings.
pub(crate) fn config_map(input: &Value) -> BTreeMap<String, String> {
    input["configmap"]
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
        .collect()
}

/// The object that a case writes as YAML.
pub(crate) fn object(input: &Value, name: &str) -> Option<Value> {
    let text = input[name].as_str()?;
    Some(argosy_yaml::from_str(text).expect("readable YAML"))
}
