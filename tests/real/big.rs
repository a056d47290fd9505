//! Large objects: one that no etcd takes is refused by name, and one that it takes is as any other.

use argosy_crds::Application;
use kube::api::{Patch, PatchParams};
use serde_json::json;

use crate::fleet::Fleet;
use argosy_test_support::manifest::{automated, config};
use argosy_test_support::wait::eventually;

const DEFINITION: &str = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n\
    metadata: {name: blobs.big.example.com}\nspec:\n  group: big.example.com\n  scope: Namespaced\n  \
    names: {kind: Blob, plural: blobs}\n  versions:\n  - {name: v1, served: true, storage: true, schema: \
    {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}\n";

/// The length of one field.
const FIELD: usize = 64 * 1024;

/// A custom object with so many fields.
fn blob(fields: usize) -> String {
    let head = "apiVersion: big.example.com/v1\nkind: Blob\nmetadata: {name: blob}\nspec:\n";
    let value = "x".repeat(FIELD);
    let fields = (0..fields).map(|at| format!("  field-{at:05}: '{value}'\n"));
    head.to_owned() + &fields.collect::<String>()
}

/// What the last sync says of the blob.
fn told(app: &Application) -> Option<&str> {
    let state = app.status.as_ref()?.operation_state.as_ref()?;
    let mut results = state.sync_result.as_ref()?.resources.iter();
    Some(&results.find(|one| one.name == "blob")?.message)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_is_too_large_is_named_and_a_large_one_is_healed() {
    let fleet = Fleet::start("hub-big").await;
    fleet.register_with_token("dev", 1, json!({})).await;
    fleet.tree.commit(&[
        ("big/crd.yaml", DEFINITION),
        ("big/blob.yaml", &blob(32)),
        ("big/a.yaml", &config("a", "1", "")),
    ]);
    let server = fleet.server(1).url();
    fleet
        .apply(automated("big", &fleet.tree.url(), "big", server))
        .await;
    let refused = fleet
        .until("big", "refused", |app| {
            told(app).is_some_and(|told| told.contains("too large"))
        })
        .await;
    let told = told(&refused).unwrap();
    for part in ["Blob/blob", "1536 KiB", "--max-request-bytes"] {
        assert!(told.contains(part), "{told}");
    }
    assert!(told.len() < 1000, "it holds nothing of the object");
    eventually("the rest is there", async || {
        fleet.live(1, "v1", "ConfigMap", "big/a").await.is_some()
    })
    .await;

    fleet.tree.commit(&[("big/blob.yaml", &blob(16))]);
    fleet.push();
    fleet.until_well("big").await;
    let blobs = fleet.objects(1, "big.example.com/v1", "Blob", "big");
    let edit = json!({"spec": {"field-00007": "edited"}});
    blobs
        .patch("blob", &PatchParams::default(), &Patch::Merge(edit))
        .await
        .unwrap();
    eventually("the edit is undone", async || {
        let live = blobs.get("blob").await.unwrap();
        live.data["spec"]["field-00007"].as_str().map(str::len) == Some(FIELD)
    })
    .await;
    fleet.until_well("big").await;
    fleet.nothing_is_written().await;
}
