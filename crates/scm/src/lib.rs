//! What generators ask of the world outside: repositories and pull requests of SCM providers, and
//! the parameters of plugins.
//!
//! One small typed client for each provider, over any [`Http`] service: there is no runtime, no
//! socket and no clock in here. A question has a whole answer or none. A page that fails, is cut
//! off or is not JSON fails the question, because a shorter list deletes applications.

mod access;
mod api;
mod aws;
mod azure_devops;
mod bitbucket_cloud;
mod bitbucket_server;
mod error;
mod gitea;
mod github;
mod github_app;
mod gitlab;
mod limit;
mod memory;
mod paging;
mod plugin;
mod questions;
mod repositories;

pub use access::{Access, Credentials, Reference};
pub use api::{Http, Session};
pub use aws::{AwsCredentials, AwsIdentity, AwsKeys};
pub use error::{Error, Problem, Result};
pub use github_app::{GitHubApp, installation_token};
pub use limit::Quota;
pub use memory::Memory;
pub use plugin::{Plugin, plugin_parameters};
pub use questions::{pull_requests, repositories};
