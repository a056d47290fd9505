//! What is there of an Argo CD: plain objects, as its API server has them.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Secret;
use serde_json::Value;

/// Everything that a take-over looks at.
#[derive(Default)]
pub(super) struct Inventory {
    /// The data of its ConfigMaps, by name.
    pub(super) settings: BTreeMap<String, BTreeMap<String, String>>,
    /// Its Applications.
    pub(super) applications: Vec<Value>,
    /// Its ApplicationSets.
    pub(super) sets: Vec<Value>,
    /// Its projects.
    pub(super) projects: Vec<Value>,
    /// The Secrets that register clusters and repositories.
    pub(super) registrations: Vec<Secret>,
    /// Its repository servers, which bring plugins.
    pub(super) repository_servers: Vec<Deployment>,
}

impl Inventory {
    /// The data of a ConfigMap; none if it is not there.
    pub(super) fn data(&self, config_map: &str) -> BTreeMap<String, String> {
        self.settings.get(config_map).cloned().unwrap_or_default()
    }
}
