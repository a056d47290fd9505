//! The hub's comparison: sound against the recorded verdicts, quiet where nothing differs.

use argosy_engine::compare::{Rules, Verdict, object};
use argosy_engine::ignore::Ignore;
use argosy_engine::overrides::Overrides;
use argosy_engine::schema;
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
    let ignore = Ignore::new(&[], &overrides).expect("no rules");
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
        let ignore = Ignore::new(&[], &overrides).expect("rules");
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
