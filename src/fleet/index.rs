//! Everything the hub's own API server says, kept in memory.
//!
//! A synchronous structure: objects in, what they wake out. A malformed object is kept as such, so
//! that it gets a condition and disturbs nothing else. Until a kind has been listed once,
//! its absence means nothing, which [`Table::observed`] says.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use argosy_crds::{AppProject, Application, ApplicationSet};
use argosy_engine::object::ObjectExt as _;
use argosy_facts::Observed;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::wake::owner_set;

/// Namespace and name of an object in the hub's API server.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObjectName {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
}

impl ObjectName {
    /// Names an object.
    pub fn new(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            namespace: namespace.into(),
            name: name.into(),
        }
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// An object that does not have the shape of its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// What is wrong and in which field.
    pub why: String,
    /// The messages of the conditions that it has, so that none is written twice.
    pub told: BTreeSet<String>,
}

impl Malformed {
    fn new(object: &Value, why: String) -> Self {
        let conditions = object
            .pointer("/status/conditions")
            .and_then(Value::as_array);
        let messages = conditions
            .into_iter()
            .flatten()
            .filter_map(|one| one["message"].as_str());
        Self {
            why,
            told: messages.map(str::to_owned).collect(),
        }
    }
}

/// An object as it was read.
#[derive(Debug)]
pub struct Entry<T> {
    version: u64,
    /// The object, or why it cannot be read.
    pub body: Result<Arc<T>, Malformed>,
}

/// All objects of one kind.
#[derive(Debug)]
pub struct Table<T> {
    objects: BTreeMap<ObjectName, Entry<T>>,
    changes: u64,
    pub(super) listing: Listing,
}

/// Whether what is known of a kind is all there is.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// It has been listed once.
    pub(super) done: bool,
    /// The API server does not let the hub list or watch it any more, in its own words.
    pub(super) denied: Option<String>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self {
            objects: BTreeMap::new(),
            changes: 0,
            listing: Listing::default(),
        }
    }
}

/// What a change replaced: the object before, if it could be read, and whether it was known at all.
pub(super) struct Replaced<T> {
    pub(super) before: Option<Arc<T>>,
}

impl<T: DeserializeOwned> Table<T> {
    /// Takes an object in; `None` if it is not newer than what is known.
    pub(super) fn apply(&mut self, object: &Value) -> Option<Replaced<T>> {
        let name = ObjectName::new(object.namespace(), object.name());
        let version = object.resource_version().parse().unwrap_or(u64::MAX);
        let known = self.objects.get(&name);
        if known.is_some_and(|known| known.version >= version && version != u64::MAX) {
            return None;
        }
        let before = known.and_then(|known| known.body.clone().ok());
        let body = serde_path_to_error::deserialize(object)
            .map(Arc::new)
            .map_err(|error| {
                Malformed::new(object, format!("{}: {}", error.path(), error.inner()))
            });
        self.objects.insert(name, Entry { version, body });
        self.changes += 1;
        Some(Replaced { before })
    }

    /// Forgets an object.
    pub(super) fn delete(&mut self, name: &ObjectName) -> Option<Arc<T>> {
        let removed = self.objects.remove(name)?;
        self.changes += 1;
        removed.body.ok()
    }

    /// Says that all there is has been applied since the listing began; returns the names of what
    /// was known and is not in it.
    pub(super) fn listed(&mut self, present: &BTreeSet<ObjectName>) -> Vec<ObjectName> {
        self.listing.done = true;
        self.objects
            .keys()
            .filter(|name| !present.contains(name))
            .cloned()
            .collect()
    }

    /// How many changes were taken in: where it is the same as before, so are the objects.
    pub fn changes(&self) -> u64 {
        self.changes
    }

    /// Whether the kind has been listed once.
    pub fn is_listed(&self) -> bool {
        self.listing.done
    }

    /// One object.
    pub fn get(&self, name: &ObjectName) -> Option<&Entry<T>> {
        self.objects.get(name)
    }

    /// One object, if it is there and can be read.
    pub fn read(&self, name: &ObjectName) -> Option<&Arc<T>> {
        self.objects.get(name)?.body.as_ref().ok()
    }

    /// All objects that can be read, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&ObjectName, &Arc<T>)> {
        self.objects
            .iter()
            .filter_map(|(name, entry)| Some((name, entry.body.as_ref().ok()?)))
    }

    /// All objects that cannot be read, by name.
    pub fn malformed(&self) -> impl Iterator<Item = (&ObjectName, &Malformed)> {
        self.objects
            .iter()
            .filter_map(|(name, entry)| Some((name, entry.body.as_ref().err()?)))
    }

    /// The names of all objects, readable or not.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &ObjectName> {
        self.objects.keys()
    }

    /// All objects, with the word on whether that is all there is: a kind that is not listed yet, or
    /// may not be any more, is unknown, and one with an object that cannot be read is partial.
    pub fn observed(&self, kind: &str) -> Observed<Vec<Arc<T>>> {
        if !self.listing.done {
            return Observed::unknown(format!("{kind} have not been listed yet"));
        }
        if let Some(why) = &self.listing.denied {
            return Observed::unknown(format!("{kind} can no longer be listed: {why}"));
        }
        let objects = self.iter().map(|(_, object)| Arc::clone(object)).collect();
        match self.malformed().next() {
            None => Observed::complete(objects),
            Some((name, malformed)) => Observed::partial(
                objects,
                format!("{kind} {name} cannot be read: {}", malformed.why),
            ),
        }
    }
}

/// All kinds that the hub reads from its own API server.
#[derive(Debug, Default)]
pub struct Index {
    /// Applications.
    pub applications: Table<Application>,
    /// ApplicationSets.
    pub application_sets: Table<ApplicationSet>,
    /// AppProjects.
    pub projects: Table<AppProject>,
    /// Secrets with Argo CD's secret-type label.
    pub secrets: Table<Secret>,
    /// ConfigMaps that are part of Argo CD.
    pub config_maps: Table<ConfigMap>,
}

impl Index {
    /// Whether what registers clusters and repositories has been listed once.
    pub(super) fn knows_registrations(&self) -> bool {
        self.secrets.is_listed() && self.config_maps.is_listed()
    }

    /// The applications that a set owns.
    pub(crate) fn applications_of<'a>(
        &'a self,
        set: &'a ObjectName,
    ) -> impl Iterator<Item = &'a Arc<Application>> {
        let applications = self.applications.iter().map(|(_, app)| app);
        applications.filter(move |app| owner_set(app).as_ref() == Some(set))
    }

    /// Whether every kind has been listed once.
    pub fn is_ready(&self) -> bool {
        self.applications.is_listed()
            && self.application_sets.is_listed()
            && self.projects.is_listed()
            && self.knows_registrations()
    }

    /// Why nothing that sets generate can be compared with what is there: a kind that everything
    /// depends on may not be listed any more. Secrets are not among them, because only some
    /// generators read clusters.
    pub fn denied(&self) -> Option<String> {
        let kinds = [
            ("applications", &self.applications.listing),
            ("applicationsets", &self.application_sets.listing),
            ("appprojects", &self.projects.listing),
            ("configmaps", &self.config_maps.listing),
        ];
        kinds.into_iter().find_map(|(kind, listing)| {
            let why = listing.denied.as_ref()?;
            Some(format!(
                "{kind} of the hub's cluster can no longer be listed: {why}"
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn project(name: &str, version: &str) -> Value {
        json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject", "spec": {},
               "metadata": {"namespace": "argocd", "name": name, "resourceVersion": version}})
    }

    #[test]
    fn an_older_object_does_not_replace_a_newer_one() {
        let mut table = Table::<AppProject>::default();
        assert!(table.apply(&project("web", "7")).is_some());
        assert!(table.apply(&project("web", "6")).is_none());
        assert!(table.apply(&project("web", "8")).is_some());
    }

    #[test]
    fn absence_means_nothing_before_the_first_listing() {
        let mut table = Table::<AppProject>::default();
        assert!(table.observed("AppProjects").as_complete().is_none());
        table.listed(&BTreeSet::new());
        assert!(table.observed("AppProjects").as_complete().is_some());
    }

    #[test]
    fn a_malformed_object_is_named_with_its_field_and_leaves_the_others() {
        let mut table = Table::<AppProject>::default();
        table.listed(&BTreeSet::new());
        table.apply(&project("web", "1"));
        let mut broken = project("db", "2");
        broken["spec"]["sourceRepos"] = json!("not a list");
        table.apply(&broken);
        let observed = table.observed("AppProjects");
        assert_eq!(observed.seen().map(Vec::len), Some(1));
        assert!(observed.gap().is_some_and(|why| why.contains("argocd/db")));
        assert!(
            observed
                .gap()
                .is_some_and(|why| why.contains("spec.sourceRepos"))
        );
    }
}
