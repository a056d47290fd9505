//! The hub's comparison: sound against the recorded verdicts, quiet where nothing differs.

use std::collections::BTreeMap;

use argosy_crds::codes::SyncStatusCode;
use argosy_engine::compare::{Comparison, Owner, Rules, Settings, Verdict, application, object};
use argosy_engine::ignore::Ignore;
use argosy_engine::object::GroupKind;
use argosy_engine::overrides::Overrides;
use argosy_engine::schema;
use argosy_facts::Observed;
use serde_json::{Value, json};

use super::recorded;

/// Where Argo CD's client-side verdict is OutOfSync and server-side apply would change nothing.
const SERVER_SIDE: [(&str, &str); 5] = [
    ("df-032", "the same amount in another family of suffix"),
    ("df-064", "the same amount with a sign"),
    ("df-066", "the same amount with a point"),
    ("df-070", "the same amount in another family of suffix"),
    ("df-245", "the version is the one the object was read in"),
];

fn verdict(desired: Option<&Value>, live: Option<&Value>) -> Verdict {
    let overrides = Overrides::default();
    let ignore = Ignore::new(&[], &overrides);
    object(
        desired,
        live,
        Rules {
            ignore: &ignore,
            overrides: &overrides,
            schema: schema::bundled(),
        },
    )
}

#[test]
fn what_argo_cd_finds_out_of_sync_is_at_least_suspect() {
    let mut missed = Vec::new();
    for case in recorded::load("diff") {
        if case.input.get("ignoreDifferences").is_some() || case.expect.get("error").is_some() {
            continue;
        }
        let overrides =
            Overrides::from_config_map(&recorded::config_map(&case.input)).expect("settings");
        let ignore = Ignore::new(&[], &overrides);
        let (desired, live) = (
            recorded::object(&case.input, "desired"),
            recorded::object(&case.input, "live"),
        );
        let found = object(
            desired.as_ref(),
            live.as_ref(),
            Rules {
                ignore: &ignore,
                overrides: &overrides,
                schema: schema::bundled(),
            },
        );
        let known = SERVER_SIDE.iter().any(|(id, _)| *id == case.id);
        if case.expect["status"] == "OutOfSync" && found.is_synced() && !known {
            missed.push(case.id);
        }
    }
    assert!(missed.is_empty(), "{missed:#?}");
}

#[test]
fn a_field_that_our_manager_owns_and_git_dropped_is_a_removal() {
    let live = json!({"apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "w", "managedFields": [{"manager": "argocd-controller", "operation": "Apply",
            "fieldsV1": {"f:spec": {"f:replicas": {}, "f:template": {"f:spec": {"f:containers": {
                "k:{\"name\":\"a\"}": {".": {}, "f:image": {}}, "k:{\"name\":\"b\"}": {".": {}, "f:name": {}}}}}}}}]},
        "spec": {"replicas": 2, "template": {"spec": {"containers": [{"name": "a", "image": "x"}, {"name": "b"}]}}}});
    let desired = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "w"},
        "spec": {"template": {"spec": {"containers": [{"name": "a", "image": "x"}]}}}});
    let found = verdict(Some(&desired), Some(&live));
    let pointers: Vec<_> = found
        .differences
        .iter()
        .map(|one| one.pointer.as_str())
        .collect();
    assert_eq!(
        pointers,
        ["/spec/replicas", "/spec/template/spec/containers/1"]
    );
    assert!(found.suspect);
}

#[test]
fn secrets_differ_without_showing_their_values() {
    let secret = |value: &str| json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"password": value}});
    let found = verdict(Some(&secret("hunter2")), Some(&secret("hunter3")));
    assert_eq!(found.differences.len(), 1);
    let text = format!("{found:?}");
    assert!(
        text.contains("/data/password") && !text.contains("aHVudGVy"),
        "{text}"
    );
}

/// Compares an application while the kind Widget cannot be seen.
fn without_widgets(desired: &[Value], live: Vec<Value>) -> Comparison {
    let overrides = Overrides::default();
    let ignore = Ignore::new(&[], &overrides);
    let widgets = GroupKind::new("example.com", "Widget");
    let tainted = BTreeMap::from([(widgets, "the watch of widgets is broken".to_owned())]);
    let settings = Settings {
        application: "argocd/web",
        destination_namespace: "web",
        rules: Rules {
            ignore: &ignore,
            overrides: &overrides,
            schema: schema::bundled(),
        },
        owner: &|_| Owner::Us,
        namespaced: &|_| Some(true),
        excluded: &|_| false,
        tainted: &tainted,
    };
    application(desired, &Observed::complete(live), &settings)
}

#[test]
fn of_a_kind_that_cannot_be_seen_nothing_is_said_and_all_else_is_judged() {
    let named = |api_version: &str, kind: &str, name: &str, value: u64| {
        json!({"apiVersion": api_version, "kind": kind, "data": {"a": value.to_string()},
            "metadata": {"name": name, "namespace": "web"}})
    };
    let config = |name: &str, value| named("v1", "ConfigMap", name, value);
    let widget = named("example.com/v1", "Widget", "w", 1);
    let statuses = |comparison: &Comparison| -> Vec<_> {
        let all = comparison.resources.iter();
        all.map(|one| (one.key.name.clone(), one.status)).collect()
    };
    let status = |name: &str, status| (name.to_owned(), Some(status));

    let desired = [config("a", 1), widget.clone()];
    let quiet = without_widgets(&desired, vec![config("a", 1)]);
    let wanted = [
        status("a", SyncStatusCode::Synced),
        status("w", SyncStatusCode::Unknown),
    ];
    assert_eq!(statuses(&quiet), wanted);
    assert_eq!(quiet.status, SyncStatusCode::Unknown);
    assert!(quiet.conditions[0].message.contains("widgets"), "{quiet:?}");

    let drifted = without_widgets(&desired, vec![config("a", 2), config("b", 1)]);
    let wanted = [
        status("a", SyncStatusCode::OutOfSync),
        status("b", SyncStatusCode::OutOfSync),
        status("w", SyncStatusCode::Unknown),
    ];
    assert_eq!(statuses(&drifted), wanted);
    assert_eq!(drifted.status, SyncStatusCode::OutOfSync);
    assert!(drifted.resources[1].verdict.requires_pruning);

    let removed = without_widgets(&desired[..1], vec![config("a", 1), widget]);
    let extra = &removed.resources[1];
    assert!(
        !extra.verdict.requires_pruning,
        "what is not vouched for stays"
    );
}
