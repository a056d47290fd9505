//! The offline diff against the recorded verdicts, in full.

use argosy_crds::application::ResourceIgnoreDifferences;
use argosy_crds::codes::SyncStatusCode;
use argosy_engine::compare::{Rules, three_way};
use argosy_engine::ignore::Ignore;
use argosy_engine::overrides::Overrides;
use argosy_engine::schema;
use serde_json::{Value, json};

use super::recorded;

fn answer(input: &Value) -> Result<Value, String> {
    let overrides = Overrides::from_config_map(&recorded::config_map(input))
        .map_err(|error| error.to_string())?;
    let own: Vec<ResourceIgnoreDifferences> = match recorded::object(input, "ignoreDifferences") {
        Some(list) => serde_json::from_value(list).map_err(|error| error.to_string())?,
        None => Vec::new(),
    };
    let ignore = Ignore::new(&own, &overrides)
        .checked()
        .map_err(|error| error.to_string())?;
    let verdict = three_way(
        recorded::object(input, "desired").as_ref(),
        recorded::object(input, "live").as_ref(),
        Rules {
            ignore: &ignore,
            overrides: &overrides,
            schema: schema::bundled(),
        },
    );
    Ok(json!({
        "status": verdict.status.map_or("", SyncStatusCode::as_str),
        "appStatus": verdict.app_status.as_str(),
        "modified": verdict.modified,
        "paths": verdict.paths,
    }))
}

#[test]
fn the_offline_diff_decides_as_argo_cd_does() {
    let mut wrong = Vec::new();
    for case in recorded::load("diff") {
        let answer = answer(&case.input);
        let agrees = match (&answer, case.expect.get("error")) {
            (Err(_), Some(_)) => true,
            (Ok(answer), None) => case
                .expect
                .as_object()
                .expect("an object")
                .iter()
                .all(|(key, value)| answer[key] == *value),
            _ => false,
        };
        if !agrees {
            wrong.push(format!("{} {answer:?} instead of {}", case.id, case.expect));
        }
    }
    assert!(wrong.is_empty(), "{} wrong: {wrong:#?}", wrong.len());
}
