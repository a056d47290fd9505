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

/// Waits for a true condition of the set and returns its message.
pub(super) async fn until_error(fleet: &Fleet, name: &str) -> String {
    let api = sets(fleet);
    let api = &api;
    let error = async || {
        let set = api.get(name).await.unwrap();
        let conditions = set
            .status
            .map(|status| status.conditions)
            .unwrap_or_default();
        let found = conditions
            .into_iter()
            .find(|one| one.type_ == "ErrorOccurred" && one.status == "True");
        found.map(|one| one.message)
    };
    fleet
        .eventually("the set tells of an error", async || {
            error().await.is_some()
        })
        .await;
    error().await.unwrap()
}

pub(super) async fn until_clean(fleet: &Fleet, name: &str) {
    let api = sets(fleet);
    let api = &api;
    fleet
        .eventually("the set is up to date", async || {
            let set = api.get(name).await.unwrap();
            let conditions = set
                .status
                .map(|status| status.conditions)
                .unwrap_or_default();
            conditions
                .iter()
                .any(|one| one.type_ == "ResourcesUpToDate" && one.status == "True")
                && conditions
                    .iter()
                    .all(|one| one.type_ != "ErrorOccurred" || one.status == "False")
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
