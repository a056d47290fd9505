//! Which generated Applications must not be written, and why.
//!
//! The others are written all the same: one bad Application never stops a set.

use std::collections::{BTreeMap, BTreeSet};

use argosy_crds::Application;
use argosy_crds::application::ApplicationDestination;
use argosy_crds::names::{DEFAULT_PROJECT, IN_CLUSTER_NAME, IN_CLUSTER_SERVER};

use crate::facts::Cluster;
use crate::generator::clusters::has_implicit_local;

/// What is wrong with an Application.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// Another one has its name; none of them is written.
    #[error("ApplicationSet {set} contains applications with duplicate name: {name}")]
    DuplicateName {
        /// The set.
        set: String,
        /// The name.
        name: String,
    },
    /// It has no name.
    #[error(
        "ApplicationSet {set} contains an application with no name; set spec.template.metadata.name (generateName is not supported)"
    )]
    NoName {
        /// The set.
        set: String,
    },
    /// Its project does not exist.
    #[error("application references project {0} which does not exist")]
    UnknownProject(String),
    /// Its cluster cannot be told.
    #[error("application destination spec is invalid: {0}")]
    InvalidDestination(String),
}

impl Invalid {
    /// A word for programs.
    pub fn class(&self) -> &'static str {
        match self {
            Self::DuplicateName { .. } => "duplicate-name",
            Self::NoName { .. } => "no-name",
            Self::UnknownProject(_) => "unknown-project",
            Self::InvalidDestination(_) => "invalid-destination",
        }
    }
}

/// Checks the Applications of a set; the answer is by `namespace/name`, so that all Applications of
/// a repeated name are refused.
pub fn validate(
    set: &str,
    applications: &[Application],
    projects: &BTreeSet<String>,
    clusters: &[Cluster],
) -> BTreeMap<String, Invalid> {
    let mut invalid = BTreeMap::new();
    let mut names = BTreeSet::new();
    for app in applications {
        let name = app.metadata.name.as_deref().unwrap_or_default();
        let namespace = app.metadata.namespace.as_deref().unwrap_or_default();
        if let Some(problem) = check(set, app, name, &mut names, projects, clusters) {
            invalid.insert(format!("{namespace}/{name}"), problem);
        }
    }
    invalid
}

fn check<'a>(
    set: &str,
    app: &Application,
    name: &'a str,
    names: &mut BTreeSet<&'a str>,
    projects: &BTreeSet<String>,
    clusters: &[Cluster],
) -> Option<Invalid> {
    let set = set.to_owned();
    if name.is_empty() {
        return Some(Invalid::NoName { set });
    }
    if !names.insert(name) {
        return Some(Invalid::DuplicateName {
            set,
            name: name.to_owned(),
        });
    }
    let project = match app.spec.project.as_str() {
        "" => DEFAULT_PROJECT,
        project => project,
    };
    if !projects.contains(project) {
        return Some(Invalid::UnknownProject(project.to_owned()));
    }
    resolve(&app.spec.destination, clusters)
        .err()
        .map(Invalid::InvalidDestination)
}

/// The address of the one cluster that a destination means.
pub fn resolve(
    destination: &ApplicationDestination,
    clusters: &[Cluster],
) -> Result<String, String> {
    let ApplicationDestination {
        server,
        name,
        namespace: _,
    } = destination;
    let trim = |server: &str| server.trim_end_matches('/').to_owned();
    match (server.is_empty(), name.is_empty()) {
        (false, false) => Err(format!(
            "application destination can't have both name and server defined: {name} {server}"
        )),
        (true, true) => Err("destination server missing from app spec".to_owned()),
        (false, true) => {
            let server = trim(server);
            let is_known = server == IN_CLUSTER_SERVER
                || clusters
                    .iter()
                    .any(|cluster| trim(&cluster.server) == server);
            if is_known {
                Ok(server)
            } else {
                Err(format!(
                    "there is no cluster with server {server:?}; register it, or correct spec.destination.server"
                ))
            }
        }
        (true, false) => {
            if name == IN_CLUSTER_NAME && has_implicit_local(clusters) {
                return Ok(IN_CLUSTER_SERVER.to_owned());
            }
            let named: Vec<_> = clusters
                .iter()
                .filter(|cluster| cluster.name == *name)
                .map(|cluster| trim(&cluster.server))
                .collect();
            match named.as_slice() {
                [] => Err(format!("there are no clusters with this name: {name}")),
                [server] => Ok(server.clone()),
                several => Err(format!(
                    "there are {} clusters with the same name: [{}]",
                    several.len(),
                    several.join(" ")
                )),
            }
        }
    }
}
