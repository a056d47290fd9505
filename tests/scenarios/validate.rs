//! The whole plan is held against the cluster's schemas before anything is written.

use argosy_crds::codes::OperationPhase;
use argosy_test_support::manifest::{config, deployment, manual};
use serde_json::json;

use crate::fleet::Fleet;

const CRD: &str = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: boats.example.com}\n\
    spec:\n  group: example.com\n  scope: Namespaced\n  names: {kind: Boat, plural: boats, singular: boat, listKind: BoatList}\n  \
    versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, \
    required: [oars], properties: {oars: {type: integer}FIELD}}}}}}]\n";
const BOAT: &str = "apiVersion: example.com/v1\nkind: Boat\nmetadata: {name: argo}\nspec: {oars: 50, sail: white}\n";

#[tokio::test(flavor = "multi_thread")]
async fn all_mistakes_of_a_plan_are_told_before_anything_is_applied() {
    let fleet = Fleet::start(&["dev"]).await;
    let flawed = deployment("web", "web:1").replace("replicas: 1", "replicas: two\n  replcas: 2");
    fleet.commit(&[
        ("web/a.yaml", &config("a", "1", "")),
        ("web/b.yaml", &config("b", "1", "").replace("'1'", "[1]")),
        ("web/web.yaml", &flawed),
    ]);
    fleet
        .apply(manual("web", &fleet.repo(), "web", &fleet.server("dev")))
        .await;
    fleet.sync("web", json!({})).await;
    let app = fleet.until_ended("web", OperationPhase::Failed).await;
    let message = app.status.unwrap().operation_state.unwrap().message;
    for told in [
        "nothing was applied",
        "data.a has to be a string and is a list",
        "spec.replicas has to be a whole number and is a string",
        "spec.replcas is not a field of its kind",
    ] {
        assert!(message.contains(told), "{told}: {message}");
    }
    let writes = fleet.workload("dev").sim.requests().writes();
    assert_eq!(writes, 0, "{message}");
    fleet.nothing_is_written().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_definition_that_changes_is_believed_at_once_and_validation_can_be_off() {
    let fleet = Fleet::start(&["dev"]).await;
    let calm = BOAT.replace(", sail: white", "");
    fleet.commit(&[
        ("crd/crd.yaml", &CRD.replace("FIELD", "")),
        ("web/boat.yaml", &calm),
    ]);
    for name in ["crd", "web"] {
        fleet
            .apply(manual(name, &fleet.repo(), name, &fleet.server("dev")))
            .await;
        fleet.sync(name, json!({})).await;
        fleet.until_ended(name, OperationPhase::Succeeded).await;
    }
    let failure = async |boat: &str| {
        fleet.commit(&[("web/boat.yaml", boat)]);
        fleet.push();
        fleet.sync("web", json!({})).await;
        let app = fleet.until_ended("web", OperationPhase::Failed).await;
        app.status.unwrap().operation_state.unwrap().message
    };
    let message = failure(BOAT).await;
    let told = "Boat/web/argo: spec.sail is not a field of its kind";
    assert!(message.contains(told), "{message}");
    let lenient = BOAT.replace(
        "name: argo",
        "name: argo, annotations: {argocd.argoproj.io/sync-options: Validate=false}",
    );
    let message = failure(&lenient).await;
    assert!(
        message.contains("one or more objects failed to apply"),
        "it is left to the cluster: {message}"
    );

    let sail = CRD.replace("FIELD", ", sail: {type: string}");
    fleet.commit(&[("crd/crd.yaml", &sail), ("web/boat.yaml", BOAT)]);
    fleet.push();
    for name in ["crd", "web"] {
        fleet.sync(name, json!({})).await;
        fleet
            .until(name, "synced twice", |app| {
                let history = app.status.iter().flat_map(|status| &status.history);
                history.count() == 2
            })
            .await;
    }
}
