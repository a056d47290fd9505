//! Whether a project is well-formed.

use std::collections::BTreeSet;

use argosy_crds::AppProject;
use argosy_crds::app_project::{AppProjectSpec, ProjectRole};
use argosy_glob::gobwas::Glob;
use thiserror::Error;

use crate::windows::{self, Window};

/// What is wrong with a project; the wording is Argo CD's.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Error {
    /// A field that can hold no such text.
    #[error("{field} has an invalid format, '{value}'")]
    Format {
        /// The field.
        field: &'static str,
        /// What it holds.
        value: String,
    },
    /// Something is listed twice.
    #[error("{what} '{key}' already added")]
    Twice {
        /// What kind of thing.
        what: &'static str,
        /// Which one.
        key: String,
    },
    /// Too long a description.
    #[error("description must not exceed 255 characters")]
    Description,
    /// Two roles of one name.
    #[error("role '{0}' already exists")]
    RoleTwice(String),
    /// A name that no role can have.
    #[error(
        "invalid role name '{0}'. Must consist of alphanumeric characters, '-' or '_', and must start and end with an alphanumeric character"
    )]
    RoleName(String),
    /// A policy or group that a role has twice.
    #[error("{what} '{key}' already exists for role '{role}'")]
    TwiceInRole {
        /// Policy or group.
        what: &'static str,
        /// Which one.
        key: String,
        /// The role.
        role: String,
    },
    /// A policy that does not stay within its project, or says nothing.
    #[error("invalid policy rule '{rule}': {problem}")]
    Policy {
        /// The policy.
        rule: String,
        /// What is wrong.
        problem: String,
    },
    /// A group's name that would break the policies.
    #[error("group '{0}' must not be empty, and be quoted if it contains commas")]
    Group(String),
    /// A window that does not parse.
    #[error(transparent)]
    Window(#[from] windows::Error),
    /// Two windows that differ in nothing that counts.
    #[error("window '{0}':'{1}':'{2}' already exists, update or edit")]
    WindowTwice(String, String, String),
    /// A window that concerns nothing.
    #[error("window '{0}':'{1}':'{2}' requires one of application, cluster or namespace")]
    WindowForNothing(String, String, String),
}

/// Checks a project; the first fault is returned.
pub fn validate(project: &AppProject) -> Result<(), Error> {
    let spec = &project.spec;
    if spec.description.chars().count() > 255 {
        return Err(Error::Description);
    }
    destinations(spec)?;
    unique("source namespace", spec.source_namespaces.iter().cloned())?;
    for repo in &spec.source_repos {
        refuse("source repository", repo, repo == "!*")?;
    }
    unique("source repository", spec.source_repos.iter().cloned())?;
    roles(
        project.metadata.name.as_deref().unwrap_or_default(),
        &spec.roles,
    )?;
    sync_windows(spec)?;
    service_accounts(spec)
}

fn refuse(field: &'static str, value: &str, wrong: bool) -> Result<(), Error> {
    if wrong {
        let value = value.to_owned();
        Err(Error::Format { field, value })
    } else {
        Ok(())
    }
}

fn unique(what: &'static str, keys: impl Iterator<Item = String>) -> Result<(), Error> {
    let mut seen = BTreeSet::new();
    for key in keys {
        if !seen.insert(key.clone()) {
            return Err(Error::Twice { what, key });
        }
    }
    Ok(())
}

fn destinations(spec: &AppProjectSpec) -> Result<(), Error> {
    for destination in &spec.destinations {
        refuse("name", &destination.name, destination.name == "!*")?;
        refuse("server", &destination.server, destination.server == "!*")?;
        refuse(
            "namespace",
            &destination.namespace,
            destination.namespace == "!*",
        )?;
    }
    unique(
        "destination",
        spec.destinations.iter().map(|destination| {
            let cluster = if destination.server.is_empty() {
                &destination.name
            } else {
                &destination.server
            };
            format!("{cluster}/{}", destination.namespace)
        }),
    )
}

fn roles(project: &str, roles: &[ProjectRole]) -> Result<(), Error> {
    let mut names = BTreeSet::new();
    for role in roles {
        if !names.insert(&role.name) {
            return Err(Error::RoleTwice(role.name.clone()));
        }
        if !is_role_name(&role.name) {
            return Err(Error::RoleName(role.name.clone()));
        }
        let twice = |what, key: &String| Error::TwiceInRole {
            what,
            key: key.clone(),
            role: role.name.clone(),
        };
        let mut policies = BTreeSet::new();
        for rule in &role.policies {
            if !policies.insert(rule) {
                return Err(twice("policy", rule));
            }
            policy(project, &role.name, rule).map_err(|problem| Error::Policy {
                rule: rule.clone(),
                problem,
            })?;
        }
        let mut groups = BTreeSet::new();
        for group in &role.groups {
            if !groups.insert(group) {
                return Err(twice("group", group));
            }
            if !is_group_name(group) {
                return Err(Error::Group(group.clone()));
            }
        }
    }
    Ok(())
}

fn is_role_name(name: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    name.chars().all(inner)
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.ends_with(|c: char| c.is_ascii_alphanumeric())
}

fn is_group_name(name: &str) -> bool {
    let name = name.trim();
    let quoted = name.len() > 2 && name.starts_with('"') && name.ends_with('"');
    !name.is_empty() && (quoted || !name.contains([',', '\n', '\r', '\t', '"']))
}

/// Resources that a project's roles can be given rights on.
const RESOURCES: [&str; 6] = [
    "applications",
    "applicationsets",
    "repositories",
    "clusters",
    "logs",
    "exec",
];

fn policy(project: &str, role: &str, rule: &str) -> Result<(), String> {
    let parts: Vec<_> = rule.split(',').map(str::trim).collect();
    let ["p", subject, resource, _action, object, effect] = parts.as_slice() else {
        return Err("must be of the form: 'p, sub, res, act, obj, eft'".to_owned());
    };
    let expected = format!("proj:{project}:{role}");
    if *subject != expected {
        return Err(format!(
            "policy subject must be: '{expected}', not '{subject}'"
        ));
    }
    if !RESOURCES.contains(resource) {
        return Err(format!(
            "project resource must be one of {}, not '{resource}'",
            RESOURCES.join(", ")
        ));
    }
    let within = object
        .strip_prefix(project)
        .and_then(|rest| rest.strip_prefix('/'))
        .is_some_and(|rest| !rest.is_empty());
    if !within {
        return Err(format!(
            "object must be of form '{project}/*' or '{project}/<APPNAME>', not '{object}'"
        ));
    }
    if !matches!(*effect, "allow" | "deny") {
        return Err(format!("effect must be: 'allow' or 'deny', not '{effect}'"));
    }
    Ok(())
}

fn sync_windows(spec: &AppProjectSpec) -> Result<(), Error> {
    let mut seen = Vec::new();
    for window in &spec.sync_windows {
        let names = || {
            (
                window.kind.clone(),
                window.schedule.clone(),
                window.duration.clone(),
            )
        };
        // Manual syncs, overruns and the description do not make a window another one.
        let identity = argosy_crds::app_project::SyncWindow {
            manual_sync: false,
            sync_overrun: false,
            description: String::new(),
            ..window.clone()
        };
        if seen.contains(&identity) {
            let (kind, schedule, duration) = names();
            return Err(Error::WindowTwice(kind, schedule, duration));
        }
        Window::validate(window)?;
        let concerns_nothing = window.applications.is_empty()
            && window.namespaces.is_empty()
            && window.clusters.is_empty();
        if concerns_nothing {
            let (kind, schedule, duration) = names();
            return Err(Error::WindowForNothing(kind, schedule, duration));
        }
        seen.push(identity);
    }
    Ok(())
}

fn service_accounts(spec: &AppProjectSpec) -> Result<(), Error> {
    for rule in &spec.destination_service_accounts {
        for (field, pattern) in [("server", &rule.server), ("namespace", &rule.namespace)] {
            let wrong = pattern.contains('!') || Glob::compile(pattern, &[]).is_err();
            refuse(field, pattern, wrong)?;
        }
        let account = &rule.default_service_account;
        let wrong = account.trim().is_empty()
            || account.contains(['!', '*', '[', ']', '{', '}', '\\', '/']);
        refuse("defaultServiceAccount", account, wrong)?;
    }
    unique(
        "destinationServiceAccount",
        spec.destination_service_accounts
            .iter()
            .map(|rule| format!("{}/{}", rule.server, rule.namespace)),
    )
}
