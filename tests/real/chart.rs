//! What the chart becomes by its values, and that a cluster takes it under restricted Pod Security.

use argosy_test_support::ControlPlane;
use kube::api::PostParams;
use serde_json::{Value, json};

use crate::deploy::{api, apply, chart, pod, template};

/// The kinds of others, which an API server serves only once their definitions are installed.
const OTHERS: [&str; 3] = ["HTTPRoute", "PrometheusRule", "ServiceMonitor"];

#[tokio::test(flavor = "multi_thread")]
async fn all_that_the_chart_can_be_told_is_as_reviewed_and_accepted() {
    let values = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/real/chart/everything.yaml"
    );
    let objects = chart(&["--namespace", "everything", "--values", values]);
    // What is a copy of something else in the project is reviewed there.
    let is_copied = |object: &&Value| {
        let kind = object["kind"].as_str().unwrap();
        ["CustomResourceDefinition", "PrometheusRule"].contains(&kind)
            || object["metadata"]["labels"]["grafana_dashboard"] == "1"
    };
    let own: Vec<_> = objects.iter().filter(|object| !is_copied(object)).collect();
    insta::assert_yaml_snapshot!("everything", own);

    let plane = ControlPlane::shared(1).await;
    let client = plane.client(0);
    let label = json!({"pod-security.kubernetes.io/enforce": "restricted"});
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace",
                           "metadata": {"name": "everything", "labels": label}});
    apply(&client, &namespace).await;
    let is_served = |object: &&Value| !OTHERS.contains(&object["kind"].as_str().unwrap());
    for object in objects.iter().filter(is_served) {
        apply(&client, object).await;
    }
    let pod = pod(&objects);
    let pods = api(&client, &pod);
    let pod = serde_json::from_value(pod).unwrap();
    pods.create(&PostParams::default(), &pod).await.unwrap();
}

#[test]
fn what_cannot_be_together_is_refused_with_the_reason() {
    for (values, reason) in [
        (
            "rbac.mode=narrow,hub.anyNamespace=true",
            "hub.anyNamespace: with rbac.mode narrow",
        ),
        (
            "replicas=2,cache.type=persistentVolumeClaim",
            "hubs cannot share a volume",
        ),
        (
            "autoscaling.enabled=true,cache.type=persistentVolumeClaim",
            "hubs cannot share a volume",
        ),
        ("ingress.enabled=true", "ingress.host"),
        ("httpRoute.enabled=true", "httpRoute.parentRefs"),
        ("absent=1", "additional properties 'absent' not allowed"),
    ] {
        let output = template(&["--set", values]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            !output.status.success() && said.contains(reason),
            "{values}: {said}"
        );
    }
}
