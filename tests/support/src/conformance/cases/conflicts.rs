//! Optimistic concurrency.

use serde_json::json;

use super::{Session, config_map, text};

pub(super) async fn stale_versions(session: &Session) {
    let namespace = session.namespace("conf-stale").await;
    let maps = format!("{namespace}/configmaps");
    let one = format!("{maps}/one");
    let mut old = session
        .post(&maps, config_map("one", json!({"a": "1"})))
        .await;
    session.merge(&one, json!({"data": {"a": "2"}})).await;
    old["data"]["a"] = json!("3");
    session.put(&one, old.clone()).await;
    let version = text(&old, "/metadata/resourceVersion");
    session
        .merge(
            &one,
            json!({"metadata": {"resourceVersion": version}, "data": {"a": "4"}}),
        )
        .await;
    session
        .put(&one, {
            let mut other = config_map("one", json!({}));
            other["metadata"]["uid"] = json!("other");
            other
        })
        .await;
    session.get(&one).await;
}

pub(super) async fn preconditions(session: &Session) {
    let namespace = session.namespace("conf-preconditions").await;
    let maps = format!("{namespace}/configmaps");
    let one = format!("{maps}/one");
    let created = session
        .post(&maps, config_map("one", json!({"a": "1"})))
        .await;
    session.merge(&one, json!({"data": {"a": "2"}})).await;
    session.focus(&["/kind", "/status"]);
    let uid = text(&created, "/metadata/uid").to_owned();
    session
        .delete_with(&one, json!({"preconditions": {"uid": "other"}}))
        .await;
    session.focus(&[]);
    session.get(&one).await;
    session.unfocus();
    session
        .delete_with(&one, json!({"preconditions": {"uid": uid}}))
        .await;
    session.get(&one).await;
}

pub(super) async fn writes_that_change_nothing(session: &Session) {
    let namespace = session.namespace("conf-nothing").await;
    let maps = format!("{namespace}/configmaps");
    let one = format!("{maps}/one");
    let created = session
        .post(&maps, config_map("one", json!({"a": "1"})))
        .await;
    session.focus(&["/metadata/resourceVersion", "/metadata/managedFields"]);
    session.put(&one, created).await;
    session.merge(&one, json!({"data": {"a": "1"}})).await;
    session.merge(&one, json!({})).await;
    let applied = config_map("one", json!({"a": "1"}));
    session
        .apply(&format!("{one}?fieldManager=m"), applied.clone())
        .await;
    session
        .apply(&format!("{one}?fieldManager=m"), applied)
        .await;
    session.merge(&one, json!({"data": {"a": "2"}})).await;
}
