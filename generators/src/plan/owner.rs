//! Whose Application it is.

use argosy_crds::names::{API_VERSION, GROUP};
use argosy_crds::{Application, ApplicationSet};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;

use super::PlanError;

const KIND: &str = "ApplicationSet";

/// Whether the set controls the Application. Where both uids are known they decide, so that a set
/// does not inherit from a deleted one of the same name.
pub fn is_owned_by(app: &Application, set: &ApplicationSet) -> bool {
    controller(app).is_some_and(|owner| refers_to(owner, set))
}

/// Refuses an Application that something else controls; one without a controller is adopted.
pub(super) fn check(set: &ApplicationSet, app: &Application) -> Result<(), PlanError> {
    match controller(app) {
        Some(owner) if !refers_to(owner, set) => Err(PlanError::Owned {
            name: app.metadata.name.clone().unwrap_or_default(),
            owner: format!("{} {}", owner.kind, owner.name),
        }),
        _ => Ok(()),
    }
}

/// The set as controller of its Applications.
pub(super) fn reference(set: &ApplicationSet) -> OwnerReference {
    OwnerReference {
        api_version: API_VERSION.to_owned(),
        kind: KIND.to_owned(),
        name: set.metadata.name.clone().unwrap_or_default(),
        uid: set.metadata.uid.clone().unwrap_or_default(),
        controller: Some(true),
        block_owner_deletion: Some(true),
    }
}

/// The references of `app` with the set as its controller.
pub(super) fn with_controller(set: &ApplicationSet, app: &Application) -> Vec<OwnerReference> {
    let mut references = app.metadata.owner_references.clone().unwrap_or_default();
    let ours = reference(set);
    match references.iter_mut().find(|owner| refers_to(owner, set)) {
        Some(existing) => *existing = ours,
        None => references.push(ours),
    }
    references
}

fn controller(app: &Application) -> Option<&OwnerReference> {
    app.metadata
        .owner_references
        .iter()
        .flatten()
        .find(|owner| owner.controller == Some(true))
}

fn refers_to(owner: &OwnerReference, set: &ApplicationSet) -> bool {
    let group = owner.api_version.split('/').next();
    let uid = set.metadata.uid.as_deref().unwrap_or_default();
    group == Some(GROUP)
        && owner.kind == KIND
        && Some(&owner.name) == set.metadata.name.as_ref()
        && (uid.is_empty() || owner.uid.is_empty() || owner.uid == uid)
}
