//! Lists: selectors, pages, versions. Of Secrets, because full clusters put a ConfigMap everywhere.

use serde_json::json;

use super::{Session, secret, text};

async fn fill(session: &Session, namespace: &str) -> String {
    let secrets = format!("{}/secrets", session.namespace(namespace).await);
    session.focus(&["/metadata/name", "/metadata/labels"]);
    for (name, labels) in [
        ("a", json!({"env": "prod", "tier": "one"})),
        ("c", json!({"env": "dev"})),
        ("b", json!({"env": "prod"})),
        ("d", json!({})),
    ] {
        let mut body = secret(name, json!({}));
        body["metadata"]["labels"] = labels;
        session.post(&secrets, body).await;
    }
    secrets
}

pub(super) async fn selectors(session: &Session) {
    let secrets = fill(session, "conf-selectors").await;
    for selector in [
        "env=prod",
        "env==prod",
        "env!=prod",
        "env",
        "!env",
        "env%20in%20(prod,dev)",
        "env%20notin%20(prod)",
        "env=prod,tier=one",
        "env=prod,!tier",
        "env=",
        "",
    ] {
        session
            .get(&format!("{secrets}?labelSelector={selector}"))
            .await;
    }
    session
        .get(&format!("{secrets}?labelSelector=env%20in"))
        .await;
    session
        .get(&format!("{secrets}?labelSelector=bad%20key!"))
        .await;
}

pub(super) async fn field_selectors(session: &Session) {
    let secrets = fill(session, "conf-fields").await;
    for selector in [
        "metadata.name=a",
        "metadata.name!=a",
        "metadata.namespace=conf-fields",
        "metadata.name=a,metadata.namespace=other",
        "metadata.name=none",
    ] {
        session
            .get(&format!("{secrets}?fieldSelector={selector}"))
            .await;
    }
    session
        .get(&format!("{secrets}?fieldSelector=data.a=1"))
        .await;
    session
        .get(&format!("{secrets}?fieldSelector=nonsense"))
        .await;
}

pub(super) async fn pages(session: &Session) {
    let secrets = fill(session, "conf-pages").await;
    session.unfocus();
    let first = session.get(&format!("{secrets}?limit=2")).await;
    let token = text(&first, "/metadata/continue").to_owned();
    session.hide(&token, "<token>");
    session
        .get(&format!("{secrets}?limit=2&continue={token}"))
        .await;
    session.get(&format!("{secrets}?limit=10")).await;
    session
        .get(&format!("{secrets}?limit=1&labelSelector=env=dev"))
        .await;
    session
        .get(&format!("{secrets}?limit=1&continue=nonsense"))
        .await;
}

pub(super) async fn across_namespaces(session: &Session) {
    let mut body = secret("same", json!({}));
    body["metadata"]["labels"] = json!({"conf": "across"});
    for namespace in ["conf-across-b", "conf-across-a"] {
        let secrets = format!("{}/secrets", session.namespace(namespace).await);
        session.post(&secrets, body.clone()).await;
    }
    session
        .get("/api/v1/secrets?labelSelector=conf=across")
        .await;
    session
        .get("/api/v1/secrets?labelSelector=conf=nobody")
        .await;
}

pub(super) async fn versions_of_lists(session: &Session) {
    let secrets = fill(session, "conf-versions").await;
    // What a server knows without asking may be older than what was just written; this waits for it.
    session.get(&secrets).await;
    session.get(&format!("{secrets}?resourceVersion=0")).await;
    session
        .get(&format!(
            "{secrets}?resourceVersion=0&resourceVersionMatch=NotOlderThan"
        ))
        .await;
    session
        .get(&format!("{secrets}?resourceVersionMatch=Exact"))
        .await;
    session
        .get(&format!(
            "{secrets}?resourceVersion=0&resourceVersionMatch=Exact"
        ))
        .await;
    session
        .get(&format!("{secrets}?resourceVersion=words"))
        .await;
    session.get(&format!("{secrets}/a?resourceVersion=0")).await;
}
