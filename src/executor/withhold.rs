//! What a cluster says of a Secret that it refuses, without what stands in the Secret.
//!
//! Servers quote the values that they do not like. Nothing here may let such a quotation pass into a
//! status, an event or a log.

use argosy_engine::object::ObjectExt as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::Value;

use super::request::Failure;

/// How much of a line of a value is looked for; a server may cut off what is long.
const PROBE: usize = 12;

/// Shorter values are words like `on`, which appear by chance and give nothing away.
const SHORTEST: usize = 3;

/// The failure to write `object`, in other words if those of the server quote a Secret.
pub(super) fn without_values(failure: Failure, object: &Value) -> Failure {
    if object.kind() != "Secret" || !object.group().is_empty() {
        return failure;
    }
    let mut values = Vec::new();
    collect(&object["data"], &mut values);
    collect(&object["stringData"], &mut values);
    let decoded: Vec<_> = values
        .iter()
        .filter_map(|value| String::from_utf8(BASE64.decode(value).ok()?).ok())
        .collect();
    let quotes = |value: &String| is_quoted(value, &failure.message);
    if !values.iter().chain(&decoded).any(quotes) {
        return failure;
    }
    Failure {
        message: format!(
            "the cluster refuses Secret {} ({}), and what it says is withheld because it quotes \
             values of the Secret; each value must be a string, and those of `data` base64",
            object.name(),
            failure.reason
        ),
        ..failure
    }
}

fn is_quoted(value: &str, message: &str) -> bool {
    value.lines().any(|line| {
        let probe: String = line.trim().chars().take(PROBE).collect();
        probe.len() >= SHORTEST && message.contains(&probe)
    })
}

fn collect(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::String(text) => into.push(text.clone()),
        Value::Number(number) => into.push(number.to_string()),
        Value::Array(items) => items.iter().for_each(|item| collect(item, into)),
        Value::Object(fields) => fields.values().for_each(|field| collect(field, into)),
        Value::Null | Value::Bool(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(message: &str) -> String {
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db"},
                            "data": {"password": BASE64.encode("hunter2hunter2hunter2")}});
        let failure = Failure {
            code: 422,
            reason: "Invalid".to_owned(),
            message: message.to_owned(),
        };
        without_values(failure, &secret).message
    }

    #[test]
    fn a_quotation_is_withheld_and_other_words_pass() {
        let quoting = told("invalid value: \"hunter2hunter2hu...\"");
        assert!(quoting.contains("Secret db (Invalid)") && !quoting.contains("hunter2"));
        assert_eq!(told("field is immutable"), "field is immutable");
    }
}
