//! YAML of any bytes: it is refused, or what was read can be printed and is then read as the same.

use argosy_yaml::{Limits, decode, from_str_with, parse_documents_with, to_string};
use serde_json::Value;

/// Reads bytes as a file with manifests.
pub(super) fn read(bytes: &[u8]) {
    let limits = Limits {
        nodes: 100_000,
        ..Limits::default()
    };
    let Ok(text) = decode(bytes) else { return };
    let Ok(documents) = parse_documents_with(&text, &limits) else {
        return;
    };
    for document in documents {
        let printed = to_string(&document.value);
        let again = from_str_with(&printed, &limits).map(without_signs_of_zeros);
        let expected = without_signs_of_zeros(document.value);
        assert_eq!(again, Ok(expected), "printed as {printed:?}");
    }
}

/// A negative zero is printed as `0`, as Kubernetes' library does it.
fn without_signs_of_zeros(value: Value) -> Value {
    match value {
        Value::Number(number) if number.as_f64() == Some(0.0) => 0.into(),
        Value::Array(items) => items.into_iter().map(without_signs_of_zeros).collect(),
        Value::Object(fields) => fields
            .into_iter()
            .map(|(key, value)| (key, without_signs_of_zeros(value)))
            .collect(),
        other => other,
    }
}
