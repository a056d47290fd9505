//! OTLP's JSON form of spans: what a collector takes at `/v1/traces`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::span::Finished;

/// The longest value of an attribute, in bytes; OpenTelemetry sets no limit, collectors do.
const LONGEST: usize = 1024;

/// The kind of spans that go on inside of a process.
const INTERNAL: u8 = 1;

/// The code of a span that failed.
const ERROR: u8 = 2;

/// The request that exports these spans.
pub(super) fn request(attributes: &BTreeMap<String, String>, spans: &[Finished]) -> Value {
    let version = env!("CARGO_PKG_VERSION");
    let mut resource = BTreeMap::from([
        ("service.name".to_owned(), "argosy".to_owned()),
        ("service.version".to_owned(), version.to_owned()),
    ]);
    resource.extend(attributes.clone());
    let resource = resource.iter().map(|(key, value)| attribute(key, value));
    json!({"resourceSpans": [{
        "resource": {"attributes": resource.collect::<Vec<_>>()},
        "scopeSpans": [{
            "scope": {"name": "argosy", "version": version},
            "spans": spans.iter().map(span).collect::<Vec<_>>(),
        }],
    }]})
}

fn span(span: &Finished) -> Value {
    let attributes = span.attributes.iter();
    let mut value = json!({
        "traceId": format!("{:032x}", span.trace),
        "spanId": format!("{:016x}", span.id),
        "name": span.name,
        "kind": INTERNAL,
        "startTimeUnixNano": nanoseconds(span.start),
        "endTimeUnixNano": nanoseconds(span.end),
        "attributes": attributes.map(|(key, value)| attribute(key, value)).collect::<Vec<_>>(),
    });
    if let Some(parent) = span.parent {
        value["parentSpanId"] = format!("{parent:016x}").into();
    }
    if let Some(why) = &span.failure {
        value["status"] = json!({"code": ERROR, "message": cut(why)});
    }
    value
}

fn attribute(key: &str, value: &str) -> Value {
    json!({"key": key, "value": {"stringValue": cut(value)}})
}

fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(LONGEST)]
}

/// JSON has no integers of 64 bits; protobuf writes them as text.
fn nanoseconds(at: Timestamp) -> String {
    at.as_nanosecond().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_the_form_that_collectors_take() {
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        let finished = Finished {
            trace: 0xabc,
            id: 7,
            parent: Some(3),
            name: "fetch",
            start: at(1),
            end: at(2),
            attributes: vec![("application", "é".repeat(1000))],
            failure: Some("no answer".to_owned()),
        };
        let attributes = BTreeMap::from([("env".to_owned(), "prod".to_owned())]);
        let request = request(&attributes, &[finished]);
        let resource = &request["resourceSpans"][0];
        let named = resource["resource"]["attributes"].to_string();
        assert!(named.contains(r#"{"key":"env","value":{"stringValue":"prod"}}"#));
        let span = &resource["scopeSpans"][0]["spans"][0];
        assert_eq!(span["traceId"], "00000000000000000000000000000abc");
        assert_eq!(span["spanId"], "0000000000000007");
        assert_eq!(span["parentSpanId"], "0000000000000003");
        assert_eq!(span["startTimeUnixNano"], "1000000000");
        assert_eq!(span["status"], json!({"code": 2, "message": "no answer"}));
        let value = span["attributes"][0]["value"]["stringValue"].as_str();
        assert_eq!(value.unwrap().len(), LONGEST);
    }
}
