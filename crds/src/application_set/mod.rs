//! `ApplicationSet`: many Applications from one template.

mod spec;
mod status;
mod strategy;
mod template;

pub mod generators;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Deserialize;

pub use generators::ApplicationSetGenerator;
pub use spec::{
    ApplicationPreservedFields, ApplicationSetIgnoreDifferences, ApplicationSetSpec,
    ApplicationSetSyncPolicy, ApplicationsSyncPolicy,
};
pub use status::{ApplicationSetApplicationStatus, ApplicationSetCondition, ApplicationSetStatus};
pub use strategy::{
    ApplicationMatchExpression, ApplicationSetRolloutStep, ApplicationSetRolloutStrategy,
    ApplicationSetStrategy, RolloutFailureAction, UnmatchedApplications,
};
pub use template::{ApplicationSetTemplate, ApplicationSetTemplateMeta};

/// Many Applications from one template. Has a status subresource.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct ApplicationSet {
    /// Name, namespace and the like.
    pub metadata: ObjectMeta,
    /// What is asked for.
    pub spec: ApplicationSetSpec,
    /// What is known.
    pub status: Option<ApplicationSetStatus>,
}

crate::kind::kind!(ApplicationSet, "applicationsets", status);

impl ApplicationSet {
    /// Makes an ApplicationSet from its name, namespace and spec.
    pub fn new(namespace: &str, name: &str, spec: ApplicationSetSpec) -> Self {
        let metadata = ObjectMeta {
            name: Some(name.to_owned()),
            namespace: Some(namespace.to_owned()),
            ..ObjectMeta::default()
        };
        Self {
            metadata,
            spec,
            status: None,
        }
    }

    /// Whether someone deleted it and it waits for its finalizers.
    pub fn is_deleting(&self) -> bool {
        self.metadata.deletion_timestamp.is_some()
    }
}
