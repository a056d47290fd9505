//! Custom resources and their definitions.

use serde_json::{Value, json};

use super::Session;

/// Defines a kind and waits until it is served.
async fn define(session: &Session, group: &str, scope: &str, version: Value) -> String {
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("widgets.{group}")},
        "spec": {
            "group": group, "scope": scope, "versions": [version],
            "names": {"kind": "Widget", "plural": "widgets", "singular": "widget", "shortNames": ["wd"]},
        },
    });
    let all = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    session.focus(&["/kind", "/metadata/name", "/spec/names", "/spec/conversion"]);
    session.post(all, definition).await;
    session.unfocus();
    let established = |_: u16, body: &Value| {
        let conditions = body["status"]["conditions"]
            .as_array()
            .into_iter()
            .flatten();
        conditions
            .into_iter()
            .any(|c| c["type"] == "Established" && c["status"] == "True")
    };
    session
        .wait(&format!("{all}/widgets.{group}"), established)
        .await;
    session
        .wait(&format!("/apis/{group}/v1/widgets"), |status, _| {
            status == 200
        })
        .await;
    format!("{all}/widgets.{group}")
}

fn version(properties: &Value, status: bool) -> Value {
    let mut version = json!({
        "name": "v1", "served": true, "storage": true,
        "schema": {"openAPIV3Schema": {
            "type": "object",
            "properties": {
                "spec": {"type": "object", "properties": properties},
                "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
            },
        }},
    });
    if status {
        version["subresources"] = json!({"status": {}});
    }
    version
}

fn widget(group: &str, name: &str, spec: &Value) -> Value {
    json!({"apiVersion": format!("{group}/v1"), "kind": "Widget", "metadata": {"name": name}, "spec": spec})
}

pub(super) async fn schemas(session: &Session) {
    let group = "schemas.conf.example.com";
    let properties = json!({
        "size": {"type": "integer", "default": 3},
        "nested": {"type": "object", "default": {}, "properties": {"on": {"type": "boolean", "default": true}}},
        "open": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
        "either": {"x-kubernetes-int-or-string": true},
        "list": {"type": "array", "items": {"type": "object", "properties": {"a": {"type": "string"}}}},
    });
    define(session, group, "Namespaced", version(&properties, false)).await;
    session.namespace("conf-schemas").await;
    let widgets = format!("/apis/{group}/v1/namespaces/conf-schemas/widgets");
    session
        .post(
            &widgets,
            widget(
                group,
                "one",
                &json!({
                    "pruned": 1, "open": {"kept": {"deep": null}}, "either": "10%",
                    "list": [{"a": "x", "pruned": true}, {}],
                }),
            ),
        )
        .await;
    session.get(&format!("{widgets}/one")).await;
    session
        .merge(
            &format!("{widgets}/one"),
            json!({"spec": {"size": null, "either": 5, "unknown": 1}}),
        )
        .await;
    session
        .post(
            &format!("{widgets}?fieldValidation=Strict"),
            widget(group, "two", &json!({"unknown": 1})),
        )
        .await;
    session.post(&widgets, json!({"apiVersion": format!("{group}/v1"), "kind": "Gadget", "metadata": {"name": "x"}})).await;
    let mut bare = widget(group, "bare", &Value::Null);
    bare.as_object_mut().map(|bare| bare.remove("spec"));
    bare["status"] = json!({"kept": true});
    session.post(&widgets, bare).await;
    session
        .put(&format!("{widgets}/one"), widget(group, "one", &json!({})))
        .await;
    session.get(&widgets).await;
}

pub(super) async fn validation(session: &Session) {
    let group = "validation.conf.example.com";
    let properties = json!({
        "name": {"type": "string", "minLength": 2, "pattern": "^[a-z]+$"},
        "kind": {"type": "string", "enum": ["a", "b"]},
        "count": {"type": "integer", "minimum": 1, "maximum": 5},
        "items": {"type": "array", "maxItems": 1, "items": {"type": "string"}},
        "inner": {"type": "object", "required": ["key"], "properties": {"key": {"type": "string"}}},
    });
    define(session, group, "Namespaced", version(&properties, false)).await;
    session.namespace("conf-validation").await;
    let widgets = format!("/apis/{group}/v1/namespaces/conf-validation/widgets");
    for spec in [
        json!({"name": "a"}),
        json!({"name": "UP"}),
        json!({"kind": "c"}),
        json!({"count": 0}),
        json!({"count": 9}),
        json!({"count": "3"}),
        json!({"items": ["a", "b"]}),
        json!({"inner": {}}),
        json!({"inner": null}),
        json!("text"),
        json!({"name": "ok", "kind": "a", "count": 3, "items": ["x"], "inner": {"key": "k"}}),
    ] {
        session.post(&widgets, widget(group, "one", &spec)).await;
    }
}

pub(super) async fn status_apart(session: &Session) {
    let group = "status.conf.example.com";
    let properties = json!({"size": {"type": "integer"}});
    define(session, group, "Namespaced", version(&properties, true)).await;
    session.namespace("conf-status").await;
    let widgets = format!("/apis/{group}/v1/namespaces/conf-status/widgets");
    let one = format!("{widgets}/one");
    let mut body = widget(group, "one", &json!({"size": 1}));
    body["status"] = json!({"ignored": true});
    session.post(&widgets, body).await;
    session
        .merge(
            &format!("{one}/status"),
            json!({"status": {"ready": true}, "spec": {"size": 9}}),
        )
        .await;
    session
        .merge(
            &one,
            json!({"status": {"ready": false}, "spec": {"size": 2}}),
        )
        .await;
    session
        .merge(&one, json!({"metadata": {"labels": {"a": "b"}}}))
        .await;
    let read = session.get(&format!("{one}/status")).await;
    session.put(&format!("{one}/status"), read).await;
    // Custom resources cannot be written without a version.
    session
        .put(&one, widget(group, "one", &json!({"size": 3})))
        .await;
    session.get(&one).await;
}

pub(super) async fn definitions(session: &Session) {
    let group = "definitions.conf.example.com";
    let definition = define(session, group, "Namespaced", version(&json!({}), false)).await;
    session.focus(&[
        "/kind",
        "/groupVersion",
        "/resources/0/name",
        "/resources/0/singularName",
        "/resources/0/namespaced",
        "/resources/0/kind",
        "/resources/0/verbs",
        "/resources/0/shortNames",
    ]);
    session.get(&format!("/apis/{group}/v1")).await;
    session.focus(&["/kind", "/name", "/versions", "/preferredVersion"]);
    session.get(&format!("/apis/{group}")).await;
    session.focus(&["/status/acceptedNames", "/status/storedVersions"]);
    session.get(&definition).await;
    session.focus(&["/kind", "/metadata/name"]);
    session.delete(&definition).await;
    session
        .wait(&format!("/apis/{group}/v1/widgets"), |status, _| {
            status == 404
        })
        .await;
    session.unfocus();
    session.get(&format!("/apis/{group}/v1/widgets")).await;
    session.get(&definition).await;
    let all = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    session
        .post(
            all,
            json!({
                "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
                "metadata": {"name": "wrong.name"},
                "spec": {
                    "group": group, "scope": "Namespaced", "versions": [version(&json!({}), false)],
                    "names": {"kind": "Widget", "plural": "widgets"},
                },
            }),
        )
        .await;
}

pub(super) async fn cluster_scope(session: &Session) {
    let group = "cluster.conf.example.com";
    define(
        session,
        group,
        "Cluster",
        version(&json!({"a": {"type": "string"}}), false),
    )
    .await;
    let widgets = format!("/apis/{group}/v1/widgets");
    session
        .post(&widgets, widget(group, "one", &json!({"a": "b"})))
        .await;
    let mut namespaced = widget(group, "two", &json!({}));
    namespaced["metadata"]["namespace"] = json!("default");
    session.post(&widgets, namespaced).await;
    session.get(&format!("{widgets}/one")).await;
    session
        .get(&format!("/apis/{group}/v1/namespaces/default/widgets/one"))
        .await;
    session.delete(&format!("{widgets}/one")).await;
}

pub(super) async fn apply_to_custom(session: &Session) {
    let group = "apply.conf.example.com";
    let properties = json!({
        "ports": {
            "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["port"],
            "items": {"type": "object", "required": ["port"], "properties": {
                "port": {"type": "integer"}, "name": {"type": "string"},
            }},
        },
        "tags": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
        "args": {"type": "array", "items": {"type": "string"}},
        "whole": {"type": "object", "x-kubernetes-map-type": "atomic", "additionalProperties": {"type": "string"}},
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
        "size": {"type": "integer", "default": 1},
    });
    define(session, group, "Namespaced", version(&properties, false)).await;
    session.namespace("conf-apply-custom").await;
    let one = format!("/apis/{group}/v1/namespaces/conf-apply-custom/widgets/one");
    let a = format!("{one}?fieldManager=a");
    let b = format!("{one}?fieldManager=b");
    session
        .apply(
            &a,
            widget(
                group,
                "one",
                &json!({
                    "ports": [{"port": 80, "name": "web"}], "tags": ["x", "y"], "args": ["1"],
                    "whole": {"k": "v"}, "free": {"deep": {"k": 1}},
                }),
            ),
        )
        .await;
    session
        .apply(
            &b,
            widget(
                group,
                "one",
                &json!({"ports": [{"port": 81}], "tags": ["y", "z"], "free": {"other": [1]}}),
            ),
        )
        .await;
    session
        .apply(&b, widget(group, "one", &json!({"whole": {"l": "w"}})))
        .await;
    session
        .apply(&b, widget(group, "one", &json!({"args": ["2"]})))
        .await;
    session
        .apply(&a, widget(group, "one", &json!({"tags": ["x"], "size": 2})))
        .await;
    session.strategic(&one, json!({"spec": {"size": 3}})).await;
    session
        .merge(
            &format!("{one}?fieldManager=editor"),
            json!({"spec": {"ports": [{"port": 90}]}}),
        )
        .await;
}
