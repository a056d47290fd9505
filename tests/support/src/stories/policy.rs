//! What a policy allows a set to do.

use serde_json::json;

use super::World;
use super::sets::{list, set, until_generated, until_listed};
use crate::manifest::config;

/// What is forbidden does not happen, whatever the generators say; the rest does.
pub async fn a_policy_keeps_a_set_from_updating_or_deleting(world: &impl World) {
    world.tree().commit(&[
        ("web/a.yaml", &config("a", "1", "")),
        ("two/a.yaml", &config("a", "1", "")),
    ]);
    for (policy, updates, deletes) in [
        ("create-only", false, false),
        ("create-update", true, false),
        ("create-delete", false, true),
        ("sync", true, true),
    ] {
        let name = |app: &str| format!("{policy}-{app}");
        let with = |path: &str, apps: &[&str]| {
            let app = format!("{policy}-{{{{.app}}}}");
            let mut set = set(policy, true, &list(apps), &app, path, world);
            set["spec"]["syncPolicy"] = json!({"applicationsSync": policy});
            set
        };
        let until = async |apps: &[&str]| {
            let names: Vec<_> = apps.iter().map(|app| name(app)).collect();
            let names: Vec<_> = names.iter().map(String::as_str).collect();
            until_generated(world, &[policy], &names).await;
        };
        world.apply(with("web", &["a", "b"])).await;
        until(&["a", "b"]).await;
        world.apply(with("two", &["a", "c"])).await;
        until(if deletes {
            &["a", "c"]
        } else {
            &["a", "b", "c"]
        })
        .await;
        until_listed(world, policy, &name("c")).await;
        let first = world.applications().get(&name("a")).await.unwrap();
        let path = first.spec.sources()[0].path.clone();
        assert_eq!(path == "two", updates, "{policy}");
    }
}
