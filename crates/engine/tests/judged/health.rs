//! Health against the recorded answers: built-in kinds and users' scripts in full, the bundled
//! custom kinds above a floor that must not sink.

use argosy_engine::health;
use argosy_engine::overrides::Overrides;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::recorded;

fn answer(input: &Value) -> Value {
    let object = recorded::object(input, "object").expect("an object");
    let Ok(overrides) = Overrides::from_config_map(&recorded::config_map(input)) else {
        return json!("error");
    };
    match health::assess(&object, &overrides, Timestamp::UNIX_EPOCH) {
        Ok(Some(health)) => json!({"status": health.status.as_str(), "message": health.message}),
        Ok(None) => json!({"status": null}),
        Err(_) => json!("error"),
    }
}

fn agrees(answer: &Value, expect: &Value) -> bool {
    if expect.get("error").is_some() {
        return answer == "error";
    }
    answer == expect
}

#[test]
fn built_in_kinds_are_judged_as_argo_cd_does() {
    let wrong: Vec<String> = recorded::load("health")
        .into_iter()
        .filter(|case| !case.category.starts_with("lua/"))
        .filter_map(|case| {
            let answer = answer(&case.input);
            (!agrees(&answer, &case.expect))
                .then(|| format!("{}: {answer} instead of {}", case.id, case.expect))
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// How many of a hundred recorded answers the bundled rules must give.
const FLOOR: usize = 90;

#[test]
fn bundled_rules_judge_most_custom_kinds_as_argo_cd_does() {
    let cases: Vec<_> = recorded::load("health")
        .into_iter()
        .filter(|case| case.category.starts_with("lua/"))
        .collect();
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|case| {
            let answer = answer(&case.input);
            (!agrees(&answer, &case.expect)).then(|| {
                format!(
                    "{} {}: {answer} instead of {}",
                    case.id, case.category, case.expect
                )
            })
        })
        .collect();
    assert!(
        (cases.len() - wrong.len()) * 100 >= cases.len() * FLOOR,
        "{} of {} wrong: {wrong:#?}",
        wrong.len(),
        cases.len()
    );
}
