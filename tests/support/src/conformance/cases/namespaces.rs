//! Namespaces.

use serde_json::json;

use super::{Session, config_map};

pub(super) async fn life_of_a_namespace(session: &Session) {
    let body = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "conf-ns", "labels": {"a": "b"}}});
    session.post("/api/v1/namespaces", body.clone()).await;
    session.post("/api/v1/namespaces", body).await;
    session.get("/api/v1/namespaces/conf-ns").await;
    session
        .merge(
            "/api/v1/namespaces/conf-ns",
            json!({"metadata": {"labels": {"a": null, "kubernetes.io/metadata.name": "x"}}}),
        )
        .await;
    session
        .post(
            "/api/v1/namespaces",
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "Bad"}}),
        )
        .await;
    session.focus(&["/metadata/name", "/status"]);
    session
        .get("/api/v1/namespaces?fieldSelector=metadata.name=conf-ns")
        .await;
    session
        .get("/api/v1/namespaces?fieldSelector=metadata.name=conf-ns,status.phase=Active")
        .await;
    session.get("/api/v1/namespaces/default").await;
    session.get("/api/v1/namespaces/kube-system").await;
    session.unfocus();
    session.delete("/api/v1/namespaces/default").await;
}

pub(super) async fn terminating(session: &Session) {
    let namespace = session.namespace("conf-terminating").await;
    // The namespace controller of a full cluster would finish it; here an object holds it.
    let maps = format!("{namespace}/configmaps");
    let mut held = config_map("held", json!({}));
    held["metadata"]["finalizers"] = json!(["example.com/a"]);
    session.focus(&["/metadata/name", "/metadata/finalizers"]);
    session.post(&maps, held).await;
    session.focus(&["/kind", "/metadata/name", "/spec", "/status/phase"]);
    session.delete(&namespace).await;
    session.unfocus();
    session.post(&maps, config_map("late", json!({}))).await;
    session.focus(&["/spec", "/status/phase"]);
    session.get(&namespace).await;
}
