//! Deletion as far as the server alone does it: nobody collects garbage here.

use serde_json::json;

use super::{Session, config_map, secret};

pub(super) async fn finalizers(session: &Session) {
    let maps = format!("{}/configmaps", session.namespace("conf-finalizers").await);
    let one = format!("{maps}/one");
    let mut body = config_map("one", json!({"a": "1"}));
    body["metadata"]["finalizers"] = json!(["example.com/a", "example.com/b"]);
    session.post(&maps, body).await;
    session.delete(&one).await;
    session.delete(&one).await;
    session.merge(&one, json!({"data": {"a": "2"}})).await;
    session
        .merge(
            &one,
            json!({"metadata": {"finalizers": ["example.com/a", "example.com/c"]}}),
        )
        .await;
    session
        .merge(&one, json!({"metadata": {"deletionTimestamp": null}}))
        .await;
    session
        .merge(&one, json!({"metadata": {"finalizers": ["example.com/a"]}}))
        .await;
    session
        .merge(&one, json!({"metadata": {"finalizers": null}}))
        .await;
    session.get(&one).await;
    let mut bad = config_map("bad", json!({}));
    bad["metadata"]["finalizers"] = json!(["bad finalizer!"]);
    session.post(&maps, bad).await;
}

pub(super) async fn propagation(session: &Session) {
    let maps = format!("{}/configmaps", session.namespace("conf-propagation").await);
    for policy in ["Foreground", "Orphan", "Background", "Sideways"] {
        let name = policy.to_lowercase();
        session.post(&maps, config_map(&name, json!({}))).await;
        session
            .delete_with(
                &format!("{maps}/{name}"),
                json!({"propagationPolicy": policy}),
            )
            .await;
        session.get(&format!("{maps}/{name}")).await;
    }
    session.post(&maps, config_map("query", json!({}))).await;
    session
        .delete(&format!(
            "{maps}/query?propagationPolicy=Foreground&gracePeriodSeconds=5"
        ))
        .await;
    session.get(&format!("{maps}/query")).await;
    session
        .delete_with(
            &format!("{maps}/query"),
            json!({"orphanDependents": true, "propagationPolicy": "Orphan"}),
        )
        .await;
}

pub(super) async fn collections(session: &Session) {
    let secrets = format!("{}/secrets", session.namespace("conf-collections").await);
    for (name, label) in [("a", "x"), ("b", "x"), ("c", "y")] {
        let mut body = secret(name, json!({}));
        body["metadata"]["labels"] = json!({"l": label});
        session.post(&secrets, body).await;
    }
    session.focus(&["/metadata/name"]);
    session
        .delete(&format!("{secrets}?labelSelector=l=x"))
        .await;
    session.get(&secrets).await;
    session.delete(&secrets).await;
    session.get(&secrets).await;
}

pub(super) async fn dry_run_of_delete(session: &Session) {
    let maps = format!("{}/configmaps", session.namespace("conf-delete-dry").await);
    session.post(&maps, config_map("one", json!({}))).await;
    session.delete(&format!("{maps}/one?dryRun=All")).await;
    session
        .delete_with(&format!("{maps}/one"), json!({"dryRun": ["All"]}))
        .await;
    session.get(&format!("{maps}/one")).await;
}
