//! The pull request generator: the open pull requests of a repository.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::scm_reference::{BasicAuthBitbucketServer, BearerToken, ConfigMapKeyRef, SecretRef};
use crate::application_set::ApplicationSetTemplate;
use crate::schema;
use crate::wire::{is_default, null_as_default};

/// One set of parameters for each pull request of a repository.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct PullRequestGenerator {
    /// On GitHub.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub github: Option<PullRequestGithub>,
    /// On GitLab.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gitlab: Option<PullRequestGitlab>,
    /// On Gitea.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gitea: Option<PullRequestGitea>,
    /// On Bitbucket Server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bitbucket_server: Option<PullRequestBitbucketServer>,
    /// On Bitbucket Cloud.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bitbucket: Option<PullRequestBitbucket>,
    /// On Azure DevOps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub azuredevops: Option<PullRequestAzureDevOps>,
    /// Any of these must match.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub filters: Vec<PullRequestFilter>,
    /// A repository that does not exist has no pull requests.
    #[serde(
        skip_serializing_if = "is_default",
        deserialize_with = "null_as_default"
    )]
    pub continue_on_repo_not_found_error: bool,
    /// How often to look again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requeue_after_seconds: Option<i64>,
    /// Further parameters, as `values.<key>`.
    #[serde(
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub values: BTreeMap<String, String>,
    /// Overrides parts of the set's template.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::any_object")]
    pub template: Option<Box<ApplicationSetTemplate>>,
}

/// A repository on GitHub.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["owner", "repo"]))]
pub struct PullRequestGithub {
    /// The owner.
    #[serde(deserialize_with = "null_as_default")]
    pub owner: String,
    /// The repository.
    #[serde(deserialize_with = "null_as_default")]
    pub repo: String,
    /// The API's address, for GitHub Enterprise.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub api: String,
    /// The token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_ref: Option<SecretRef>,
    /// The Secret of a GitHub App.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub app_secret_name: String,
    /// Labels that must all be present.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub labels: Vec<String>,
}

/// A project on GitLab.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["project"]))]
pub struct PullRequestGitlab {
    /// Its id or path.
    #[serde(deserialize_with = "null_as_default")]
    pub project: String,
    /// The API's address.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub api: String,
    /// The token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_ref: Option<SecretRef>,
    /// Labels that must all be present.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub labels: Vec<String>,
    /// `opened`, `closed`, `merged` or `locked`; empty means all.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub pull_request_state: String,
    /// Do not verify the certificate.
    #[serde(
        skip_serializing_if = "is_default",
        deserialize_with = "null_as_default"
    )]
    pub insecure: bool,
    /// The certificate authority.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_ref: Option<ConfigMapKeyRef>,
}

/// A repository on Gitea.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["owner", "repo", "api"]))]
pub struct PullRequestGitea {
    /// The owner.
    #[serde(deserialize_with = "null_as_default")]
    pub owner: String,
    /// The repository.
    #[serde(deserialize_with = "null_as_default")]
    pub repo: String,
    /// The API's address.
    #[serde(deserialize_with = "null_as_default")]
    pub api: String,
    /// The token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_ref: Option<SecretRef>,
    /// Do not verify the certificate.
    #[serde(
        skip_serializing_if = "is_default",
        deserialize_with = "null_as_default"
    )]
    pub insecure: bool,
    /// Labels that must all be present.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub labels: Vec<String>,
}

/// A repository on Bitbucket Server.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["project", "repo", "api"]))]
pub struct PullRequestBitbucketServer {
    /// The project's key.
    #[serde(deserialize_with = "null_as_default")]
    pub project: String,
    /// The repository.
    #[serde(deserialize_with = "null_as_default")]
    pub repo: String,
    /// The API's address.
    #[serde(deserialize_with = "null_as_default")]
    pub api: String,
    /// User and password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub basic_auth: Option<BasicAuthBitbucketServer>,
    /// The token; wins over `basicAuth`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bearer_token: Option<BearerToken>,
    /// Do not verify the certificate.
    #[serde(
        skip_serializing_if = "is_default",
        deserialize_with = "null_as_default"
    )]
    pub insecure: bool,
    /// The certificate authority.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_ref: Option<ConfigMapKeyRef>,
}

/// A repository on Bitbucket Cloud.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["owner", "repo"]))]
pub struct PullRequestBitbucket {
    /// The workspace.
    #[serde(deserialize_with = "null_as_default")]
    pub owner: String,
    /// The repository.
    #[serde(deserialize_with = "null_as_default")]
    pub repo: String,
    /// The API's address.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub api: String,
    /// User and password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub basic_auth: Option<BasicAuthBitbucketServer>,
    /// The token; wins over `basicAuth`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bearer_token: Option<BearerToken>,
}

/// A repository on Azure DevOps.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["organization", "project", "repo"]))]
pub struct PullRequestAzureDevOps {
    /// The organisation.
    #[serde(deserialize_with = "null_as_default")]
    pub organization: String,
    /// The project.
    #[serde(deserialize_with = "null_as_default")]
    pub project: String,
    /// The repository.
    #[serde(deserialize_with = "null_as_default")]
    pub repo: String,
    /// The API's address.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub api: String,
    /// The token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_ref: Option<SecretRef>,
    /// Labels that must all be present.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub labels: Vec<String>,
}

/// What a pull request must be; all set fields must match.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct PullRequestFilter {
    /// The branch, a regular expression.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub branch_match: Option<String>,
    /// The target branch, a regular expression.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_branch_match: Option<String>,
    /// The title, a regular expression.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title_match: Option<String>,
}
