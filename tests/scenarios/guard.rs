//! A set that would lose most of its applications waits for a person.

use argosy_crds::ApplicationSet;
use argosy_crds::codes::appset_condition;
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use crate::fleet::Fleet;
use argosy_test_support::manifest::{automated, config};

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

/// Approves the plan that a condition names.
async fn approve(fleet: &Fleet, message: &str) {
    let hash = message.rsplit(' ').next().unwrap();
    let hash = hash.trim_end_matches('`');
    let sets: Api<ApplicationSet> = Api::namespaced(fleet.client.clone(), "argocd");
    let patch = json!({"metadata": {"annotations": {"argosy.dev/approved-plan": hash}}});
    sets.patch("tools", &PatchParams::default(), &Patch::Merge(patch))
        .await
        .unwrap();
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

    approve(&fleet, &message).await;
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

/// A set with an Application for each directory in the folder.
fn directories(fleet: &Fleet, folder: &str) -> Value {
    let path = format!("{folder}/*");
    let git = json!({"repoURL": fleet.repo(), "revision": "main", "directories": [{"path": path}]});
    let mut set = set(fleet, &[]);
    set["spec"]["generators"] = json!([{"git": git}]);
    set["spec"]["template"]["metadata"]["name"] = json!("{{ .path.basename }}");
    set["spec"]["template"]["spec"]["destination"]["namespace"] = json!("web");
    set
}

async fn with_directories(fleet: &Fleet) {
    fleet.commit(&[
        ("apps/a/a.yaml", CONFIG),
        ("apps/b/a.yaml", CONFIG),
        ("web/a.yaml", CONFIG),
    ]);
    fleet.apply(directories(fleet, "apps")).await;
    fleet
        .eventually("all are generated", async || count(fleet).await == 2)
        .await;
    fleet.nothing_is_written().await;
}

fn remove_directories(fleet: &Fleet) {
    fleet.commit(&[("apps/a/a.yaml", ""), ("apps/b/a.yaml", "")]);
    fleet.push();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_generator_that_stops_yielding_waits_however_little_is_lost() {
    let fleet = Fleet::start(&["dev"]).await;
    with_directories(&fleet).await;
    remove_directories(&fleet);
    fleet
        .eventually("the plan waits", async || waiting(&fleet).await.is_some())
        .await;
    assert_eq!(count(&fleet).await, 2);
    let message = waiting(&fleet).await.unwrap();
    assert!(
        message.starts_with(
            "spec.generators[0].git yields nothing any more; this change would delete 2 (a, b) of 2"
        ),
        "{message}"
    );
    approve(&fleet, &message).await;
    fleet
        .eventually("the approved plan is done", async || {
            count(&fleet).await == 0
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_empties_a_generator_by_changing_it_means_it() {
    let fleet = Fleet::start(&["dev"]).await;
    with_directories(&fleet).await;
    fleet.apply(directories(&fleet, "nowhere")).await;
    fleet
        .eventually("they are gone", async || count(&fleet).await == 0)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_may_allow_everything() {
    let fleet = Fleet::start(&["dev"]).await;
    with_directories(&fleet).await;
    let sets: Api<ApplicationSet> = Api::namespaced(fleet.client.clone(), "argocd");
    let patch = json!({"metadata": {"annotations": {"argosy.dev/guard-percent": "100"}}});
    sets.patch("tools", &PatchParams::default(), &Patch::Merge(patch))
        .await
        .unwrap();
    remove_directories(&fleet);
    fleet
        .eventually("they are gone", async || count(&fleet).await == 0)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pruning_more_than_allowed_waits_for_exactly_that_plan_s_approval() {
    let fleet = Fleet::start(&["dev"]).await;
    let file = |n: usize| (format!("web/{n}.yaml"), config(&format!("c{n}"), "1", ""));
    let files: Vec<_> = (0..5).map(file).collect();
    let all: Vec<_> = files
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect();
    fleet.commit(&all);
    let mut app = automated("web", &fleet.repo(), "web", &fleet.server("dev"));
    app["metadata"]["annotations"] = json!({"argosy.dev/max-prune": "40%"});
    fleet.apply(app).await;
    fleet.until_well("web").await;

    fleet.commit(&[("web/0.yaml", ""), ("web/1.yaml", ""), ("web/2.yaml", "")]);
    fleet.push();
    let message = fleet.until_condition("web", "ApprovalNeeded").await;
    assert!(
        message.contains("would prune 3 of 5 resources (/ConfigMap/web/c0"),
        "{message}"
    );
    assert!(
        fleet
            .live("dev", "v1", "ConfigMap", "web/c0")
            .await
            .is_some()
    );
    fleet.nothing_is_written().await;

    let hash = message
        .rsplit(' ')
        .next()
        .unwrap()
        .trim_end_matches('`')
        .to_owned();
    fleet
        .change(
            "web",
            json!({"metadata": {"annotations": {"argosy.dev/approved-plan": hash}}}),
        )
        .await;
    let app = fleet.until_well("web").await;
    assert!(
        !app.status
            .unwrap()
            .conditions
            .iter()
            .any(|one| one.type_ == "ApprovalNeeded")
    );
    assert!(
        fleet
            .live("dev", "v1", "ConfigMap", "web/c0")
            .await
            .is_none()
    );
    assert!(
        fleet
            .live("dev", "v1", "ConfigMap", "web/c4")
            .await
            .is_some()
    );
}
