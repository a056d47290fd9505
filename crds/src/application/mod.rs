//! `Application`: what should run where, and what is known about it.

mod directory;
mod helm;
mod history;
mod kustomize;
mod operation;
mod plugin;
mod source;
mod spec;
mod status;
mod sync_policy;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Deserialize;

pub use directory::{ApplicationSourceDirectory, ApplicationSourceJsonnet, JsonnetVar};
pub use helm::{ApplicationSourceHelm, HelmFileParameter, HelmParameter};
pub use history::{
    GateResult, GateStage, HydrateOperation, HydratorStatus, ResourceResult, RevisionHistory,
    SuccessfulHydrateOperation, SyncOperationResult,
};
pub use kustomize::{
    ApplicationSourceKustomize, KustomizePatch, KustomizeReplica, KustomizeSelector,
};
pub use operation::{
    Operation, OperationInitiator, SyncOperation, SyncOperationResource, SyncStrategy,
    SyncStrategyApply, SyncStrategyHook,
};
pub use plugin::{ApplicationSourcePlugin, ApplicationSourcePluginParameter, EnvEntry};
pub use source::{ApplicationSource, DrySource, HydrateTo, SourceHydrator, SyncSource};
pub use spec::{ApplicationDestination, ApplicationSpec, Info, ResourceIgnoreDifferences};
pub use status::{
    AppHealthStatus, ApplicationCondition, ApplicationStatus, ApplicationSummary, ComparedTo,
    HealthStatus, OperationState, ResourceStatus, SyncStatus,
};
pub use sync_policy::{
    Backoff, ManagedNamespaceMetadata, RetryStrategy, SyncPolicy, SyncPolicyAutomated,
};

/// What should run where. Has no status subresource: `status` and `operation` are written with
/// patches of the object itself.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Application {
    /// Name, namespace and the like.
    pub metadata: ObjectMeta,
    /// What is asked for.
    pub spec: ApplicationSpec,
    /// What is known.
    pub status: Option<ApplicationStatus>,
    /// What is to be done once; cleared when it is done.
    pub operation: Option<Operation>,
}

crate::kind::kind!(Application, "applications", status, operation);

impl Application {
    /// Makes an Application from its name, namespace and spec.
    pub fn new(namespace: &str, name: &str, spec: ApplicationSpec) -> Self {
        let metadata = ObjectMeta {
            name: Some(name.to_owned()),
            namespace: Some(namespace.to_owned()),
            ..ObjectMeta::default()
        };
        Self {
            metadata,
            spec,
            ..Self::default()
        }
    }

    /// Returns the annotation's value.
    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.metadata
            .annotations
            .as_ref()?
            .get(key)
            .map(String::as_str)
    }

    /// Whether the finalizer is set.
    pub fn has_finalizer(&self, finalizer: &str) -> bool {
        self.metadata
            .finalizers
            .iter()
            .flatten()
            .any(|given| given == finalizer)
    }

    /// Whether someone deleted it and it waits for its finalizers.
    pub fn is_deleting(&self) -> bool {
        self.metadata.deletion_timestamp.is_some()
    }
}
