//! A kind whose conversion webhook is down: nobody can read it in the version that git names.

use argosy_crds::Application;
use argosy_crds::codes::SyncStatusCode;
use argosy_test_support::manifest::{automated, config};
use argosy_test_support::wait::{eventually, is_well};
use kube::api::{Api, DynamicObject, Patch, PatchParams};
use serde_json::{Value, json};

use crate::fleet::Fleet;

const DEFINITION: &str = "gadgets.blind.example.com";

/// The definition, stored in one version and written in git in the other.
fn definition(conversion: &Value) -> Value {
    let version = |name: &str, storage: bool| {
        json!({"name": name, "served": true, "storage": storage, "schema": {"openAPIV3Schema":
            {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}})
    };
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": DEFINITION},
        "spec": {
            "group": "blind.example.com", "scope": "Namespaced",
            "names": {"kind": "Gadget", "plural": "gadgets"},
            "versions": [version("v1", true), version("v2", false)],
            "conversion": conversion,
        },
    })
}

/// Nobody listens there.
fn dead_webhook() -> Value {
    json!({"strategy": "Webhook", "webhook": {"conversionReviewVersions": ["v1"],
        "clientConfig": {"url": "https://127.0.0.1:1/convert"}}})
}

async fn define(fleet: &Fleet, conversion: &Value) {
    let definitions: Api<DynamicObject> =
        fleet.objects(1, "apiextensions.k8s.io/v1", "CustomResourceDefinition", "");
    let params = PatchParams::apply("test").force();
    let definition = definition(conversion);
    definitions
        .patch(DEFINITION, &params, &Patch::Apply(definition))
        .await
        .unwrap();
}

/// Whether the gadget can be read in that version.
async fn is_read(fleet: &Fleet, version: &str) -> bool {
    let api_version = format!("blind.example.com/{version}");
    let gadgets = fleet.objects(1, &api_version, "Gadget", "blind");
    gadgets.get("g").await.is_ok()
}

async fn value(fleet: &Fleet, name: &str) -> Option<Value> {
    let place = format!("blind/{name}");
    let live = fleet.live(1, "v1", "ConfigMap", &place).await;
    live.map(|live| live["data"]["a"].clone())
}

/// Whether the gadget alone cannot be judged, for that reason.
fn is_blind_for_the_gadget(app: &Application) -> bool {
    let Some(status) = &app.status else {
        return false;
    };
    let of = |name: &str| {
        let found = status.resources.iter().find(|one| one.name == name);
        found.and_then(|one| one.status)
    };
    let mut told = status.conditions.iter();
    let is_told = told.any(|one| {
        let parts = ["blind.example.com/Gadget", "conversion webhook"];
        one.type_ == "ComparisonError" && parts.iter().all(|part| one.message.contains(part))
    });
    is_told
        && of("g") == Some(SyncStatusCode::Unknown)
        && of("a") == Some(SyncStatusCode::Synced)
        && status.sync.status == SyncStatusCode::Unknown
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kind_whose_conversion_webhook_is_down_is_left_alone_and_all_else_goes_on() {
    let fleet = Fleet::start("hub-blind").await;
    fleet.register_with_token("dev", 1, json!({})).await;
    let none = json!({"strategy": "None"});
    define(&fleet, &none).await;
    let gadget =
        "{apiVersion: blind.example.com/v2, kind: Gadget, metadata: {name: g}, spec: {size: 1}}";
    fleet.tree.commit(&[
        ("web/g.yaml", gadget),
        ("web/a.yaml", &config("a", "1", "")),
        ("web/b.yaml", &config("b", "1", "")),
    ]);
    let server = fleet.server(1).url();
    let mut app = automated("blind", &fleet.tree.url(), "web", server);
    // Nobody plays the garbage collector here.
    app["spec"]["syncPolicy"]["syncOptions"] =
        json!(["CreateNamespace=true", "PrunePropagationPolicy=background"]);
    fleet.apply(app).await;
    fleet.until_well("blind").await;
    assert!(is_read(&fleet, "v2").await);

    define(&fleet, &dead_webhook()).await;
    let blind = is_blind_for_the_gadget;
    fleet.until("blind", "blind for the gadget", blind).await;
    let maps = fleet.objects(1, "v1", "ConfigMap", "blind");
    let edit = json!({"data": {"a": "9"}});
    maps.patch("a", &PatchParams::default(), &Patch::Merge(edit))
        .await
        .unwrap();
    eventually("the edit is undone", async || {
        value(&fleet, "a").await == Some(json!("1"))
    })
    .await;
    fleet.tree.commit(&[
        ("web/g.yaml", ""),
        ("web/b.yaml", ""),
        ("web/a.yaml", &config("a", "2", "")),
    ]);
    fleet.push();
    eventually("the rest is synced and pruned", async || {
        value(&fleet, "a").await == Some(json!("2")) && value(&fleet, "b").await.is_none()
    })
    .await;
    fleet.until("blind", "blind for the gadget", blind).await;
    assert!(
        is_read(&fleet, "v1").await,
        "what nobody sees is not pruned"
    );

    define(&fleet, &none).await;
    eventually("it is pruned once it is seen", async || {
        !is_read(&fleet, "v1").await
    })
    .await;
    fleet.until("blind", "well again", is_well).await;
}
