//! Patches that are not applies.

use serde_json::json;

use super::{Session, config_map};

pub(super) async fn merge_patches(session: &Session) {
    let maps = format!("{}/configmaps", session.namespace("conf-merge").await);
    let one = format!("{maps}/one");
    session
        .post(&maps, config_map("one", json!({"a": "1", "b": "2"})))
        .await;
    session
        .merge(
            &one,
            json!({"data": {"a": null, "c": "3"}, "metadata": {"labels": {"x": "y"}}}),
        )
        .await;
    session
        .merge(&one, json!({"metadata": {"labels": null}}))
        .await;
    session.merge(&one, json!({"data": null})).await;
    session.merge(&one, json!({"data": {"a": 1}})).await;
    session.merge(&format!("{maps}/missing"), json!({})).await;
}

pub(super) async fn json_patches(session: &Session) {
    let maps = format!("{}/configmaps", session.namespace("conf-json").await);
    let one = format!("{maps}/one");
    session
        .post(&maps, config_map("one", json!({"a": "1", "b": "2"})))
        .await;
    session
        .json_patch(
            &one,
            json!([
                {"op": "test", "path": "/data/a", "value": "1"},
                {"op": "replace", "path": "/data/a", "value": "2"},
                {"op": "remove", "path": "/data/b"},
                {"op": "add", "path": "/data/c", "value": "3"},
                {"op": "copy", "from": "/data/c", "path": "/data/d"},
                {"op": "move", "from": "/data/d", "path": "/data/e"},
                {"op": "add", "path": "/metadata/labels", "value": {"a~b": "c"}},
            ]),
        )
        .await;
    session
        .json_patch(
            &one,
            json!([{"op": "test", "path": "/data/a", "value": "9"}]),
        )
        .await;
    session
        .json_patch(&one, json!([{"op": "remove", "path": "/data/missing"}]))
        .await;
    session
        .json_patch(
            &one,
            json!([{"op": "replace", "path": "/data/missing", "value": "1"}]),
        )
        .await;
    session.json_patch(&one, json!({"data": {}})).await;
    session.get(&one).await;
}

pub(super) async fn strategic_patches(session: &Session) {
    session.namespace("conf-strategic").await;
    let all = "/apis/apps/v1/namespaces/conf-strategic/deployments";
    let web = format!("{all}/web");
    let containers = "/spec/template/spec/containers";
    session.focus(&[
        "/metadata/labels",
        "/metadata/finalizers",
        "/spec/template/spec/containers",
        "/spec/template/spec/volumes",
    ]);
    session.post(all, json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "web", "labels": {"a": "1"}, "finalizers": ["example.com/a"]},
        "spec": {
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "one", "image": "one:1", "env": [{"name": "A", "value": "1"}]}]},
            },
        },
    })).await;
    let patch = |spec: serde_json::Value| json!({"spec": {"template": {"spec": spec}}});
    session.strategic(&web, patch(json!({"containers": [{"name": "one", "image": "one:2"}, {"name": "two", "image": "two:1"}]}))).await;
    session
        .strategic(
            &web,
            patch(json!({"containers": [{"name": "one", "env": [{"name": "B", "value": "2"}]}]})),
        )
        .await;
    session
        .strategic(
            &web,
            patch(json!({"containers": [{"name": "two", "$patch": "delete"}]})),
        )
        .await;
    session.strategic(&web, patch(json!({"containers": [{"$patch": "replace"}, {"name": "three", "image": "three:1"}]}))).await;
    session
        .strategic(
            &web,
            json!({"metadata": {"labels": {"a": null, "b": "2"}, "finalizers": ["example.com/b"]}}),
        )
        .await;
    session
        .strategic(
            &web,
            json!({"metadata": {"$deleteFromPrimitiveList/finalizers": ["example.com/a"]}}),
        )
        .await;
    session
        .strategic(&web, patch(json!({"containers": [{"image": "nameless"}]})))
        .await;
    session.note("looked at", &json!(containers));
}

pub(super) async fn refusals_of_patches(session: &Session) {
    let maps = format!(
        "{}/configmaps",
        session.namespace("conf-patch-refused").await
    );
    let one = format!("{maps}/one");
    session.post(&maps, config_map("one", json!({}))).await;
    session
        .send(
            http::Method::PATCH,
            &one,
            Some("application/json"),
            json!({}),
        )
        .await;
    session
        .send(http::Method::PATCH, &one, Some("text/plain"), json!({}))
        .await;
    session.merge(&one, json!(["no object"])).await;
    session.merge(&one, json!({"kind": "Secret"})).await;
    session
        .merge(&one, json!({"metadata": {"namespace": "other"}}))
        .await;
    session.merge(&maps, json!({})).await;
}
