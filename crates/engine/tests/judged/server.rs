//! What counts of a server's dry run.

use serde_json::{Value, json};

fn predicted_changes(predicted: &Value, live: &Value, webhooks: bool) -> Vec<String> {
    let found = argosy_engine::compare::predicted_changes(predicted, live, webhooks);
    found.into_iter().map(|one| one.pointer).collect()
}

fn pod(spec: &Value, owned: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "spec": spec, "metadata": {"name": "p", "resourceVersion": "1",
        "managedFields": [{"manager": "argocd-controller", "operation": "Apply", "fieldsV1": owned}]}})
}

fn owned() -> Value {
    json!({"f:spec": {"f:containers": {"k:{\"name\":\"a\"}": {".": {}, "f:name": {}, "f:image": {}, "f:args": {}}}}})
}

#[test]
fn what_webhooks_add_counts_only_if_it_is_asked_for() {
    let live = pod(
        &json!({"containers": [{"name": "a", "image": "x"}]}),
        &owned(),
    );
    let injected = json!({"containers": [{"name": "proxy"}, {"name": "a", "image": "x", "tty": true}], "node": "n"});
    let mut predicted = pod(&injected, &owned());
    predicted["metadata"]["resourceVersion"] = json!("2");
    assert_eq!(
        predicted_changes(&predicted, &live, false),
        Vec::<String>::new()
    );
    let all = predicted_changes(&predicted, &live, true);
    assert_eq!(all, ["/spec/containers", "/spec/node"]);
    assert_eq!(predicted_changes(&live, &live, true), Vec::<String>::new());
}

#[test]
fn what_is_ours_counts_where_it_changes_comes_or_goes() {
    let live = pod(
        &json!({"containers": [{"name": "b", "image": "b"}, {"name": "a", "image": "x", "args": ["1"]}]}),
        &json!({"f:spec": {"f:containers": {"k:{\"name\":\"a\"}": {"f:image": {}, "f:args": {}},
            "k:{\"name\":\"b\"}": {".": {}}}, "f:host": {}}}),
    );
    let predicted = pod(
        &json!({"containers": [{"name": "a", "image": "y", "args": ["1", "2"]}]}),
        &owned(),
    );
    let found = predicted_changes(&predicted, &live, false);
    assert_eq!(
        found,
        [
            "/spec/containers/0/args",
            "/spec/containers/0/image",
            "/spec/containers/0"
        ]
    );
}

#[test]
fn of_a_status_only_what_is_ours_counts() {
    let mut live = pod(&json!({}), &json!({"f:status": {"f:phase": {}}}));
    live["status"] = json!({"phase": "a", "seen": 1});
    let mut predicted = live.clone();
    predicted["status"] = json!({"phase": "b", "seen": 2});
    for webhooks in [false, true] {
        let found = predicted_changes(&predicted, &live, webhooks);
        assert_eq!(found, ["/status/phase"]);
    }
}
