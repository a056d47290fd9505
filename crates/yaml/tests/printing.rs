//! Printing: agreement with sigs.k8s.io/yaml's Marshal, recorded in `tests/printed.jsonl`, and the laws of the way to text
//! and back.

use argosy_yaml::{from_str, from_str_strict, parse_documents, to_string};
use proptest::prelude::*;
use serde_json::{Value, json};

#[test]
fn prints_as_kubernetes_does() {
    for row in include_str!("printed.jsonl").lines() {
        let row: Value = serde_json::from_str(row).expect("because rows are JSON");
        assert_eq!(
            to_string(&row["value"]),
            row["yaml"].as_str().unwrap_or_default()
        );
    }
}

/// Kubernetes prints this key without quotes, and then reads it as a merge.
#[test]
fn a_key_that_would_be_a_merge_is_quoted() {
    let value = json!({"<<": {"a": 1}, "b": "<<"});
    let text = to_string(&value);
    assert_eq!(text, "\"<<\":\n  a: 1\nb: <<\n");
    assert_eq!(from_str(&text), Ok(value));
}

fn text() -> impl Strategy<Value = String> {
    let tricky = "(yes|no|~|null|0x1F|0o7|1_0|1e3|\\.5|\\.inf|<<|=|2001-01-01|1:30|---|\\.\\.\\.| |\n|\t|\r\n|: | #|- |\\? |[|>*&!%@`'\"{}\\[\\],:#?-]|\u{85}|\u{2028}|\u{feff}|é|😀|\\\\|word ){0,6}";
    prop_oneof![tricky, "[a-z ]{0,200}", any::<String>()]
}

fn value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        // An integral float is an integer after the first reading.
        prop::num::f64::NORMAL
            .prop_filter("integral", |float| float.fract() != 0.0
                || float.abs() >= 1e21)
            .prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    scalar.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(text(), inner, 0..4)
                .prop_map(|map| map.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn reading_gives_back_what_was_printed(value in value()) {
        let text = to_string(&value);
        prop_assert_eq!(from_str_strict(&text), Ok(value.clone()), "{}", text);
        prop_assert_eq!(to_string(&value), text);
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in text()) {
        if let Ok(value) = from_str_strict(&text) {
            prop_assert_eq!(from_str(&text), Ok(value));
        }
        let _ = parse_documents(&text).is_ok_and(|documents| documents[..].iter().all(|document| {
            document.position_of("").is_some()
        }));
    }
}
