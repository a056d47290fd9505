//! The value of the tracking annotation.

use std::fmt;
use std::str::FromStr;

use serde_json::Value;
use thiserror::Error;

use crate::object::{ObjectExt, ResourceKey};

/// What a tracking annotation says: which application, and which object it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The application's instance name.
    pub application: String,
    /// The object; for cluster-scoped kinds the namespace is the destination's.
    pub key: ResourceKey,
}

/// A text that is no tracking annotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "wrong resource tracking format, should be <application-name>:<group>/<kind>:<namespace>/<name>"
)]
pub struct ParseError;

impl Identity {
    /// The identity of an object, in the destination's namespace if it has none.
    pub fn of(object: &Value, application: &str, namespace: &str) -> Self {
        let key = object.resource_key();
        Self {
            application: application.to_owned(),
            key: if key.namespace.is_empty() {
                key.in_namespace(namespace)
            } else {
                key
            },
        }
    }

    /// Whether the identity is that of an object; one without a namespace may have been marked with
    /// any.
    pub fn names(&self, key: &ResourceKey) -> bool {
        let ResourceKey {
            group,
            kind,
            namespace,
            name,
        } = key;
        self.key.group == *group
            && self.key.kind == *kind
            && self.key.name == *name
            && (namespace.is_empty() || self.key.namespace == *namespace)
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { application, key } = self;
        let ResourceKey {
            group,
            kind,
            namespace,
            name,
        } = key;
        write!(f, "{application}:{group}/{kind}:{namespace}/{name}")
    }
}

impl FromStr for Identity {
    type Err = ParseError;

    /// Names may contain colons, as those of roles do; nothing else may.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let (application, rest) = text.split_once(':').ok_or(ParseError)?;
        let (kind, object) = rest.split_once(':').ok_or(ParseError)?;
        let (group, kind) = pair(kind)?;
        let (namespace, name) = pair(object)?;
        Ok(Self {
            application: application.to_owned(),
            key: ResourceKey::new(group, kind, namespace, name),
        })
    }
}

fn pair(text: &str) -> Result<(&str, &str), ParseError> {
    let (first, second) = text.split_once('/').ok_or(ParseError)?;
    if second.contains('/') {
        return Err(ParseError);
    }
    Ok((first, second))
}
