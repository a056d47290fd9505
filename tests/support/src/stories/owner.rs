//! Whose an application is, and what becomes of it when somebody else changes it.

use argosy_crds::codes::appset_condition;
use kube::api::DeleteParams;
use serde_json::json;

use super::World;
use super::sets::{condition, list, set, until_clean, until_error, until_generated};
use crate::manifest::config;
use crate::wait;

/// The second set of a name takes nothing over, and both say so.
pub async fn two_sets_with_one_name_leave_it_to_the_first(world: &impl World) {
    world.tree().commit(&[
        ("web/a.yaml", &config("a", "1", "")),
        ("two/a.yaml", &config("a", "1", "")),
    ]);
    let one = list(&["shared"]);
    let apply = async |name: &str, path: &str| {
        let set = set(name, true, &one, "{{.app}}", path, world);
        world.apply(set).await;
    };
    apply("first", "web").await;
    until_generated(world, &["first"], &["shared"]).await;
    until_clean(world, "first").await;
    apply("second", "two").await;
    let why = until_error(world, "second").await;
    assert!(why.contains("shared"), "{why}");
    let app = world.applications().get("shared").await.unwrap();
    assert_eq!(app.spec.sources()[0].path, "web");
    let contested = async || condition(world, "first", appset_condition::NAME_CONTESTED).await;
    world
        .eventually("the first is told, too", async || {
            contested().await.is_some_and(|why| {
                why.starts_with("ApplicationSet second generates application shared, too")
            })
        })
        .await;
    until_clean(world, "first").await;
    world.nothing_is_written().await;
    let params = DeleteParams::default();
    world.sets().delete("second", &params).await.unwrap();
    world
        .eventually("nobody contests the name", async || {
            contested().await.is_none()
        })
        .await;
    world.nothing_is_written().await;
    until_generated(world, &["first"], &["shared"]).await;
}

/// The set puts its applications right and makes them anew.
pub async fn an_application_that_somebody_changes_or_deletes_is_made_again(world: &impl World) {
    world
        .tree()
        .commit(&[("web/a.yaml", &config("mine", "1", ""))]);
    let set = set("healed", true, &list(&["mine"]), "{{.app}}", "web", world);
    world.apply(set).await;
    until_generated(world, &["healed"], &["mine"]).await;
    let elsewhere = json!({"spec": {"source": {"path": "elsewhere"}}});
    world.change("mine", elsewhere).await;
    let applications = world.applications();
    let before = wait::until(&applications, "mine", "as generated", |app| {
        app.spec.sources()[0].path == "web"
    })
    .await;
    let params = DeleteParams::default();
    applications.delete("mine", &params).await.unwrap();
    wait::until(&applications, "mine", "there again", |app| {
        app.metadata.uid != before.metadata.uid
    })
    .await;
}
