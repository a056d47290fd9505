//! The plugin generator's protocol: one POST that answers with sets of parameters.

use std::collections::BTreeMap;

use argosy_facts::Secret;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::api::{Api, Http, Session, base, below};
use crate::error::{Result, spec};

/// A plugin as its ConfigMap describes it.
#[derive(Clone, Debug)]
pub struct Plugin {
    /// `baseUrl`
    pub base_url: String,
    /// What `token` refers to.
    pub token: Secret,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Question<'a> {
    application_set_name: &'a str,
    input: Input,
}

#[derive(Serialize)]
struct Input {
    parameters: Value,
}

#[derive(Deserialize)]
struct Reply {
    output: Output,
}

#[derive(Deserialize)]
struct Output {
    /// `null` is how a Go program writes an empty list; that the field is there says that it was
    /// meant.
    #[serde(deserialize_with = "Option::deserialize")]
    parameters: Option<Vec<BTreeMap<String, Value>>>,
}

/// The sets of parameters that a plugin answers to `parameters`, which are JSON.
pub async fn plugin_parameters<S: Http>(
    service: S,
    plugin: &Plugin,
    application_set: &str,
    parameters: &str,
    session: &Session,
) -> Result<Vec<BTreeMap<String, Value>>> {
    let parameters = serde_json::from_str(parameters)
        .map_err(|error| spec("input.parameters", error.to_string()))?;
    let url = below(&base(&plugin.base_url)?, ["api", "v1", "getparams.execute"]);
    let token = plugin.token.expose();
    let api = Api::new(service, url.clone(), session)
        .credential("authorization", &format!("Bearer {token}"))?;
    let question = Question {
        application_set_name: application_set,
        input: Input { parameters },
    };
    let reply: Reply = api.post(url, &question).await?;
    Ok(reply.output.parameters.unwrap_or_default())
}
