//! Sets, what they generate, and what they say.

use std::collections::BTreeSet;

use argosy_crds::{Application, ApplicationSet};
use kube::api::ListParams;
use serde_json::{Value, json};

use super::World;

/// A set whose applications are named and placed by templates.
pub fn set(
    name: &str,
    go: bool,
    generators: &Value,
    app: &str,
    path: &str,
    world: &impl World,
) -> Value {
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "ApplicationSet", "metadata": {"name": name},
        "spec": {
            "goTemplate": go, "goTemplateOptions": ["missingkey=error"], "generators": generators,
            "template": {
                "metadata": {"name": app},
                "spec": {
                    "project": "default",
                    "source": {"repoURL": world.tree().url(), "path": path, "targetRevision": "main"},
                    "destination": {"name": "dev", "namespace": "web"},
                },
            },
        },
    })
}

/// A list generator with an `app` for each name.
pub fn list(apps: &[&str]) -> Value {
    let elements: Vec<_> = apps.iter().map(|app| json!({"app": app})).collect();
    json!([{"list": {"elements": elements}}])
}

/// The names of the applications that these sets control.
pub async fn generated_by(world: &impl World, sets: &[&str]) -> BTreeSet<String> {
    let all = world.applications().list(&ListParams::default()).await;
    let is_theirs = |app: &Application| {
        let mut owners = app.metadata.owner_references.iter().flatten();
        owners.any(|owner| owner.controller == Some(true) && sets.contains(&owner.name.as_str()))
    };
    let theirs = all.unwrap().into_iter().filter(is_theirs);
    theirs.map(|app| app.metadata.name.unwrap()).collect()
}

/// Waits until these sets control just the applications with these names.
pub async fn until_generated(world: &impl World, sets: &[&str], wanted: &[&str]) {
    let wanted: BTreeSet<_> = wanted.iter().map(|name| (*name).to_owned()).collect();
    let what = format!("the applications of {sets:?} are {wanted:?}");
    world
        .eventually(&what, async || generated_by(world, sets).await == wanted)
        .await;
}

async fn find(world: &impl World, name: &str) -> ApplicationSet {
    world.sets().get(name).await.unwrap()
}

/// The message of a condition of the set, if it holds.
pub async fn condition(world: &impl World, name: &str, type_: &str) -> Option<String> {
    let status = find(world, name).await.status.unwrap_or_default();
    let mut conditions = status.conditions.into_iter();
    let found = conditions.find(|one| one.type_ == type_ && one.status == "True");
    found.map(|one| one.message)
}

/// Waits for a condition of the set to hold and returns its message.
pub async fn until_condition(world: &impl World, name: &str, type_: &str) -> String {
    let mut message = None;
    world
        .eventually(&format!("{name} has the condition {type_}"), async || {
            message = condition(world, name, type_).await;
            message.is_some()
        })
        .await;
    message.unwrap()
}

/// Waits until the set tells of an error and returns it.
pub async fn until_error(world: &impl World, name: &str) -> String {
    until_condition(world, name, "ErrorOccurred").await
}

/// Waits until the set says that all it generates is up to date, and nothing waits for approval.
pub async fn until_clean(world: &impl World, name: &str) {
    let is = async |type_| condition(world, name, type_).await.is_some();
    world
        .eventually(&format!("{name} is up to date"), async || {
            is("ResourcesUpToDate").await
                && !is("ErrorOccurred").await
                && !is("ApprovalNeeded").await
        })
        .await;
}
