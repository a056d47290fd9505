//! What an Application asks for.
//!
//! Holds no defaults beyond Go's zero values: what an empty field means is decided where it is used.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::source::{ApplicationSource, SourceHydrator};
use super::sync_policy::SyncPolicy;
use crate::wire::null_as_default;

/// The desired state of an Application.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["destination", "project"]))]
pub struct ApplicationSpec {
    /// The one source; ignored when `sources` is not empty or `sourceHydrator` is set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<ApplicationSource>,
    /// Several sources; wins over `source`, and later manifests win over earlier ones.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub sources: Vec<ApplicationSource>,
    /// Renders a dry source into a branch that is then synced; wins over both others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_hydrator: Option<SourceHydrator>,
    /// The cluster and namespace to deploy to.
    #[serde(deserialize_with = "null_as_default")]
    pub destination: ApplicationDestination,
    /// The project; empty means `default`.
    #[serde(deserialize_with = "null_as_default")]
    pub project: String,
    /// When and how to sync; absent means by hand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sync_policy: Option<SyncPolicy>,
    /// Fields whose differences do not count.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub ignore_differences: Vec<ResourceIgnoreDifferences>,
    /// Free text and links for people.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub info: Vec<Info>,
    /// How many deployments to remember; absent means 10, 0 none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision_history_limit: Option<i64>,
}

/// A cluster, by address or by name, and a namespace.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct ApplicationDestination {
    /// The address of the cluster's API; excludes `name`.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub server: String,
    /// The name of the cluster; excludes `server`.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub name: String,
    /// Given to namespaced objects that name none.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub namespace: String,
}

/// Fields that a comparison leaves out, for the resources that match.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["kind"]))]
pub struct ResourceIgnoreDifferences {
    /// The API group, a glob; empty is the core group.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub group: String,
    /// The kind, a glob.
    #[serde(deserialize_with = "null_as_default")]
    pub kind: String,
    /// Only the resource of this name.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub name: String,
    /// Only resources in this namespace.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub namespace: String,
    /// RFC 6901 pointers to leave out.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub json_pointers: Vec<String>,
    /// jq paths to leave out.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub jq_path_expressions: Vec<String>,
    /// Leave out what these field managers own.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub managed_fields_managers: Vec<String>,
}

/// One line of free text.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["name", "value"]))]
pub struct Info {
    /// What it is about.
    #[serde(deserialize_with = "null_as_default")]
    pub name: String,
    /// The text or link.
    #[serde(deserialize_with = "null_as_default")]
    pub value: String,
}

impl ApplicationSpec {
    /// Returns the sources to render, in order: those of `sources`, else the one `source`, else
    /// none. A hydrated application has one, the branch that its hydrator writes.
    pub fn sources(&self) -> Cow<'_, [ApplicationSource]> {
        if let Some(hydrator) = &self.source_hydrator {
            return Cow::Owned(vec![hydrator.sync_source()]);
        }
        if !self.sources.is_empty() {
            return Cow::Borrowed(&self.sources);
        }
        Cow::Borrowed(self.source.as_slice())
    }

    /// Whether `sources` decides, so that revisions are reported as a list.
    pub fn has_multiple_sources(&self) -> bool {
        self.source_hydrator.is_none() && !self.sources.is_empty()
    }

    /// Returns the project's name, `default` when none is given.
    pub fn project_or_default(&self) -> &str {
        if self.project.is_empty() {
            "default"
        } else {
            &self.project
        }
    }
}
