//! A set that would lose most of its applications waits for a person.

use argosy_crds::ApplicationSet;
use argosy_crds::codes::appset_condition;
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use crate::fleet::Fleet;

const CONFIG: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n";

fn set(fleet: &Fleet, names: &[&str]) -> Value {
    let elements: Vec<_> = names.iter().map(|name| json!({ "name": name })).collect();
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "ApplicationSet",
        "metadata": {"name": "tools"},
        "spec": {
            "goTemplate": true,
            "generators": [{"list": {"elements": elements}}],
            "template": {
                "metadata": {"name": "{{ .name }}"},
                "spec": {
                    "project": "default",
                    "source": {"repoURL": fleet.repo(), "path": "web", "targetRevision": "main"},
                    "destination": {"server": fleet.server("dev"), "namespace": "{{ .name }}"},
                },
            },
        },
    })
}

/// What the set's condition asks approval for.
async fn waiting(fleet: &Fleet) -> Option<String> {
    let sets: Api<ApplicationSet> = Api::namespaced(fleet.client.clone(), "argocd");
    let status = sets.get("tools").await.unwrap().status?;
    let condition = status
        .conditions
        .into_iter()
        .find(|one| one.type_ == appset_condition::APPROVAL_NEEDED)?;
    Some(condition.message)
}

async fn count(fleet: &Fleet) -> usize {
    fleet
        .applications()
        .list(&kube::api::ListParams::default())
        .await
        .unwrap()
        .items
        .len()
}

#[tokio::test(flavor = "multi_thread")]
async fn losing_most_applications_waits_for_exactly_that_plan_s_approval() {
    let fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[("web/config.yaml", CONFIG)]);
    let all = ["a", "b", "c", "d", "e", "f", "g", "h"];
    fleet.apply(set(&fleet, &all)).await;
    fleet
        .eventually("all are generated", async || count(&fleet).await == 8)
        .await;

    fleet.apply(set(&fleet, &[])).await;
    fleet
        .eventually("the plan waits", async || waiting(&fleet).await.is_some())
        .await;
    assert_eq!(count(&fleet).await, 8);
    let message = waiting(&fleet).await.unwrap();
    assert!(message.contains("delete 8 (a, b, c"), "{message}");

    let hash = message
        .rsplit(' ')
        .next()
        .unwrap()
        .trim_end_matches('`')
        .to_owned();
    let sets: Api<ApplicationSet> = Api::namespaced(fleet.client.clone(), "argocd");
    let patch = json!({"metadata": {"annotations": {"argosy.dev/approved-plan": hash}}});
    sets.patch("tools", &PatchParams::default(), &Patch::Merge(patch))
        .await
        .unwrap();
    fleet
        .eventually("the approved plan is done", async || {
            count(&fleet).await == 0
        })
        .await;
    fleet
        .eventually("nothing waits", async || waiting(&fleet).await.is_none())
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn losing_a_few_waits_for_nobody() {
    let fleet = Fleet::start(&["dev"]).await;
    fleet.commit(&[("web/config.yaml", CONFIG)]);
    fleet.apply(set(&fleet, &["a", "b", "c"])).await;
    fleet
        .eventually("all are generated", async || count(&fleet).await == 3)
        .await;
    fleet.apply(set(&fleet, &["a"])).await;
    fleet
        .eventually("two are gone", async || count(&fleet).await == 1)
        .await;
}
