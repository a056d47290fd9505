//! Watches.

use serde_json::json;

use super::{Session, config_map, text};

async fn start(session: &Session, namespace: &str) -> (String, String) {
    let maps = format!("{}/configmaps", session.namespace(namespace).await);
    let first = session
        .post(&maps, config_map("first", json!({"a": "0"})))
        .await;
    let version = text(&first, "/metadata/resourceVersion").to_owned();
    (maps, version)
}

pub(super) async fn from_a_version(session: &Session) {
    let (maps, version) = start(session, "conf-watch").await;
    session
        .post(&maps, config_map("one", json!({"a": "1"})))
        .await;
    session
        .merge(&format!("{maps}/one"), json!({"data": {"a": "2"}}))
        .await;
    session.delete(&format!("{maps}/one")).await;
    session.delete(&format!("{maps}/first")).await;
    session
        .watch(&format!("{maps}?watch=true&resourceVersion={version}"), 4)
        .await;
}

pub(super) async fn by_label(session: &Session) {
    let (maps, version) = start(session, "conf-watch-label").await;
    let mut body = config_map("one", json!({}));
    body["metadata"]["labels"] = json!({"seen": "yes"});
    session.focus(&["/metadata/name", "/metadata/labels", "/data"]);
    session.post(&maps, config_map("never", json!({}))).await;
    session.post(&maps, body).await;
    session
        .merge(&format!("{maps}/one"), json!({"data": {"a": "1"}}))
        .await;
    session
        .merge(
            &format!("{maps}/one"),
            json!({"metadata": {"labels": {"seen": "no"}}}),
        )
        .await;
    session
        .merge(&format!("{maps}/one"), json!({"data": {"a": "2"}}))
        .await;
    session
        .merge(
            &format!("{maps}/one"),
            json!({"metadata": {"labels": {"seen": "yes"}}}),
        )
        .await;
    session.delete(&format!("{maps}/one")).await;
    let query = format!("watch=true&labelSelector=seen=yes&resourceVersion={version}");
    session.watch(&format!("{maps}?{query}"), 5).await;
}

pub(super) async fn initial_events(session: &Session) {
    let (maps, _) = start(session, "conf-watch-initial").await;
    session.focus(&["/kind", "/metadata/name", "/metadata/annotations", "/data"]);
    session
        .watch(&format!("{maps}?watch=true&resourceVersion=0"), 1)
        .await;
    session.watch(&format!("{maps}?watch=true"), 1).await;
    let query = "watch=true&allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan";
    session.watch(&format!("{maps}?{query}"), 2).await;
    session
        .watch(&format!("{maps}?watch=true&sendInitialEvents=true"), 1)
        .await;
    session
        .watch(
            &format!("{maps}?watch=true&timeoutSeconds=1&resourceVersion=0"),
            2,
        )
        .await;
}

pub(super) async fn too_old(session: &Session) {
    let (maps, _) = start(session, "conf-watch-old").await;
    session.focus(&["/kind", "/status", "/reason", "/code"]);
    session
        .watch(&format!("{maps}?watch=true&resourceVersion=1"), 1)
        .await;
    session
        .watch(&format!("{maps}?watch=true&resourceVersion=words"), 1)
        .await;
}

pub(super) async fn by_name(session: &Session) {
    let (maps, version) = start(session, "conf-watch-name").await;
    session.focus(&["/metadata/name", "/data"]);
    session.post(&maps, config_map("other", json!({}))).await;
    session
        .merge(&format!("{maps}/first"), json!({"data": {"a": "1"}}))
        .await;
    let query = format!("watch=true&fieldSelector=metadata.name=first&resourceVersion={version}");
    session.watch(&format!("{maps}?{query}"), 1).await;
}
