//! What a server says about itself.

use serde_json::json;

use super::Session;

pub(super) async fn versions(session: &Session) {
    session.get("/healthz").await;
    session.get("/livez").await;
    session.get("/readyz").await;
    session.focus(&["/major", "/minor", "/platform"]);
    session.get("/version").await;
    session.focus(&["/kind", "/versions"]);
    session.get("/api").await;
    session.focus(&["/kind", "/apiVersion", "/name", "/preferredVersion"]);
    session.get("/apis/apps").await;
    session.get("/apis/batch").await;
    session.unfocus();
    session.get("/apis/unknown.example.com").await;
    session.get("/apis/unknown.example.com/v1").await;
    session.get("/api/v2").await;
}

pub(super) async fn resources(session: &Session) {
    session.focus(&["/kind", "/apiVersion", "/groupVersion"]);
    let core = session.get("/api/v1").await;
    let apps = session.get("/apis/apps/v1").await;
    let batch = session.get("/apis/batch/v1").await;
    session.unfocus();
    // Only kinds that every server in question has; order and storage hashes are its own.
    let wanted = [
        (&core, "configmaps"),
        (&core, "namespaces"),
        (&core, "namespaces/finalize"),
        (&core, "namespaces/status"),
        (&core, "pods"),
        (&core, "secrets"),
        (&core, "serviceaccounts"),
        (&core, "services"),
        (&core, "events"),
        (&apps, "deployments"),
        (&apps, "deployments/scale"),
        (&apps, "deployments/status"),
        (&apps, "replicasets"),
        (&batch, "jobs"),
    ];
    for (list, name) in wanted {
        let resources = list["resources"].as_array().into_iter().flatten();
        let mut found = resources
            .into_iter()
            .find(|resource| resource["name"] == name)
            .cloned();
        if let Some(object) = found.as_mut().and_then(serde_json::Value::as_object_mut) {
            object.remove("storageVersionHash");
        }
        session.note(&format!("resource {name}"), &json!(found));
    }
}

pub(super) async fn reviews(session: &Session) {
    let review = json!({
        "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": {"verb": "list", "resource": "configmaps", "namespace": "default"}},
    });
    session.focus(&["/kind", "/spec", "/status/allowed"]);
    session
        .post(
            "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
            review,
        )
        .await;
    let review = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"});
    session.focus(&["/kind"]);
    session
        .post("/apis/authentication.k8s.io/v1/selfsubjectreviews", review)
        .await;
}
