//! What a change concerns: the closed list of reasons to do something.

use argosy_crds::codes::OperationPhase;
use argosy_crds::names::label;
use argosy_crds::{Application, ApplicationSet};
use k8s_openapi::api::core::v1 as core;

use super::ObjectName;
use crate::controller::integrity::KEYS;
use crate::controller::queue::Lane;
use crate::source::TrustedHosts;

/// The types of Secrets that say how repositories are read.
const REPOSITORY_TYPES: [&str; 2] = [label::SECRET_TYPE_REPOSITORY, label::SECRET_TYPE_REPO_CREDS];

/// Something that has to be looked at again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wake {
    /// One application.
    Application(ObjectName, Lane),
    /// The applications of one project.
    Project(String),
    /// All applications: settings that every comparison depends on changed.
    AllApplications,
    /// The application of this instance name, whose live objects changed.
    Live(String),
    /// The applications on the cluster behind this server, which was lost or found again.
    Connection(String),
    /// One ApplicationSet, its inputs or an application of its own.
    ApplicationSet(ObjectName, Lane),
    /// Only what an ApplicationSet reports of its applications.
    ApplicationSetStatus(ObjectName),
    /// The cluster Secrets: connections, and the sets that generate from them.
    Clusters,
    /// The repository Secrets.
    Repositories,
    /// What the hub tells of itself: its settings of that changed.
    Telemetry,
    /// A kind could not be listed, for this reason, and has never been: nothing is judged until it is.
    Unlisted(String),
}

/// Whether the change of an application asks its controller to act. What the controller
/// itself writes, the status, does not; but somebody may have asked there to end an operation.
pub(super) fn application_asks(before: Option<&Application>, after: &Application) -> bool {
    let Some(before) = before else { return true };
    let terminating = |app: &Application| {
        let state = app
            .status
            .as_ref()
            .and_then(|status| status.operation_state.as_ref());
        state.is_some_and(|state| state.phase == OperationPhase::Terminating)
    };
    terminating(after) && !terminating(before)
        || before.spec != after.spec
        || before.operation != after.operation
        || before.metadata.annotations != after.metadata.annotations
        || before.metadata.labels != after.metadata.labels
        || before.metadata.finalizers != after.metadata.finalizers
        || before.metadata.deletion_timestamp != after.metadata.deletion_timestamp
}

/// Whether the change of an application is one that its ApplicationSet may have to undo.
pub(super) fn generated_part_changed(before: Option<&Application>, after: &Application) -> bool {
    before.is_some_and(|before| {
        before.spec != after.spec
            || before.metadata.annotations != after.metadata.annotations
            || before.metadata.labels != after.metadata.labels
            || before.metadata.finalizers != after.metadata.finalizers
            || before.metadata.owner_references != after.metadata.owner_references
    })
}

/// Whether the change of a set asks its controller to act.
pub(super) fn application_set_asks(
    before: Option<&ApplicationSet>,
    after: &ApplicationSet,
) -> bool {
    let Some(before) = before else { return true };
    before.spec != after.spec
        || before.metadata.annotations != after.metadata.annotations
        || before.metadata.labels != after.metadata.labels
        || before.metadata.finalizers != after.metadata.finalizers
        || before.metadata.deletion_timestamp != after.metadata.deletion_timestamp
}

/// The set that controls an application.
pub fn owner_set(application: &Application) -> Option<ObjectName> {
    let owners = application.metadata.owner_references.as_ref()?;
    let owner = owners
        .iter()
        .find(|owner| owner.kind == "ApplicationSet" && owner.controller == Some(true))?;
    let namespace = application.metadata.namespace.clone()?;
    Some(ObjectName::new(namespace, &owner.name))
}

/// What a Secret concerns, by what it was and what it is.
pub(super) fn secret_wakes(states: [Option<&core::Secret>; 2]) -> Vec<Wake> {
    let is_repository = |secret: &core::Secret| {
        let labels = secret.metadata.labels.as_ref();
        let kind = labels.and_then(|labels| labels.get(label::SECRET_TYPE));
        kind.is_some_and(|kind| REPOSITORY_TYPES.contains(&kind.as_str()))
    };
    let mut wakes = Vec::new();
    if states.into_iter().flatten().any(is_repository) {
        wakes.push(Wake::Repositories);
    }
    if !states.into_iter().flatten().all(is_repository) {
        wakes.push(Wake::Clusters);
    }
    wakes
}

/// What a ConfigMap concerns, but for settings, which are compared as a whole.
pub(super) fn config_map_wakes(name: &ObjectName) -> Vec<Wake> {
    // Who has no manifests because of a signature is woken with those who read by a registration.
    let concerns = TrustedHosts::CONFIG_MAPS.contains(&name.name.as_str()) || name.name == KEYS;
    if concerns {
        vec![Wake::Repositories]
    } else {
        Vec::new()
    }
}
