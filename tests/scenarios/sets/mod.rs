//! ApplicationSets: what they generate comes, follows and goes; what cannot be generated stays.

mod broken;
mod diff;
mod fields;
mod generate;
mod namespaces;
mod owner;
mod policy;
mod preview;
mod webhook;

use std::collections::BTreeSet;

use argosy_crds::ApplicationSet;
use argosy_test_support::stories::World as _;
pub(super) use argosy_test_support::stories::sets::{condition, set, until_clean, until_error};
use kube::Api;

use crate::fleet::Fleet;

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
    fleet.sets()
}

pub(super) fn app_deletes(fleet: &Fleet) -> u64 {
    fleet.hub_sim.requests().count("delete", "applications")
}
