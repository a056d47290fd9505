//! Sync windows, judged by Argo CD's answers.

#![expect(
    clippy::unwrap_used,
    clippy::unwrap_in_result,
    reason = "a case that cannot be read is a fault of the case"
)]

mod support;

use argosy_crds::Application;
use argosy_engine::windows::{self, Attempt, Windows, explain};
use jiff::Timestamp;
use serde_json::{Value, json};

#[test]
fn decides_as_argo_cd_does() {
    support::run(&support::cases("windows"), decide);
}

fn decide(input: &Value) -> Result<Value, String> {
    let yaml =
        |name: &str| argosy_yaml::from_str(input[name].as_str().unwrap_or_default()).unwrap();
    let application: Application = serde_json::from_value(yaml("application")).unwrap();
    let windows = windows::read(&yaml("windows")).unwrap();
    let windows = Windows::of(&application, &windows).map_err(|error| error.to_string())?;
    let time = |value: &Value| {
        value
            .as_str()
            .map(|text| text.parse::<Timestamp>().unwrap())
    };
    let results: Vec<_> = input["checks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|check| {
            let now = time(&check["time"]).unwrap();
            let attempt = Attempt {
                manual: check["manual"].as_bool().unwrap_or_default(),
                started_at: time(&check["startedAt"]),
            };
            let may_sync = windows.verdict(attempt, now).may_sync();
            let told = explain(&windows, attempt, now);
            assert_eq!(told.len(), 1 + windows.len());
            assert_eq!(told[0].starts_with("may not"), !may_sync);
            json!({"canSync": may_sync, "active": windows.active(now).count()})
        })
        .collect();
    Ok(json!({"matching": windows.len(), "results": results}))
}
