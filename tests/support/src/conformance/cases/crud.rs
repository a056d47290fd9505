//! Creating, reading, updating and deleting.

use http::Method;
use serde_json::json;

use super::{Session, config_map, text};

pub(super) async fn life_of_a_config_map(session: &Session) {
    let namespace = session.namespace("conf-crud").await;
    let maps = format!("{namespace}/configmaps");
    let one = format!("{maps}/one");
    session.get(&one).await;
    session
        .post(&maps, config_map("one", json!({"a": "1"})))
        .await;
    session
        .post(&maps, config_map("one", json!({"a": "2"})))
        .await;
    let mut read = session.get(&one).await;
    read["data"]["b"] = json!("2");
    session.put(&one, read.clone()).await;
    read["metadata"]["labels"] = json!({"x": "y"});
    read["metadata"]
        .as_object_mut()
        .map(|metadata| metadata.remove("resourceVersion"));
    session.put(&one, read).await;
    session
        .get(&format!("{maps}?fieldSelector=metadata.name=one"))
        .await;
    session.delete(&one).await;
    session.delete(&one).await;
    session.get(&one).await;
    session
        .get(&format!("{maps}?fieldSelector=metadata.name=one"))
        .await;
}

pub(super) async fn refusals(session: &Session) {
    let namespace = session.namespace("conf-refusals").await;
    let maps = format!("{namespace}/configmaps");
    session
        .post(&maps, json!({"apiVersion": "v1", "kind": "ConfigMap"}))
        .await;
    session
        .post(&maps, config_map("Not_A_Name", json!({})))
        .await;
    session
        .post(
            &maps,
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}}),
        )
        .await;
    session
        .post(
            &maps,
            json!({"apiVersion": "v2", "kind": "ConfigMap", "metadata": {"name": "a"}}),
        )
        .await;
    let mut elsewhere = config_map("a", json!({}));
    elsewhere["metadata"]["namespace"] = json!("other");
    session.post(&maps, elsewhere).await;
    let mut labelled = config_map("a", json!({}));
    labelled["metadata"]["labels"] = json!({"bad key!": "v"});
    session.post(&maps, labelled).await;
    let mut versioned = config_map("a", json!({}));
    versioned["metadata"]["resourceVersion"] = json!("5");
    session.post(&maps, versioned).await;
    session
        .post(&maps, config_map("a", json!({"bad key!": "v"})))
        .await;
    session
        .post(
            "/api/v1/namespaces/conf-nowhere/configmaps",
            config_map("a", json!({})),
        )
        .await;
    session
        .get("/api/v1/namespaces/conf-nowhere/configmaps")
        .await;
    session.get(&format!("{namespace}/unknowns")).await;
    session
        .get("/apis/apps/v1/namespaces/default/unknowns/x")
        .await;
    session
        .put(&format!("{maps}/missing"), config_map("missing", json!({})))
        .await;
    session
        .put(&format!("{maps}/missing"), config_map("other", json!({})))
        .await;
    session.put(&maps, config_map("a", json!({}))).await;
    session
        .post(&format!("{maps}/a"), config_map("a", json!({})))
        .await;
    session
        .post("/api/v1/configmaps", config_map("a", json!({})))
        .await;
    session
        .send(Method::POST, &maps, Some("text/plain"), json!("x"))
        .await;
}

pub(super) async fn generated_names(session: &Session) {
    let namespace = session.namespace("conf-generate").await;
    let maps = format!("{namespace}/configmaps");
    let body =
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "gen-"}});
    session.focus(&["/kind", "/metadata/generateName"]);
    let first = session.post(&maps, body.clone()).await;
    let second = session.post(&maps, body).await;
    let (first, second) = (
        text(&first, "/metadata/name"),
        text(&second, "/metadata/name"),
    );
    session.note(
        "names",
        &json!({
            "differ": first != second,
            "lengths": [first.len(), second.len()],
            "prefix": first.starts_with("gen-"),
        }),
    );
    let mut both = config_map("named", json!({}));
    both["metadata"]["generateName"] = json!("other-");
    session.unfocus();
    session.post(&maps, both).await;
}

pub(super) async fn secrets(session: &Session) {
    let namespace = session.namespace("conf-secrets").await;
    let secrets = format!("{namespace}/secrets");
    let body = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "one"},
        "data": {"a": "YQ=="}, "stringData": {"b": "text"},
    });
    session.post(&secrets, body).await;
    session
        .merge(
            &format!("{secrets}/one"),
            json!({"stringData": {"a": "changed"}}),
        )
        .await;
    session
        .merge(&format!("{secrets}/one"), json!({"type": "other"}))
        .await;
    session
        .merge(&format!("{secrets}/one"), json!({"immutable": true}))
        .await;
    session
        .merge(&format!("{secrets}/one"), json!({"data": {"c": "Yw=="}}))
        .await;
    session.post(&secrets, json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "bad"}, "data": {"a": "%"},
    })).await;
}

pub(super) async fn owners(session: &Session) {
    let namespace = session.namespace("conf-owners").await;
    let maps = format!("{namespace}/configmaps");
    let owner = session.post(&maps, config_map("owner", json!({}))).await;
    let mut owned = config_map("owned", json!({}));
    owned["metadata"]["ownerReferences"] = json!([{
        "apiVersion": "v1", "kind": "ConfigMap", "name": "owner",
        "uid": text(&owner, "/metadata/uid"), "controller": true,
    }]);
    session.post(&maps, owned.clone()).await;
    owned["metadata"]["name"] = json!("two");
    owned["metadata"]["ownerReferences"] = json!([
        {"apiVersion": "v1", "kind": "ConfigMap", "name": "a", "uid": "1", "controller": true},
        {"apiVersion": "v1", "kind": "ConfigMap", "name": "b", "uid": "2", "controller": true},
    ]);
    session.post(&maps, owned.clone()).await;
    owned["metadata"]["ownerReferences"] =
        json!([{"apiVersion": "v1", "kind": "ConfigMap", "name": "a"}]);
    session.post(&maps, owned).await;
}

pub(super) async fn dry_run(session: &Session) {
    let namespace = session.namespace("conf-dry").await;
    let maps = format!("{namespace}/configmaps");
    session
        .post(
            &format!("{maps}?dryRun=All"),
            config_map("one", json!({"a": "1"})),
        )
        .await;
    session.get(&format!("{maps}/one")).await;
    session
        .post(&format!("{maps}?dryRun=Some"), config_map("one", json!({})))
        .await;
    session
        .post(&maps, config_map("one", json!({"a": "1"})))
        .await;
    session
        .merge(
            &format!("{maps}/one?dryRun=All"),
            json!({"data": {"a": "2"}}),
        )
        .await;
    session
        .put(
            &format!("{maps}/one?dryRun=All"),
            config_map("one", json!({"a": "3"})),
        )
        .await;
    session
        .post(&format!("{maps}?dryRun=All"), config_map("one", json!({})))
        .await;
    session.get(&format!("{maps}/one")).await;
}

pub(super) async fn metadata_is_kept(session: &Session) {
    let namespace = session.namespace("conf-metadata").await;
    let maps = format!("{namespace}/configmaps");
    let mut body = config_map("one", json!({}));
    body["metadata"]["uid"] = json!("mine");
    body["metadata"]["creationTimestamp"] = json!("2020-01-01T00:00:00Z");
    body["metadata"]["generation"] = json!(7);
    body["metadata"]["annotations"] = json!({"a": "b"});
    body["metadata"]["unknown"] = json!("dropped");
    body["extra"] = json!("dropped");
    session.post(&maps, body.clone()).await;
    body["metadata"] = json!({"name": "one", "uid": "mine"});
    session.put(&format!("{maps}/one"), body).await;
    session
        .merge(
            &format!("{maps}/one"),
            json!({"metadata": {"creationTimestamp": null, "uid": null}}),
        )
        .await;
    session
        .merge(&format!("{maps}/one"), json!({"metadata": {"name": "two"}}))
        .await;
    let strict =
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "s"}, "extra": 1});
    session
        .post(&format!("{maps}?fieldValidation=Strict"), strict)
        .await;
}
