//! As whom the hub acts in a destination.

use argosy_crds::{AppProject, Application};
use argosy_glob::gobwas::{BadPattern, Glob};
use thiserror::Error;

use crate::application::KnownCluster;

/// Why there is nobody to act as.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NoServiceAccount {
    /// A rule is malformed.
    #[error("invalid glob pattern for destination {field}: {error}")]
    Pattern {
        /// `server` or `namespace`.
        field: &'static str,
        /// What is wrong.
        error: BadPattern,
    },
    /// No rule matches, and one has to.
    #[error(
        "no matching service account found for destination server {server} and namespace {namespace}"
    )]
    NoMatch {
        /// Server of the destination.
        server: String,
        /// Namespace of the destination.
        namespace: String,
    },
}

/// Whether the hub acts as somebody else on clusters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Impersonation {
    /// It acts as itself.
    #[default]
    Off,
    /// It acts as the account that the project names for the destination, and as itself where the
    /// project names none.
    WhereNamed,
    /// The project has to name an account.
    Always,
}

impl Impersonation {
    /// The user that the hub acts as; `Ok(None)` means the hub's own identity.
    pub fn user(
        self,
        project: &AppProject,
        application: &Application,
        cluster: &KnownCluster,
    ) -> Result<Option<String>, NoServiceAccount> {
        match self {
            Self::Off => Ok(None),
            Self::WhereNamed => service_account(project, application, cluster, false),
            Self::Always => service_account(project, application, cluster, true),
        }
    }
}

/// The user to impersonate, by the first rule that matches. `Ok(None)` means the hub's own
/// identity, which is an error if impersonation is `enforced`.
pub fn service_account(
    project: &AppProject,
    application: &Application,
    cluster: &KnownCluster,
    enforced: bool,
) -> Result<Option<String>, NoServiceAccount> {
    let namespace = application.spec.destination.namespace.as_str();
    for rule in &project.spec.destination_service_accounts {
        let server = matches("server", &rule.server, &cluster.server)?;
        let space = matches("namespace", &rule.namespace, namespace)?;
        if server && space {
            let account = &rule.default_service_account;
            if account.contains(':') {
                return Ok(Some(format!("system:serviceaccount:{account}")));
            }
            let own = application.metadata.namespace.as_deref();
            let home = if namespace.is_empty() {
                own.unwrap_or_default()
            } else {
                namespace
            };
            return Ok(Some(format!("system:serviceaccount:{home}:{account}")));
        }
    }
    if enforced {
        return Err(NoServiceAccount::NoMatch {
            server: cluster.server.clone(),
            namespace: namespace.to_owned(),
        });
    }
    Ok(None)
}

fn matches(field: &'static str, pattern: &str, text: &str) -> Result<bool, NoServiceAccount> {
    Glob::compile(pattern, &[])
        .map(|glob| glob.is_match(text))
        .map_err(|error| NoServiceAccount::Pattern { field, error })
}
