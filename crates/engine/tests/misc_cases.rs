//! Tracking, refresh paths, patterns and repository URLs, judged by Argo CD's answers.

#![expect(
    clippy::unwrap_used,
    clippy::unwrap_in_result,
    reason = "a case that cannot be read is a fault of the case"
)]

mod support;

use argosy_crds::Application;
use argosy_engine::application::refresh;
use argosy_engine::object::ResourceKey;
use argosy_engine::repo_url;
use argosy_engine::tracking::{Identity, Method, Tracking};
use argosy_glob::{gobwas, list};
use serde_json::{Value, json};

#[test]
fn answers_as_argo_cd_does() {
    support::run(&support::cases("misc"), answer);
}

fn answer(input: &Value) -> Result<Value, String> {
    let text = |name: &str| input[name].as_str().unwrap_or_default();
    let yaml = |name: &str| argosy_yaml::from_str(text(name)).unwrap();
    let list = |name: &str| -> Vec<Value> { input[name].as_array().cloned().unwrap_or_default() };
    match text("op") {
        "track" => {
            let mut object = yaml("object");
            let tracking = tracking(input);
            tracking.mark(&mut object, text("appName"), text("namespace"));
            Ok(json!({
                "labels": object["metadata"]["labels"],
                "annotations": object["metadata"]["annotations"],
                "owner": tracking.owner(&object).unwrap_or_default(),
            }))
        }
        "owner" => {
            let owner = tracking(input).owner(&yaml("object"));
            Ok(json!({"app": owner.unwrap_or_default()}))
        }
        "parse-id" => {
            let Identity { application, key } =
                text("value").parse().map_err(|error| format!("{error}"))?;
            let ResourceKey {
                group,
                kind,
                namespace,
                name,
            } = key;
            Ok(
                json!({"application": application, "group": group, "kind": kind,
                "namespace": namespace, "name": name}),
            )
        }
        "refresh" => {
            let application: Application = serde_json::from_value(yaml("application")).unwrap();
            let paths = refresh::paths(&application);
            let verdicts = list("changed").into_iter().map(|files| {
                let files: Vec<String> = serde_json::from_value(files).unwrap();
                refresh::concerns(&paths, &files)
            });
            Ok(json!({"refresh": verdicts.collect::<Vec<_>>()}))
        }
        "glob" => {
            let separators: Vec<char> = text("separator").chars().collect();
            Ok(json!({"match": matched(input, |item| {
                gobwas::matches(text("pattern"), item, &separators)
            })}))
        }
        "list-match" => Ok(json!({"match": matched(input, |item| {
            list::matches(&[text("pattern")], item, list::Syntax::Regexp)
        })})),
        "same-url" => {
            let same = list("pairs").into_iter().map(|pair| {
                let [a, b]: [String; 2] = serde_json::from_value(pair).unwrap();
                repo_url::same(&a, &b)
            });
            Ok(json!({"same": same.collect::<Vec<_>>()}))
        }
        other => Err(format!("no such question: {other}")),
    }
}

fn tracking(input: &Value) -> Tracking {
    let text = |name: &str| input[name].as_str().unwrap_or_default();
    let mut tracking = Tracking {
        method: Method::parse(text("method")),
        installation_id: text("installationID").to_owned(),
        ..Tracking::default()
    };
    if !text("labelKey").is_empty() {
        text("labelKey").clone_into(&mut tracking.label_key);
    }
    tracking
}

fn matched(input: &Value, matches: impl Fn(&str) -> bool) -> Vec<bool> {
    let texts = input["texts"].as_array().unwrap();
    texts
        .iter()
        .map(|text| matches(text.as_str().unwrap()))
        .collect()
}
