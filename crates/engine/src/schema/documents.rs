//! What one cluster serves, beyond what is bundled.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Schema, SchemaSource, bundled};

/// The schemas of a cluster's custom kinds, by API version, with the bundled ones.
///
/// Kubernetes' own kinds are always looked up in the bundled table: a version of their API does not
/// change the identity of its lists, and a field that a newer server knows is compared as plain JSON.
#[derive(Clone, Debug, Default)]
pub struct Documents {
    by_version: BTreeMap<String, Arc<Schema>>,
}

impl Documents {
    /// Adds what a cluster says of an API version.
    pub fn insert(&mut self, api_version: impl Into<String>, schema: Arc<Schema>) {
        self.by_version.insert(api_version.into(), schema);
    }

    /// What the cluster itself says, without the bundled table.
    pub fn own(&self) -> Own<'_> {
        Own(self)
    }

    /// Whether the kinds of an API version are looked up in a cluster's document.
    pub fn is_wanted(api_version: &str, kind: &str) -> bool {
        bundled().find(api_version, kind).is_none()
    }
}

/// What one cluster itself says of its kinds, Kubernetes' own included.
#[derive(Clone, Copy, Debug)]
pub struct Own<'a>(&'a Documents);

impl SchemaSource for Own<'_> {
    fn find(&self, api_version: &str, kind: &str) -> Option<(&Schema, usize)> {
        self.0.by_version.get(api_version)?.find(api_version, kind)
    }
}

impl SchemaSource for Documents {
    fn find(&self, api_version: &str, kind: &str) -> Option<(&Schema, usize)> {
        bundled().find(api_version, kind).or_else(|| {
            let schema = self.by_version.get(api_version)?;
            schema.find(api_version, kind)
        })
    }
}
