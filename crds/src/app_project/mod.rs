//! `AppProject`: what Applications may do.

mod integrity;
mod role;
mod spec;
mod status;
mod window;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Deserialize;

pub use integrity::{
    SignatureKey, SourceIntegrity, SourceIntegrityGit, SourceIntegrityGitPolicy,
    SourceIntegrityGitPolicyGpg, SourceIntegrityGitPolicyRepo,
};
pub use role::{JwtToken, JwtTokens, ProjectRole};
pub use spec::{
    AppProjectSpec, ApplicationDestinationServiceAccount, ClusterResourceRestrictionItem,
    GroupKind, OrphanedResourceKey, OrphanedResourcesMonitorSettings,
};
pub use status::AppProjectStatus;
pub use window::SyncWindow;

/// What Applications of a project may do.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct AppProject {
    /// Name, namespace and the like.
    pub metadata: ObjectMeta,
    /// What is permitted.
    pub spec: AppProjectSpec,
    /// What is known.
    pub status: Option<AppProjectStatus>,
}

crate::kind::kind!(AppProject, "appprojects", status);

impl AppProject {
    /// Makes an AppProject from its name, namespace and spec.
    pub fn new(namespace: &str, name: &str, spec: AppProjectSpec) -> Self {
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
}
