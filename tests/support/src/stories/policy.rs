//! What a policy allows a set to do.

use serde_json::{Value, json};

use super::World;
use super::sets::{generated_by, list, set, until_generated};
use crate::manifest::config;

/// The policies, and whether they let a set update and delete.
const POLICIES: [(&str, bool, bool); 4] = [
    ("create-only", false, false),
    ("create-update", true, false),
    ("create-delete", false, true),
    ("sync", true, true),
];

/// A set of that policy, which it is named after.
fn set_of(policy: &str, path: &str, apps: &[&str], world: &impl World) -> Value {
    let app = format!("{policy}-{{{{.app}}}}");
    let mut set = set(policy, true, &list(apps), &app, path, world);
    set["spec"]["syncPolicy"] = json!({"applicationsSync": policy});
    set
}

fn names(policy: &str, apps: &[&str]) -> Vec<String> {
    apps.iter().map(|app| format!("{policy}-{app}")).collect()
}

async fn until(world: &impl World, policy: &str, apps: &[&str]) {
    let names = names(policy, apps);
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    until_generated(world, &[policy], &names).await;
}

/// What is forbidden does not happen, whatever the generators say; the rest does.
pub async fn a_policy_keeps_a_set_from_updating_or_deleting(world: &impl World) {
    world.tree().commit(&[
        ("web/a.yaml", &config("a", "1", "")),
        ("two/a.yaml", &config("a", "1", "")),
    ]);
    for (policy, ..) in POLICIES {
        world.apply(set_of(policy, "web", &["a", "b"], world)).await;
        until(world, policy, &["a", "b"]).await;
    }
    for (policy, ..) in POLICIES {
        world.apply(set_of(policy, "two", &["a", "c"], world)).await;
    }
    for (policy, _, deletes) in POLICIES {
        let left: &[_] = if deletes {
            &["a", "c"]
        } else {
            &["a", "b", "c"]
        };
        until(world, policy, left).await;
    }
    world.nothing_is_written().await;
    for (policy, updates, deletes) in POLICIES {
        let apps = generated_by(world, &[policy]).await;
        assert_eq!(
            apps.len(),
            if deletes { 2 } else { 3 },
            "{policy}: {apps:?}"
        );
        let first = world.applications().get(&names(policy, &["a"])[0]).await;
        let path = first.unwrap().spec.sources()[0].path.clone();
        assert_eq!(path == "two", updates, "{policy}");
    }
}
