//! Watches. Of Secrets, because full clusters put a ConfigMap everywhere.

use serde_json::json;

use super::{Session, secret, text};

async fn start(session: &Session, namespace: &str) -> (String, String) {
    let secrets = format!("{}/secrets", session.namespace(namespace).await);
    let first = session
        .post(&secrets, secret("first", json!({"a": "MA=="})))
        .await;
    let version = text(&first, "/metadata/resourceVersion").to_owned();
    (secrets, version)
}

pub(super) async fn from_a_version(session: &Session) {
    let (secrets, version) = start(session, "conf-watch").await;
    session
        .post(&secrets, secret("one", json!({"a": "MQ=="})))
        .await;
    session
        .merge(&format!("{secrets}/one"), json!({"data": {"a": "Mg=="}}))
        .await;
    session.delete(&format!("{secrets}/one")).await;
    session.delete(&format!("{secrets}/first")).await;
    session
        .watch(
            &format!("{secrets}?watch=true&resourceVersion={version}"),
            4,
        )
        .await;
}

pub(super) async fn by_label(session: &Session) {
    let (secrets, version) = start(session, "conf-watch-label").await;
    let mut body = secret("one", json!({}));
    body["metadata"]["labels"] = json!({"seen": "yes"});
    session.focus(&["/metadata/name", "/metadata/labels", "/data"]);
    session.post(&secrets, secret("never", json!({}))).await;
    session.post(&secrets, body).await;
    session
        .merge(&format!("{secrets}/one"), json!({"data": {"a": "MQ=="}}))
        .await;
    session
        .merge(
            &format!("{secrets}/one"),
            json!({"metadata": {"labels": {"seen": "no"}}}),
        )
        .await;
    session
        .merge(&format!("{secrets}/one"), json!({"data": {"a": "Mg=="}}))
        .await;
    session
        .merge(
            &format!("{secrets}/one"),
            json!({"metadata": {"labels": {"seen": "yes"}}}),
        )
        .await;
    session.delete(&format!("{secrets}/one")).await;
    let query = format!("watch=true&labelSelector=seen=yes&resourceVersion={version}");
    session.watch(&format!("{secrets}?{query}"), 5).await;
}

pub(super) async fn initial_events(session: &Session) {
    let (secrets, _) = start(session, "conf-watch-initial").await;
    session.focus(&["/kind", "/metadata/name", "/metadata/annotations", "/data"]);
    session
        .watch(&format!("{secrets}?watch=true&resourceVersion=0"), 1)
        .await;
    session.watch(&format!("{secrets}?watch=true"), 1).await;
    let query = "watch=true&allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan";
    session.watch(&format!("{secrets}?{query}"), 2).await;
    session
        .watch(&format!("{secrets}?watch=true&sendInitialEvents=true"), 1)
        .await;
    session
        .watch(
            &format!("{secrets}?watch=true&timeoutSeconds=1&resourceVersion=0"),
            2,
        )
        .await;
}

pub(super) async fn too_old(session: &Session) {
    let (secrets, _) = start(session, "conf-watch-old").await;
    session.focus(&["/kind", "/status", "/reason", "/code"]);
    session
        .watch(&format!("{secrets}?watch=true&resourceVersion=1"), 1)
        .await;
    session
        .watch(&format!("{secrets}?watch=true&resourceVersion=words"), 1)
        .await;
}

pub(super) async fn by_name(session: &Session) {
    let (secrets, version) = start(session, "conf-watch-name").await;
    session.focus(&["/metadata/name", "/data"]);
    session.post(&secrets, secret("other", json!({}))).await;
    session
        .merge(&format!("{secrets}/first"), json!({"data": {"a": "MQ=="}}))
        .await;
    let query = format!("watch=true&fieldSelector=metadata.name=first&resourceVersion={version}");
    session.watch(&format!("{secrets}?{query}"), 1).await;
}
