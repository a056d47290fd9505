//! What kinds the server knows: the built-in ones from a table, custom ones from their
//! definitions. It holds descriptions only, no objects.

mod builtin;
mod custom;
mod node;
mod types;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

pub(crate) use custom::{Custom, kinds_of};
pub(crate) use node::{Empty, Form, ListType, Node};
pub(crate) use types::is_built_in;

/// One resource in one version.
#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    clippy::struct_field_names,
    reason = "the traits of a resource are independent, and `kind` is its name in the API"
)]
pub(crate) struct Kind {
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) kind: String,
    pub(crate) plural: String,
    pub(crate) singular: String,
    pub(crate) short: Vec<String>,
    pub(crate) categories: Vec<String>,
    pub(crate) namespaced: bool,
    /// Whether objects are kept, or only created and answered (reviews).
    pub(crate) stored: bool,
    pub(crate) status: bool,
    pub(crate) scale: Option<Scale>,
    /// Whether the server counts changes of the spec.
    pub(crate) generation: bool,
    pub(crate) schema: Arc<Node>,
    /// The definition's part for custom kinds.
    pub(crate) custom: Option<Arc<Custom>>,
}

/// Where a kind keeps what its scale subresource shows.
#[derive(Debug, Clone)]
pub(crate) struct Scale {
    pub(crate) spec: Vec<String>,
    pub(crate) status: Vec<String>,
    pub(crate) selector: Option<Vec<String>>,
}

impl Kind {
    /// The name of the table that keeps the objects of all versions: `deployments.apps`, `pods`.
    pub(crate) fn table(&self) -> String {
        // Events are the same objects in both their groups.
        match self.group.as_str() {
            "events.k8s.io" => self.plural.clone(),
            group => qualified(&self.plural, group),
        }
    }

    /// As errors name the resource: `deployments.apps`, `pods`.
    pub(crate) fn qualified_plural(&self) -> String {
        qualified(&self.plural, &self.group)
    }

    pub(crate) fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.clone()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// As errors name it: `Deployment.apps`, `Pod`.
    pub(crate) fn qualified_kind(&self) -> String {
        qualified(&self.kind, &self.group)
    }

    pub(crate) fn is(&self, group: &str, kind: &str) -> bool {
        self.group == group && self.kind == kind
    }
}

pub(crate) fn qualified(name: &str, group: &str) -> String {
    if group.is_empty() {
        name.to_owned()
    } else {
        format!("{name}.{group}")
    }
}

type Versions = BTreeMap<(String, String), BTreeMap<String, Arc<Kind>>>;

static BUILT_IN: LazyLock<Versions> = LazyLock::new(|| {
    let mut versions = Versions::new();
    for kind in builtin::kinds() {
        let key = (kind.group.clone(), kind.version.clone());
        versions
            .entry(key)
            .or_default()
            .insert(kind.plural.clone(), Arc::new(kind));
    }
    versions
});

/// Whether built-in kinds have this version.
pub(crate) fn serves(group: &str, version: &str) -> bool {
    BUILT_IN.contains_key(&(group.to_owned(), version.to_owned()))
}

/// All kinds of one server.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    custom: Versions,
}

impl Registry {
    pub(crate) fn find(&self, group: &str, version: &str, plural: &str) -> Option<Arc<Kind>> {
        let key = (group.to_owned(), version.to_owned());
        [&*BUILT_IN, &self.custom]
            .iter()
            .find_map(|versions| versions.get(&key)?.get(plural))
            .cloned()
    }

    /// Some version of a kind by its table's name.
    pub(crate) fn by_table(&self, table: &str) -> Option<Arc<Kind>> {
        let (plural, group) = table.split_once('.').unwrap_or((table, ""));
        self.all()
            .find(|kind| kind.plural == plural && kind.group == group)
            .cloned()
    }

    /// The kinds of a group version, by plural; empty where it is not served.
    pub(crate) fn version(&self, group: &str, version: &str) -> Vec<Arc<Kind>> {
        let key = (group.to_owned(), version.to_owned());
        [&*BUILT_IN, &self.custom]
            .iter()
            .filter_map(|versions| versions.get(&key))
            .flat_map(|kinds| kinds.values().cloned())
            .collect()
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<Kind>> {
        BUILT_IN
            .values()
            .chain(self.custom.values())
            .flat_map(BTreeMap::values)
    }

    /// Every named group with its versions, preferred first, as discovery lists them.
    pub(crate) fn groups(&self) -> Vec<(String, Vec<String>)> {
        let mut groups: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for (group, version) in BUILT_IN.keys().chain(self.custom.keys()) {
            let versions = groups.entry(group).or_default();
            if !versions.contains(version) {
                versions.push(version.clone());
            }
        }
        groups.remove("");
        let mut groups: Vec<_> = groups.into_iter().map(|(g, v)| (g.to_owned(), v)).collect();
        for (_, versions) in &mut groups {
            versions.sort_by_key(|version| std::cmp::Reverse(priority(version)));
        }
        groups
    }

    /// Puts the kinds of one definition in the place of those it had before.
    pub(crate) fn define(&mut self, group: &str, plural: &str, kinds: Vec<Kind>) {
        for ((owner, _), kinds) in &mut self.custom {
            if owner == group {
                kinds.remove(plural);
            }
        }
        self.custom.retain(|_, kinds| !kinds.is_empty());
        for kind in kinds {
            let key = (kind.group.clone(), kind.version.clone());
            self.custom
                .entry(key)
                .or_default()
                .insert(kind.plural.clone(), Arc::new(kind));
        }
    }
}

/// Orders versions as Kubernetes does: stable before beta before alpha, then higher first.
pub(crate) fn priority(version: &str) -> (u8, u32, u32) {
    let parse = || -> Option<(u8, u32, u32)> {
        let rest = version.strip_prefix('v')?;
        let digits = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        let major = rest[..digits].parse().ok()?;
        let minor = |text: &str| text.parse().ok();
        match &rest[digits..] {
            "" => Some((3, major, 0)),
            tail if tail.starts_with("beta") => Some((2, major, minor(&tail[4..])?)),
            tail if tail.starts_with("alpha") => Some((1, major, minor(&tail[5..])?)),
            _ => None,
        }
    };
    parse().unwrap_or((0, 0, 0))
}
