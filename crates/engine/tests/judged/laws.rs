//! Laws that hold of every comparison.

use argosy_engine::compare::{Rules, object, three_way};
use argosy_engine::ignore::Ignore;
use argosy_engine::normalise::quantity::canonical;
use argosy_engine::overrides::{CompareOptions, Overrides};
use argosy_engine::{normalise, schema};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Any JSON without null, with the field names that the kinds below know.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::from),
        (0..9_i64).prop_map(Value::from),
        "[a-z]{0,3}".prop_map(Value::from),
        prop::sample::select(vec!["1000m", "0.5", "1Gi"]).prop_map(Value::from),
    ];
    let name = prop::sample::select(vec![
        "name",
        "image",
        "env",
        "ports",
        "containers",
        "template",
        "spec",
        "replicas",
        "limits",
        "resources",
        "cpu",
        "rules",
        "subjects",
    ]);
    leaf.prop_recursive(4, 24, 3, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map(name.clone(), inner, 0..4).prop_map(|map| json!(map)),
        ]
    })
}

fn any_object() -> impl Strategy<Value = Value> {
    let kinds = prop::sample::select(vec![
        ("apps/v1", "Deployment"),
        ("v1", "Pod"),
        ("v1", "Secret"),
        ("rbac.authorization.k8s.io/v1", "ClusterRole"),
        ("example.com/v1", "Widget"),
    ]);
    (kinds, any_json(), any_json()).prop_map(|((api_version, kind), spec, rules)| {
        json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "x"},
            "spec": spec, "rules": rules})
    })
}

fn with_rules<T>(check: impl FnOnce(Rules<'_>) -> T) -> T {
    let overrides = Overrides::default();
    let ignore = Ignore::new(&[], &overrides);
    check(Rules {
        ignore: &ignore,
        overrides: &overrides,
        schema: schema::bundled(),
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn an_object_does_not_differ_from_itself(one in any_object()) {
        with_rules(|rules| {
            let verdict = object(Some(&one), Some(&one), rules);
            prop_assert!(verdict.is_synced(), "{:?}", verdict.differences);
            let verdict = three_way(Some(&one), Some(&one), rules);
            prop_assert!(!verdict.modified, "{:?}", verdict.paths);
            Ok(())
        })?;
    }

    #[test]
    fn applying_the_difference_leaves_none(
        (desired, live) in (any_object(), any_json()).prop_map(|(desired, spec)| {
            let mut live = desired.clone();
            live["spec"] = spec;
            (desired, live)
        })
    ) {
        with_rules(|rules| {
            let first = three_way(Some(&desired), Some(&live), rules);
            let second = three_way(Some(&desired), Some(&first.predicted), rules);
            prop_assert!(!second.modified, "{:?} {}", second.paths, first.predicted);
            Ok(())
        })?;
    }

    #[test]
    fn normalising_twice_changes_nothing(one in any_object(), amount in "[+-]?[0-9]{1,4}(\\.[0-9]{0,3})?(m|k|Ki|Gi|e3)?") {
        let options = CompareOptions::default();
        let once = normalise::object(&one, &options).into_owned();
        prop_assert_eq!(normalise::object(&once, &options).into_owned(), once);
        if let Some(text) = canonical(&amount) {
            prop_assert_eq!(canonical(&text), Some(text));
        }
    }
}
