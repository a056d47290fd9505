//! The SCM provider generator: the repositories of an organisation.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::scm_reference::{BasicAuthBitbucketServer, BearerToken, ConfigMapKeyRef, SecretRef};
use crate::application_set::ApplicationSetTemplate;
use crate::schema;
use crate::wire::{is_default, null_as_default};

/// One set of parameters for each repository, or branch, of an organisation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct ScmProviderGenerator {
    /// On GitHub.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub github: Option<ScmProviderGithub>,
    /// On GitLab.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gitlab: Option<ScmProviderGitlab>,
    /// On Bitbucket Cloud.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bitbucket: Option<ScmProviderBitbucket>,
    /// On Bitbucket Server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bitbucket_server: Option<ScmProviderBitbucketServer>,
    /// On Gitea.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gitea: Option<ScmProviderGitea>,
    /// On Azure DevOps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub azure_dev_ops: Option<ScmProviderAzureDevOps>,
    /// On AWS CodeCommit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aws_code_commit: Option<ScmProviderAwsCodeCommit>,
    /// Any of these must match.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub filters: Vec<ScmProviderFilter>,
    /// `ssh`, `https` or `https-fips`.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub clone_protocol: String,
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

/// An organisation on GitHub.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["organization"]))]
pub struct ScmProviderGithub {
    /// Its name.
    #[serde(deserialize_with = "null_as_default")]
    pub organization: String,
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
    /// All branches instead of the default one.
    #[serde(
        skip_serializing_if = "is_default",
        deserialize_with = "null_as_default"
    )]
    pub all_branches: bool,
    /// Leave out archived repositories.
    #[serde(
        skip_serializing_if = "is_default",
        deserialize_with = "null_as_default"
    )]
    pub exclude_archived_repos: bool,
}

/// A group on GitLab.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["group"]))]
#[expect(clippy::struct_excessive_bools, reason = "the fields are the API's")]
pub struct ScmProviderGitlab {
    /// Its id or path.
    #[serde(deserialize_with = "null_as_default")]
    pub group: String,
    /// Its subgroups too.
    #[serde(
        skip_serializing_if = "is_default",
        deserialize_with = "null_as_default"
    )]
    pub include_subgroups: bool,
    /// Projects shared with it too; absent means yes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub include_shared_projects: Option<bool>,
    /// The API's address.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub api: String,
    /// The token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_ref: Option<SecretRef>,
    /// All branches instead of the default one.
    #[serde(
        skip_serializing_if = "is_default",
        deserialize_with = "null_as_default"
    )]
    pub all_branches: bool,
    /// Do not verify the certificate.
    #[serde(
        skip_serializing_if = "is_default",
        deserialize_with = "null_as_default"
    )]
    pub insecure: bool,
    /// Only projects with this topic.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub topic: String,
    /// The certificate authority.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_ref: Option<ConfigMapKeyRef>,
    /// Archived projects too.
    #[serde(
        skip_serializing_if = "is_default",
        deserialize_with = "null_as_default"
    )]
    pub include_archived_repos: bool,
}

/// A workspace on Bitbucket Cloud.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["owner", "user", "appPasswordRef"]))]
pub struct ScmProviderBitbucket {
    /// Its name.
    #[serde(deserialize_with = "null_as_default")]
    pub owner: String,
    /// The user of the password.
    #[serde(deserialize_with = "null_as_default")]
    pub user: String,
    /// The app password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app_password_ref: Option<SecretRef>,
    /// All branches instead of the default one.
    #[serde(
        skip_serializing_if = "is_default",
        deserialize_with = "null_as_default"
    )]
    pub all_branches: bool,
}

/// A project on Bitbucket Server.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["project", "api"]))]
pub struct ScmProviderBitbucketServer {
    /// Its key.
    #[serde(deserialize_with = "null_as_default")]
    pub project: String,
    /// The API's address.
    #[serde(deserialize_with = "null_as_default")]
    pub api: String,
    /// User and password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub basic_auth: Option<BasicAuthBitbucketServer>,
    /// The token; wins over `basicAuth`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bearer_token: Option<BearerToken>,
    /// All branches instead of the default one.
    #[serde(
        skip_serializing_if = "is_default",
        deserialize_with = "null_as_default"
    )]
    pub all_branches: bool,
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

/// An owner on Gitea.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["owner", "api"]))]
pub struct ScmProviderGitea {
    /// Its name.
    #[serde(deserialize_with = "null_as_default")]
    pub owner: String,
    /// The API's address.
    #[serde(deserialize_with = "null_as_default")]
    pub api: String,
    /// The token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_ref: Option<SecretRef>,
    /// All branches instead of the default one.
    #[serde(
        skip_serializing_if = "is_default",
        deserialize_with = "null_as_default"
    )]
    pub all_branches: bool,
    /// Do not verify the certificate.
    #[serde(
        skip_serializing_if = "is_default",
        deserialize_with = "null_as_default"
    )]
    pub insecure: bool,
    /// Leave out archived repositories.
    #[serde(
        skip_serializing_if = "is_default",
        deserialize_with = "null_as_default"
    )]
    pub exclude_archived_repos: bool,
}

/// A project on Azure DevOps.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["organization", "teamProject", "accessTokenRef"]))]
pub struct ScmProviderAzureDevOps {
    /// The organisation.
    #[serde(deserialize_with = "null_as_default")]
    pub organization: String,
    /// The API's address.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub api: String,
    /// The project.
    #[serde(deserialize_with = "null_as_default")]
    pub team_project: String,
    /// The token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_token_ref: Option<SecretRef>,
    /// All branches instead of the default one.
    #[serde(
        skip_serializing_if = "is_default",
        deserialize_with = "null_as_default"
    )]
    pub all_branches: bool,
}

/// Repositories on AWS CodeCommit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct ScmProviderAwsCodeCommit {
    /// Only repositories with these tags.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub tag_filters: Vec<TagFilter>,
    /// The role to assume.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub role: String,
    /// The region.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub region: String,
    /// All branches instead of the default one.
    #[serde(
        skip_serializing_if = "is_default",
        deserialize_with = "null_as_default"
    )]
    pub all_branches: bool,
}

/// A tag of AWS.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["key"]))]
pub struct TagFilter {
    /// Its key.
    #[serde(deserialize_with = "null_as_default")]
    pub key: String,
    /// Its value; empty means any.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub value: String,
}

/// What a repository or branch must be; all set fields must match.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct ScmProviderFilter {
    /// The repository's name, a regular expression.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repository_match: Option<String>,
    /// One of its labels, a regular expression.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label_match: Option<String>,
    /// The branch's name, a regular expression.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub branch_match: Option<String>,
    /// Paths that exist on the branch.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub paths_exist: Vec<String>,
    /// Paths that do not.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub paths_do_not_exist: Vec<String>,
}
