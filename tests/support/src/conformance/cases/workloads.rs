//! Built-in kinds with defaults, generations and status.

use serde_json::{Value, json};

use super::Session;

fn deployment(name: &str) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
        "spec": {
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "web", "image": "web:1", "ports": [{"containerPort": 80}]}]},
            },
        },
    })
}

const ALL: &str = "/apis/apps/v1/namespaces";

pub(super) async fn defaults_of_a_deployment(session: &Session) {
    session.namespace("conf-defaults").await;
    session.focus(&["/apiVersion", "/kind", "/spec"]);
    session
        .post(
            &format!("{ALL}/conf-defaults/deployments"),
            deployment("web"),
        )
        .await;
    let mut bad = deployment("bad");
    bad["spec"]["template"]["metadata"]["labels"] = json!({"app": "other"});
    session
        .post(&format!("{ALL}/conf-defaults/deployments"), bad)
        .await;
    let mut bad = deployment("bad");
    bad["spec"]["replicas"] = json!("many");
    session
        .post(&format!("{ALL}/conf-defaults/deployments"), bad)
        .await;
}

pub(super) async fn generations(session: &Session) {
    session.namespace("conf-generations").await;
    let all = format!("{ALL}/conf-generations/deployments");
    let web = format!("{all}/web");
    session.focus(&[
        "/metadata/generation",
        "/metadata/resourceVersion",
        "/spec/replicas",
    ]);
    session.post(&all, deployment("web")).await;
    session
        .merge(&web, json!({"metadata": {"labels": {"a": "b"}}}))
        .await;
    session.merge(&web, json!({"spec": {"replicas": 2}})).await;
    session.merge(&web, json!({"spec": {"replicas": 2}})).await;
    session
        .merge(&web, json!({"status": {"replicas": 2}}))
        .await;
    session.focus(&["/spec", "/kind"]);
    session.get(&format!("{web}/scale")).await;
    session
        .merge(&format!("{web}/scale"), json!({"spec": {"replicas": 4}}))
        .await;
    session.unfocus();
    session
        .merge(
            &web,
            json!({"spec": {"selector": {"matchLabels": {"app": "x"}}}}),
        )
        .await;
}

pub(super) async fn status_of_a_deployment(session: &Session) {
    session.namespace("conf-deployment-status").await;
    let all = format!("{ALL}/conf-deployment-status/deployments");
    let web = format!("{all}/web");
    session.focus(&["/metadata/generation", "/spec/replicas", "/status"]);
    session.post(&all, deployment("web")).await;
    session
        .merge(
            &format!("{web}/status"),
            json!({"spec": {"replicas": 5}, "status": {"replicas": 1, "observedGeneration": 1}}),
        )
        .await;
    session.get(&format!("{web}/status")).await;
    session.get(&web).await;
}

pub(super) async fn services(session: &Session) {
    let services = format!("{}/services", session.namespace("conf-services").await);
    let body = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]},
    });
    session.focus(&["/spec", "/status"]);
    session.post(&services, body.clone()).await;
    session
        .merge(
            &format!("{services}/web"),
            json!({"spec": {"ports": [{"port": 81, "targetPort": "http"}]}}),
        )
        .await;
    let mut headless = body;
    headless["metadata"]["name"] = json!("headless");
    headless["spec"]["clusterIP"] = json!("None");
    session.post(&services, headless).await;
}
