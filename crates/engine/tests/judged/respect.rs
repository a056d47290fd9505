//! `RespectIgnoreDifferences=true`: live values of what is ignored, git's of all else.

use argosy_crds::application::ResourceIgnoreDifferences;
use argosy_engine::compare::{Rules, respecting};
use argosy_engine::ignore::Ignore;
use argosy_engine::overrides::Overrides;
use argosy_engine::schema;
use serde_json::{Value, json};

fn rule(pointers: &[&str], expressions: &[&str]) -> Vec<ResourceIgnoreDifferences> {
    let rule = json!({"group": "*", "kind": "*", "jsonPointers": pointers,
                      "jqPathExpressions": expressions});
    serde_json::from_value(json!([rule])).expect("a rule")
}

fn applied(desired: &Value, live: &Value, own: &[ResourceIgnoreDifferences]) -> Value {
    let overrides = Overrides::default();
    let ignore = Ignore::new(own, &overrides);
    let rules = Rules {
        ignore: &ignore,
        overrides: &overrides,
        schema: schema::bundled(),
    };
    let once = respecting(desired, live, rules)
        .expect("good rules")
        .into_owned();
    let twice = respecting(&once, live, rules)
        .expect("good rules")
        .into_owned();
    assert_eq!(once, twice, "what was respected once is respected");
    once
}

fn deployment(replicas: u64, containers: &Value) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
           "spec": {"replicas": replicas, "template": {"spec": {"containers": containers}}}})
}

#[test]
fn an_ignored_field_keeps_its_live_value_and_the_rest_is_gits() {
    let desired = deployment(1, &json!([{"name": "web", "image": "web:2"}]));
    let live = deployment(5, &json!([{"name": "web", "image": "web:1", "tty": true}]));
    let wanted = deployment(5, &json!([{"name": "web", "image": "web:2"}]));
    assert_eq!(
        applied(&desired, &live, &rule(&["/spec/replicas"], &[])),
        wanted
    );
    assert_eq!(
        applied(&desired, &live, &rule(&["/spec/paused"], &[])),
        desired
    );
}

#[test]
fn an_ignored_container_stays_and_its_siblings_follow_git() {
    let sidecar = json!({"name": "proxy", "image": "proxy:7"});
    let desired = deployment(
        1,
        &json!([{"name": "new", "image": "n:1"}, {"name": "web", "image": "web:2"}]),
    );
    let live = deployment(1, &json!([sidecar, {"name": "web", "image": "web:1"}]));
    let own = rule(
        &[],
        &[".spec.template.spec.containers[] | select(.name == \"proxy\")"],
    );
    let found = applied(&desired, &live, &own);
    let wanted =
        json!([sidecar, {"name": "new", "image": "n:1"}, {"name": "web", "image": "web:2"}]);
    assert_eq!(found["spec"]["template"]["spec"]["containers"], wanted);
}

#[test]
fn a_field_of_an_item_is_found_by_its_key_wherever_the_item_stands() {
    let env = |value: &str| json!({"name": "TOKEN", "value": value});
    let desired = deployment(
        1,
        &json!([{"name": "first", "image": "f:1"},
        {"name": "web", "image": "web:2", "env": [{"name": "A", "value": "1"}, env("git")]}]),
    );
    let live = deployment(
        1,
        &json!([
        {"name": "web", "image": "web:1", "env": [env("live"), {"name": "B", "value": "2"}]}]),
    );
    let own = rule(
        &[],
        &[".spec.template.spec.containers[].env[]? | select(.name == \"TOKEN\") | .value"],
    );
    let found = applied(&desired, &live, &own);
    let wanted = json!([{"name": "first", "image": "f:1"},
        {"name": "web", "image": "web:2", "env": [{"name": "A", "value": "1"}, env("live")]}]);
    assert_eq!(found["spec"]["template"]["spec"]["containers"], wanted);
}

#[test]
fn a_list_of_a_custom_kind_takes_ignored_fields_and_nothing_else() {
    let route = |items: Value| {
        json!({"apiVersion": "example.com/v1", "kind": "Route",
        "metadata": {"name": "r"}, "spec": {"backends": items}})
    };
    let own = rule(&[], &[".spec.backends[].weight"]);
    let live = route(json!([{"name": "a", "weight": 90, "port": 1}, {"name": "b", "weight": 10}]));
    let desired =
        route(json!([{"name": "c"}, {"name": "b", "weight": 50}, {"name": "a", "port": 2}]));
    let found = applied(&desired, &live, &own);
    let wanted =
        json!([{"name": "c"}, {"name": "b", "weight": 10}, {"name": "a", "port": 2, "weight": 90}]);
    assert_eq!(found["spec"]["backends"], wanted);

    let live = route(json!([{"host": "a", "weight": 90}, {"host": "b", "weight": 10}]));
    let desired = route(json!([{"host": "x"}, {"host": "b"}]));
    let found = applied(&desired, &live, &own);
    let wanted = json!([{"host": "x", "weight": 90}, {"host": "b", "weight": 10}]);
    assert_eq!(
        found["spec"]["backends"], wanted,
        "without names by position"
    );
}

#[test]
fn a_webhooks_bundle_is_kept() {
    let webhook = |bundle: Option<&str>| {
        let mut config = json!({"service": {"name": "w", "namespace": "n"}});
        if let Some(bundle) = bundle {
            config["caBundle"] = json!(bundle);
        }
        json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
               "metadata": {"name": "w"}, "webhooks": [{"name": "a.b.c", "clientConfig": config}]})
    };
    let own = rule(&[], &[".webhooks[]?.clientConfig.caBundle"]);
    let found = applied(&webhook(None), &webhook(Some("Q0E=")), &own);
    assert_eq!(found, webhook(Some("Q0E=")));
}

#[test]
fn what_git_wrote_as_plain_text_of_a_secret_is_ignored_too() {
    let desired = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"},
                         "stringData": {"user": "ada", "password": "initial"}});
    let live = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"},
                      "data": {"user": "Ym9i", "password": "cm90YXRlZA=="}});
    let found = applied(&desired, &live, &rule(&["/data/password"], &[]));
    assert_eq!(
        found["data"],
        json!({"user": "YWRh", "password": "cm90YXRlZA=="})
    );
    assert_eq!(found.get("stringData"), None);
}

#[test]
fn a_parent_that_git_lacks_comes_with_the_ignored_field_alone() {
    let desired = deployment(1, &json!([]));
    let mut live = desired.clone();
    live["metadata"]["annotations"] = json!({"deploy/stamp": "7", "other": "x"});
    let found = applied(
        &desired,
        &live,
        &rule(&["/metadata/annotations/deploy~1stamp"], &[]),
    );
    assert_eq!(
        found["metadata"]["annotations"],
        json!({"deploy/stamp": "7"})
    );
}

#[test]
fn a_rule_that_names_all_of_the_metadata_does_not_reach_identity() {
    let mut desired = deployment(1, &json!([]));
    desired["metadata"]["annotations"] = json!({"argocd.argoproj.io/tracking-id": "us", "x": "y"});
    let mut live = desired.clone();
    live["metadata"] = json!({"name": "web", "uid": "u", "resourceVersion": "3", "managedFields": [],
        "labels": {"a": "b"}, "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}"}});
    let found = applied(&desired, &live, &rule(&["/metadata"], &[]));
    assert_eq!(
        found["metadata"],
        json!({"name": "web", "labels": {"a": "b"},
        "annotations": {"argocd.argoproj.io/tracking-id": "us"}})
    );
}
