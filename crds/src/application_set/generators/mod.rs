//! Generators: where an ApplicationSet's parameters come from. One file a generator.
//!
//! Only their shape; expanding them is the business of the generators crate.

mod cluster_decision_resource;
mod clusters;
mod git;
mod list;
mod matrix;
mod merge;
mod plugin;
mod pull_request;
mod scm_provider;
mod scm_reference;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::schema;

pub use cluster_decision_resource::DuckTypeGenerator;
pub use clusters::ClusterGenerator;
pub use git::{GitDirectoryGeneratorItem, GitFileGeneratorItem, GitGenerator};
pub use list::ListGenerator;
pub use matrix::MatrixGenerator;
pub use merge::MergeGenerator;
pub use plugin::{PluginConfigMapRef, PluginGenerator, PluginInput};
pub use pull_request::{
    PullRequestAzureDevOps, PullRequestBitbucket, PullRequestBitbucketServer, PullRequestFilter,
    PullRequestGenerator, PullRequestGitea, PullRequestGithub, PullRequestGitlab,
};
pub use scm_provider::{
    ScmProviderAwsCodeCommit, ScmProviderAzureDevOps, ScmProviderBitbucket,
    ScmProviderBitbucketServer, ScmProviderFilter, ScmProviderGenerator, ScmProviderGitea,
    ScmProviderGithub, ScmProviderGitlab, TagFilter,
};
pub use scm_reference::{BasicAuthBitbucketServer, BearerToken, ConfigMapKeyRef, SecretRef};

/// One entry of `generators`, at any depth. Every generator that is set runs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct ApplicationSetGenerator {
    /// Parameters written down.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub list: Option<ListGenerator>,
    /// The registered clusters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clusters: Option<ClusterGenerator>,
    /// Directories or files of a repository.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub git: Option<GitGenerator>,
    /// The repositories of an organisation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scm_provider: Option<Box<ScmProviderGenerator>>,
    /// Clusters that another controller chose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster_decision_resource: Option<DuckTypeGenerator>,
    /// The pull requests of a repository.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pull_request: Option<Box<PullRequestGenerator>>,
    /// Every combination of other generators.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub matrix: Option<MatrixGenerator>,
    /// One generator overridden by others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merge: Option<MergeGenerator>,
    /// An HTTP service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plugin: Option<PluginGenerator>,
    /// Only parameters that this selects; absent selects all.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::label_selector")]
    pub selector: Option<LabelSelector>,
}

impl ApplicationSetGenerator {
    /// Returns the JSON names of the generators that are set, in the order in which they run.
    pub fn names(&self) -> Vec<&'static str> {
        let Self {
            list,
            clusters,
            git,
            scm_provider,
            cluster_decision_resource,
            pull_request,
            matrix,
            merge,
            plugin,
            selector: _,
        } = self;
        [
            ("list", list.is_some()),
            ("clusters", clusters.is_some()),
            ("git", git.is_some()),
            ("scmProvider", scm_provider.is_some()),
            (
                "clusterDecisionResource",
                cluster_decision_resource.is_some(),
            ),
            ("pullRequest", pull_request.is_some()),
            ("matrix", matrix.is_some()),
            ("merge", merge.is_some()),
            ("plugin", plugin.is_some()),
        ]
        .into_iter()
        .filter_map(|(name, set)| set.then_some(name))
        .collect()
    }

    /// Returns the children of `matrix` and `merge`, none for other generators.
    pub fn children(&self) -> impl Iterator<Item = &Self> {
        let matrix = self.matrix.iter().flat_map(|matrix| &matrix.generators);
        matrix.chain(self.merge.iter().flat_map(|merge| &merge.generators))
    }
}
