//! A set that would lose most of its applications waits for a person.

use argosy_crds::codes::appset_condition::APPROVAL_NEEDED;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use super::World;
use super::sets::{condition, generated_by, list, until_condition, until_generated};

const ALL: [&str; 8] = ["ga", "gb", "gc", "gd", "ge", "gf", "gg", "gh"];

fn set(world: &impl World, apps: &[&str]) -> Value {
    super::sets::set("guarded", true, &list(apps), "{{ .app }}", "web", world)
}

/// Approves a plan of a set, as `argosy appset approve` does.
pub async fn approve(world: &impl World, set: &str, hash: &str) {
    let patch = json!({"metadata": {"annotations": {"argosy.dev/approved-plan": hash}}});
    let patch = Patch::Merge(patch);
    let sets = world.sets();
    sets.patch(set, &PatchParams::default(), &patch)
        .await
        .unwrap();
}

/// The hash of the plan that a condition asks approval for.
pub fn hash(message: &str) -> String {
    let last = message.rsplit(' ').next().unwrap();
    last.trim_end_matches('`').to_owned()
}

/// An approval is one of the plan that the set told, and of no other.
pub async fn losing_most_applications_waits_for_exactly_that_plan_s_approval(world: &impl World) {
    let text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n";
    world.tree().commit(&[("web/config.yaml", text)]);
    world.apply(set(world, &ALL)).await;
    until_generated(world, &["guarded"], &ALL).await;

    world.apply(set(world, &ALL[..1])).await;
    let most = until_condition(world, "guarded", APPROVAL_NEEDED).await;
    assert!(most.contains("delete 7 (gb, gc, gd"), "{most}");

    // The plan becomes another one, which nobody has approved.
    world.apply(set(world, &[])).await;
    let mut all = String::new();
    world
        .eventually("the condition tells of the new plan", async || {
            let told = condition(world, "guarded", APPROVAL_NEEDED).await;
            all = told.unwrap_or_default();
            all.contains("delete 8 (ga, gb, gc")
        })
        .await;
    approve(world, "guarded", &hash(&most)).await;
    world.nothing_is_written().await;
    assert_eq!(generated_by(world, &["guarded"]).await.len(), ALL.len());
    let still = condition(world, "guarded", APPROVAL_NEEDED).await;
    assert_eq!(still.as_ref(), Some(&all));

    approve(world, "guarded", &hash(&all)).await;
    until_generated(world, &["guarded"], &[]).await;
    world
        .eventually("nothing waits", async || {
            let told = condition(world, "guarded", APPROVAL_NEEDED).await;
            told.is_none()
        })
        .await;
}
