//! The real kube-apiserver accepts the CRDs and keeps objects with every field set as they are.

#![expect(
    clippy::unwrap_used,
    reason = "what a test reads is there, or the test fails"
)]

use std::time::Duration;

use argosy_crds::{AppProject, Application, ApplicationSet};
use argosy_test_support::{ControlPlane, differences};
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Api, Patch, PatchParams, PostParams};
use kube::{Client, Resource, ResourceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

async fn install(client: &Client) {
    let api: Api<CustomResourceDefinition> = Api::all(client.clone());
    for (file, definition) in argosy_crds::manifest::custom_resource_definitions() {
        let name = definition["metadata"]["name"].as_str().unwrap().to_owned();
        let parameters = PatchParams::apply("test").force();
        api.patch(&name, &parameters, &Patch::Apply(&definition))
            .await
            .unwrap();
        loop {
            let status = api.get(&name).await.unwrap().status.unwrap_or_default();
            let conditions = status.conditions.unwrap_or_default();
            let is = |kind: &str| {
                conditions
                    .iter()
                    .any(|c| c.type_ == kind && c.status == "True")
            };
            assert!(!is("NonStructuralSchema"), "{file}: {conditions:?}");
            if is("Established") {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

async fn check_round_trip<K>(client: &Client, file: &str, status_apart: bool)
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
    K: Clone + std::fmt::Debug + Serialize + DeserializeOwned,
{
    let path = format!(
        "{}/../../crds/tests/fixtures/{file}",
        env!("CARGO_MANIFEST_DIR")
    );
    let given: Value = serde_yaml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let object: K = serde_json::from_value(given.clone()).unwrap();
    let api: Api<K> = Api::namespaced(client.clone(), "argocd");

    let mut stored = api.create(&PostParams::default(), &object).await.unwrap();
    if status_apart {
        let patch = Patch::Merge(json!({"status": given["status"]}));
        stored = api
            .patch_status(&stored.name_any(), &PatchParams::default(), &patch)
            .await
            .unwrap();
    }
    assert!(stored.uid().is_some());
    let mut stored = serde_json::to_value(stored).unwrap();
    for server_side in [
        "creationTimestamp",
        "generation",
        "managedFields",
        "resourceVersion",
        "uid",
    ] {
        stored["metadata"]
            .as_object_mut()
            .unwrap()
            .remove(server_side);
    }
    assert_eq!(differences(&given, &stored), Vec::<String>::new(), "{file}");
}

#[tokio::test]
async fn full_objects_survive_the_real_server() {
    let control_plane = ControlPlane::shared(1).await;
    let client = control_plane.client(0);
    install(&client).await;
    let namespace: Namespace =
        serde_json::from_value(json!({"metadata": {"name": "argocd"}})).unwrap();
    Api::all(client.clone())
        .create(&PostParams::default(), &namespace)
        .await
        .unwrap();

    Box::pin(check_round_trip::<Application>(
        &client,
        "application.yaml",
        false,
    ))
    .await;
    Box::pin(check_round_trip::<ApplicationSet>(
        &client,
        "applicationset.yaml",
        true,
    ))
    .await;
    Box::pin(check_round_trip::<AppProject>(
        &client,
        "appproject.yaml",
        false,
    ))
    .await;
}
