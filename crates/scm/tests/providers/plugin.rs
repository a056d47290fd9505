//! Plugins.

use argosy_facts::Secret;
use argosy_scm::{Plugin, plugin_parameters};
use serde_json::json;

use crate::fake::{Fake, Reply};
use crate::world::session;

async fn ask(reply: Reply) -> (Fake, Result<usize, String>) {
    let provider = Fake::default().on("POST /base/api/v1/getparams.execute", reply);
    let plugin = Plugin {
        base_url: "http://plugin.argocd.svc/base/".to_owned(),
        token: Secret::new("s3cr3t"),
    };
    let parameters = r#"{"k": 1}"#;
    let answer = plugin_parameters(provider.clone(), &plugin, "set", parameters, &session()).await;
    (
        provider,
        answer
            .map(|sets| sets.len())
            .map_err(|error| error.to_string()),
    )
}

#[tokio::test]
async fn a_plugin_answers_sets_of_parameters() {
    let reply = json!({"output": {"parameters": [{"a": 1}, {"b": {"c": [2]}}]}});
    let (provider, answer) = ask(Reply::json(&reply)).await;
    assert_eq!(answer, Ok(2));
    assert_eq!(provider.seen()[0].headers["authorization"], "Bearer s3cr3t");
}

#[tokio::test]
async fn only_an_answer_that_says_so_is_empty() {
    for meant in [json!([]), json!(null)] {
        let (_, answer) = ask(Reply::json(&json!({"output": {"parameters": meant}}))).await;
        assert_eq!(answer, Ok(0));
    }
    let cut = r#"{"output": {"parameters": ["#;
    for (status, body) in [
        (200, ""),
        (200, "{}"),
        (200, r#"{"output": {}}"#),
        (200, "<html>"),
        (200, cut),
        (200, r#"{"output": {"parameters": "x"}}"#),
        (204, ""),
        (404, ""),
        (500, r#"{"message": "request 7 failed"}"#),
    ] {
        let (_, answer) = ask(Reply::status(status, body)).await;
        let why = answer.expect_err(body);
        assert!(
            !why.contains("request 7") && !why.contains("s3cr3t"),
            "{why}"
        );
    }
}
