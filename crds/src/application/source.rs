//! Where an Application's manifests come from.
//!
//! Describes sources; never fetches or resolves one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::directory::ApplicationSourceDirectory;
use super::helm::ApplicationSourceHelm;
use super::kustomize::ApplicationSourceKustomize;
use super::plugin::ApplicationSourcePlugin;
use crate::schema;
use crate::wire::null_as_default;

/// One source of manifests.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["repoURL"]))]
pub struct ApplicationSource {
    /// A git, Helm or `oci://` repository.
    #[serde(rename = "repoURL", deserialize_with = "null_as_default")]
    pub repo_url: String,
    /// The directory in the repository, relative to its root.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub path: String,
    /// A branch, tag, commit or version constraint; empty means HEAD.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub target_revision: String,
    /// The Helm chart's name; makes this a Helm repository source.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub chart: String,
    /// The name by which other sources reach this one, as `$name`.
    #[serde(
        rename = "ref",
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub ref_name: String,
    /// What people and the command line call this source.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub name: String,
    /// Only tags with this prefix count when resolving a version constraint.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub tag_prefix: String,
    /// Render with Helm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub helm: Option<Box<ApplicationSourceHelm>>,
    /// Render with Kustomize.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kustomize: Option<Box<ApplicationSourceKustomize>>,
    /// Read plain manifests and Jsonnet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub directory: Option<Box<ApplicationSourceDirectory>>,
    /// Render with a config management plugin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plugin: Option<Box<ApplicationSourcePlugin>>,
}

/// Renders a dry source and pushes the result to a branch.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["drySource", "syncSource"]))]
pub struct SourceHydrator {
    /// What to render.
    #[serde(deserialize_with = "null_as_default")]
    pub dry_source: DrySource,
    /// Where the rendered manifests are synced from.
    #[serde(deserialize_with = "null_as_default")]
    pub sync_source: SyncSource,
    /// Where to push first, when something else moves it to the sync branch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hydrate_to: Option<HydrateTo>,
}

/// The unrendered source of a hydrator.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["repoURL", "targetRevision", "path"]))]
pub struct DrySource {
    /// The git repository.
    #[serde(rename = "repoURL", deserialize_with = "null_as_default")]
    pub repo_url: String,
    /// The branch, tag or commit to render.
    #[serde(deserialize_with = "null_as_default")]
    pub target_revision: String,
    /// The directory to render.
    #[serde(deserialize_with = "null_as_default")]
    pub path: String,
    /// Render with Helm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub helm: Option<Box<ApplicationSourceHelm>>,
    /// Render with Kustomize.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kustomize: Option<Box<ApplicationSourceKustomize>>,
    /// Read plain manifests and Jsonnet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub directory: Option<Box<ApplicationSourceDirectory>>,
    /// Render with a config management plugin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plugin: Option<Box<ApplicationSourcePlugin>>,
}

/// The branch and directory that a hydrator fills.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["targetBranch", "path"]))]
pub struct SyncSource {
    /// The branch to sync from.
    #[serde(deserialize_with = "null_as_default")]
    pub target_branch: String,
    /// The directory to sync from; never the root.
    #[serde(deserialize_with = "null_as_default")]
    #[schemars(schema_with = "schema::sync_path")]
    pub path: String,
    /// The repository to push to; empty means the dry one.
    #[serde(
        rename = "repoURL",
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub repo_url: String,
}

/// The staging branch of a hydrator.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["targetBranch"]))]
pub struct HydrateTo {
    /// The branch to push to.
    #[serde(deserialize_with = "null_as_default")]
    pub target_branch: String,
}

impl ApplicationSource {
    /// Whether this is a chart in a Helm repository.
    pub fn is_helm(&self) -> bool {
        !self.chart.is_empty()
    }

    /// Whether this is an OCI artifact.
    pub fn is_oci(&self) -> bool {
        self.repo_url.starts_with("oci://")
    }

    /// Whether this source exists only to be referred to by others.
    pub fn is_ref_only(&self) -> bool {
        !self.ref_name.is_empty() && self.path.is_empty() && self.chart.is_empty()
    }
}

impl SourceHydrator {
    /// Returns the branch that the hydrator fills, as the source to sync.
    pub fn sync_source(&self) -> ApplicationSource {
        let SyncSource {
            target_branch,
            path,
            repo_url,
        } = self.sync_source.clone();
        ApplicationSource {
            repo_url: if repo_url.is_empty() {
                self.dry_source.repo_url.clone()
            } else {
                repo_url
            },
            path,
            target_revision: target_branch,
            ..ApplicationSource::default()
        }
    }

    /// Returns the unrendered source as a source like any other.
    pub fn dry_source(&self) -> ApplicationSource {
        let DrySource {
            repo_url,
            path,
            target_revision,
            helm,
            kustomize,
            directory,
            plugin,
        } = self.dry_source.clone();
        ApplicationSource {
            repo_url,
            path,
            target_revision,
            helm,
            kustomize,
            directory,
            plugin,
            ..ApplicationSource::default()
        }
    }
}
