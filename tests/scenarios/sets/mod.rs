//! ApplicationSets: what they generate comes, follows and goes; what cannot be generated stays.

mod broken;
mod fields;
mod generate;
mod namespaces;
mod owner;
mod policy;
mod preview;
mod webhook;

use std::collections::BTreeSet;

use argosy_crds::ApplicationSet;
use kube::Api;
use serde_json::{Value, json};

use crate::fleet::Fleet;

/// A set whose applications are named and placed by templates.
pub(super) fn set(
    name: &str,
    go: bool,
    generators: &Value,
    app: &str,
    path: &str,
    fleet: &Fleet,
) -> Value {
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "ApplicationSet", "metadata": {"name": name},
        "spec": {
            "goTemplate": go, "goTemplateOptions": ["missingkey=error"], "generators": generators,
            "template": {
                "metadata": {"name": app},
                "spec": {
                    "project": "default",
                    "source": {"repoURL": fleet.repo(), "path": path, "targetRevision": "main"},
                    "destination": {"name": "dev", "namespace": "web"},
                },
            },
        },
    })
}

pub(super) async fn names(fleet: &Fleet) -> BTreeSet<String> {
    let all = fleet
        .applications()
        .list(&kube::api::ListParams::default())
        .await
        .unwrap();
    all.into_iter()
        .map(|app| app.metadata.name.unwrap())
        .collect()
}

pub(super) async fn until_names(fleet: &Fleet, wanted: &[&str]) {
    let wanted: BTreeSet<_> = wanted.iter().map(|name| (*name).to_owned()).collect();
    fleet
        .eventually(&format!("the applications are {wanted:?}"), async || {
            names(fleet).await == wanted
        })
        .await;
}

pub(super) fn sets(fleet: &Fleet) -> Api<ApplicationSet> {
    Api::namespaced(fleet.client.clone(), "argocd")
}

/// The message of a condition of the set that is true.
pub(super) async fn condition(fleet: &Fleet, name: &str, kind: &str) -> Option<String> {
    let status = sets(fleet).get(name).await.unwrap().status?;
    let mut conditions = status.conditions.into_iter();
    let found = conditions.find(|one| one.type_ == kind && one.status == "True")?;
    Some(found.message)
}

/// Waits until the set tells of an error and returns its message.
pub(super) async fn until_error(fleet: &Fleet, name: &str) -> String {
    let error = async || condition(fleet, name, "ErrorOccurred").await;
    fleet
        .eventually("the set tells of an error", async || {
            error().await.is_some()
        })
        .await;
    error().await.unwrap()
}

pub(super) async fn until_clean(fleet: &Fleet, name: &str) {
    let is = async |kind| condition(fleet, name, kind).await.is_some();
    fleet
        .eventually(&format!("{name} is up to date"), async || {
            is("ResourcesUpToDate").await
                && !is("ErrorOccurred").await
                && !is("ApprovalNeeded").await
        })
        .await;
}

/// Waits until the set's status names the application, which it does once all of a reconcile is written.
pub(super) async fn until_listed(fleet: &Fleet, name: &str, application: &str) {
    let api = sets(fleet);
    let api = &api;
    fleet
        .eventually("the set's status lists the application", async || {
            let status = api.get(name).await.unwrap().status.unwrap_or_default();
            status.resources.iter().any(|one| one.name == application)
        })
        .await;
}

pub(super) fn app_deletes(fleet: &Fleet) -> u64 {
    fleet.hub_sim.requests().count("delete", "applications")
}
