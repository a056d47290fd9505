//! Lists: selectors, pages, versions.

use serde_json::json;

use super::{Session, config_map, text};

async fn fill(session: &Session, namespace: &str) -> String {
    let maps = format!("{}/configmaps", session.namespace(namespace).await);
    session.focus(&["/metadata/name", "/metadata/labels"]);
    for (name, labels) in [
        ("a", json!({"env": "prod", "tier": "one"})),
        ("c", json!({"env": "dev"})),
        ("b", json!({"env": "prod"})),
        ("d", json!({})),
    ] {
        let mut body = config_map(name, json!({}));
        body["metadata"]["labels"] = labels;
        session.post(&maps, body).await;
    }
    maps
}

pub(super) async fn selectors(session: &Session) {
    let maps = fill(session, "conf-selectors").await;
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
            .get(&format!("{maps}?labelSelector={selector}"))
            .await;
    }
    session.get(&format!("{maps}?labelSelector=env%20in")).await;
    session
        .get(&format!("{maps}?labelSelector=bad%20key!"))
        .await;
}

pub(super) async fn field_selectors(session: &Session) {
    let maps = fill(session, "conf-fields").await;
    for selector in [
        "metadata.name=a",
        "metadata.name!=a",
        "metadata.namespace=conf-fields",
        "metadata.name=a,metadata.namespace=other",
        "metadata.name=none",
    ] {
        session
            .get(&format!("{maps}?fieldSelector={selector}"))
            .await;
    }
    session.get(&format!("{maps}?fieldSelector=data.a=1")).await;
    session.get(&format!("{maps}?fieldSelector=nonsense")).await;
}

pub(super) async fn pages(session: &Session) {
    let maps = fill(session, "conf-pages").await;
    session.unfocus();
    let first = session.get(&format!("{maps}?limit=2")).await;
    let token = text(&first, "/metadata/continue").to_owned();
    session.hide(&token, "<token>");
    session
        .get(&format!("{maps}?limit=2&continue={token}"))
        .await;
    session.get(&format!("{maps}?limit=10")).await;
    session
        .get(&format!("{maps}?limit=1&labelSelector=env=dev"))
        .await;
    session
        .get(&format!("{maps}?limit=1&continue=nonsense"))
        .await;
}

pub(super) async fn across_namespaces(session: &Session) {
    let mut body = config_map("same", json!({}));
    body["metadata"]["labels"] = json!({"conf": "across"});
    for namespace in ["conf-across-b", "conf-across-a"] {
        let maps = format!("{}/configmaps", session.namespace(namespace).await);
        session.post(&maps, body.clone()).await;
    }
    session
        .get("/api/v1/configmaps?labelSelector=conf=across")
        .await;
    session
        .get("/api/v1/configmaps?labelSelector=conf=nobody")
        .await;
}

pub(super) async fn versions_of_lists(session: &Session) {
    let maps = fill(session, "conf-versions").await;
    session.get(&format!("{maps}?resourceVersion=0")).await;
    session
        .get(&format!(
            "{maps}?resourceVersion=0&resourceVersionMatch=NotOlderThan"
        ))
        .await;
    session
        .get(&format!("{maps}?resourceVersionMatch=Exact"))
        .await;
    session
        .get(&format!(
            "{maps}?resourceVersion=0&resourceVersionMatch=Exact"
        ))
        .await;
    session.get(&format!("{maps}?resourceVersion=words")).await;
    session.get(&format!("{maps}/a?resourceVersion=0")).await;
}
