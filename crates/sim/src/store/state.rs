//! The state itself: tables, counters, and the one place where a change becomes real.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::definition;
use super::failure::Failure;
use super::identity::Identity;
use super::object::{metadata, name_of, namespace_of, uid_of};
use super::table::{Event, Table};
use crate::cluster::SimConfig;
use crate::persist::{self, Journal, PersistError};
use crate::registry::{Kind, Registry, kinds_of};

/// Where an object is kept.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    /// `deployments.apps`, `pods`.
    pub(crate) table: String,
    /// Empty for what has no namespace.
    pub(crate) namespace: String,
    pub(crate) name: String,
}

impl Key {
    pub(crate) fn new(table: &str, namespace: &str, name: &str) -> Self {
        Self {
            table: table.to_owned(),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        }
    }

    /// Where `object` of `kind` is kept.
    pub(crate) fn of(kind: &Kind, object: &Value) -> Self {
        Self::new(&kind.table(), namespace_of(object), name_of(object))
    }
}

/// What every write says about itself.
#[derive(Debug, Clone)]
pub(crate) struct WriteOptions {
    pub(crate) dry_run: bool,
    pub(crate) manager: String,
    /// Whether unknown fields are errors.
    pub(crate) strict: bool,
}

impl WriteOptions {
    /// As a component of the control plane writes.
    pub(crate) fn by(manager: &str) -> Self {
        Self {
            dry_run: false,
            manager: manager.to_owned(),
            strict: false,
        }
    }
}

/// Everything a cluster knows.
pub(crate) struct State {
    pub(crate) registry: Registry,
    pub(crate) now: Timestamp,
    pub(crate) identity: Identity,
    /// What the simulated controllers have not looked at since it changed.
    pub(crate) dirty: BTreeSet<Key>,
    /// When the simulated controllers want to look again.
    pub(crate) timers: BTreeMap<Key, Timestamp>,
    /// Whether anybody looks at `dirty`.
    controlled: bool,
    tables: BTreeMap<String, Table>,
    version: u64,
    /// The version at the start: what came before is not in the history.
    started: u64,
    history: usize,
    journal: Option<Journal>,
    /// Objects by uid, and by their owners' uids.
    pub(super) uids: BTreeMap<String, Key>,
    pub(super) dependents: BTreeMap<String, BTreeSet<Key>>,
    /// What garbage collection has still to do: uids that are gone, objects without an owner,
    /// objects on their way out.
    pub(super) released: BTreeSet<String>,
    pub(super) strays: BTreeSet<Key>,
    pub(super) ending: BTreeSet<Key>,
    pub(super) settling: bool,
    /// Whether controllers follow up on deletions, see [`SimConfig::collector`].
    pub(super) collector: bool,
}

impl State {
    pub(crate) fn new(config: &SimConfig, journal: Option<Journal>) -> Result<Self, PersistError> {
        let (kept, version, given) = match &journal {
            Some(journal) => journal.load()?,
            None => (Vec::new(), 0, 0),
        };
        let fresh = kept.is_empty();
        let mut state = Self {
            registry: Registry::default(),
            now: (config.clock)(),
            identity: Identity::new(config.seed, given),
            dirty: BTreeSet::new(),
            timers: BTreeMap::new(),
            controlled: config.workloads.is_some(),
            tables: BTreeMap::new(),
            version,
            started: version,
            history: config.history.max(1),
            journal,
            uids: BTreeMap::new(),
            dependents: BTreeMap::new(),
            released: BTreeSet::new(),
            strays: BTreeSet::new(),
            ending: BTreeSet::new(),
            settling: false,
            collector: config.collector,
        };
        for row in kept {
            let key = Key {
                table: row.table,
                namespace: row.namespace,
                name: row.name,
            };
            state.put_back(key, row.content);
        }
        if fresh {
            state.found(config.workloads.is_some());
        }
        Ok(state)
    }

    pub(crate) fn resource_version(&self) -> u64 {
        self.version
    }

    pub(crate) fn get(&self, key: &Key) -> Option<&Arc<Value>> {
        let table = self.tables.get(&key.table)?;
        table
            .objects
            .get(&(key.namespace.clone(), key.name.clone()))
    }

    /// The objects of a table in order, of one namespace where it is not empty.
    pub(crate) fn objects<'a>(
        &'a self,
        table: &str,
        namespace: &'a str,
    ) -> impl Iterator<Item = &'a Arc<Value>> {
        let start = (namespace.to_owned(), String::new());
        let table = self.tables.get(table);
        table
            .into_iter()
            .flat_map(move |table| table.objects.range(start.clone()..))
            .take_while(move |((found, _), _)| namespace.is_empty() || found == namespace)
            .map(|(_, object)| object)
    }

    /// The objects of a table with their places, from one place on.
    pub(super) fn objects_after(
        &self,
        table: &str,
        start: Bound<(String, String)>,
    ) -> impl Iterator<Item = (&(String, String), &Arc<Value>)> {
        let range = (start, Bound::Unbounded);
        self.tables
            .get(table)
            .into_iter()
            .flat_map(move |table| table.objects.range(range.clone()))
    }

    pub(crate) fn table_names(&self) -> Vec<String> {
        self.tables.keys().cloned().collect()
    }

    /// The changes of a table after a version; see [`Table::since`].
    pub(crate) fn since(&self, table: &str, version: u64) -> Result<Vec<Arc<Event>>, u64> {
        match self.tables.get(table) {
            Some(table) => table.since(version),
            None if version < self.started => Err(self.started),
            None => Ok(Vec::new()),
        }
    }

    pub(crate) fn wake(&mut self, table: &str) -> Arc<Notify> {
        self.table(table).wake()
    }

    fn table(&mut self, name: &str) -> &mut Table {
        // What happened before the start is forgotten, also in tables that are empty since.
        let started = self.started;
        self.tables
            .entry(name.to_owned())
            .or_insert_with(|| Table::new(started))
    }

    /// Makes a change real: a version, the journal, the table, the indices, the watchers.
    pub(super) fn commit(
        &mut self,
        key: &Key,
        mut object: Value,
        deleted: bool,
    ) -> Result<Arc<Value>, Failure> {
        let version = self.version + 1;
        metadata(&mut object).insert("resourceVersion".to_owned(), version.to_string().into());
        if let Some(journal) = &self.journal {
            let change = persist::Change {
                table: &key.table,
                namespace: &key.namespace,
                name: &key.name,
                content: (!deleted).then_some(&object),
            };
            journal
                .append(version, self.identity.given(), &[change])
                .map_err(|error| Failure::internal(error.to_string()))?;
        }
        self.version = version;
        let new = Arc::new(object);
        let place = (key.namespace.clone(), key.name.clone());
        let limit = self.history;
        let table = self.table(&key.table);
        let old = if deleted {
            table.objects.remove(&place)
        } else {
            table.objects.insert(place, Arc::clone(&new))
        };
        let event = Event {
            version,
            old: old.clone(),
            new: Arc::clone(&new),
            deleted,
        };
        table.record(event, limit);
        if let Some(old) = &old {
            self.unindex(key, old);
        }
        if !deleted {
            self.index(key, &new);
        }
        self.redefine(key, if deleted { None } else { Some(&new) });
        self.note(key, &new, deleted);
        if self.controlled {
            self.dirty.extend(
                owners(&new)
                    .iter()
                    .filter_map(|owner| self.uids.get(owner))
                    .cloned(),
            );
            self.dirty.insert(key.clone());
        }
        Ok(new)
    }

    /// Puts an object from the journal in its place, as it was.
    fn put_back(&mut self, key: Key, object: Value) {
        self.index(&key, &object);
        self.redefine(&key, Some(&object));
        let place = (key.namespace.clone(), key.name.clone());
        self.table(&key.table)
            .objects
            .insert(place, Arc::new(object));
        if self.controlled {
            self.dirty.insert(key);
        }
    }

    /// Keeps the registry in step with the definitions.
    fn redefine(&mut self, key: &Key, definition: Option<&Value>) {
        if key.table != definition::TABLE {
            return;
        }
        let Some((plural, group)) = key.name.split_once('.') else {
            return;
        };
        let kinds = definition.map(kinds_of).unwrap_or_default();
        self.registry.define(group, plural, kinds);
        // Who watches a kind that is gone has to learn it.
        if let Some(table) = self.tables.get(&key.name) {
            table.nudge();
        }
    }

    fn index(&mut self, key: &Key, object: &Value) {
        self.uids.insert(uid_of(object).to_owned(), key.clone());
        for owner in owners(object) {
            self.dependents
                .entry(owner)
                .or_default()
                .insert(key.clone());
        }
    }

    fn unindex(&mut self, key: &Key, object: &Value) {
        self.uids.remove(uid_of(object));
        for owner in owners(object) {
            if let Some(keys) = self.dependents.get_mut(&owner) {
                keys.remove(key);
                if keys.is_empty() {
                    self.dependents.remove(&owner);
                }
            }
        }
    }

    /// What a cluster has before anybody uses it.
    fn found(&mut self, workloads: bool) {
        for name in ["default", "kube-system", "kube-public", "kube-node-lease"] {
            self.install("namespaces", json!({"metadata": {"name": name}}));
        }
        let service = json!({
            "metadata": {"name": "kubernetes", "namespace": "default",
                "labels": {"component": "apiserver", "provider": "kubernetes"}},
            "spec": {"clusterIP": "10.96.0.1", "ports": [{"name": "https", "port": 443, "targetPort": 6443}]},
        });
        self.install("services", service);
        if workloads {
            let node = json!({
                "metadata": {"name": "sim-node", "labels": {"kubernetes.io/hostname": "sim-node"}},
                "status": {"conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady"}]},
            });
            self.install("nodes", node);
        }
    }

    fn install(&mut self, table: &str, object: Value) {
        let Some(kind) = self.registry.by_table(table) else {
            return;
        };
        let namespace = namespace_of(&object).to_owned();
        let options = super::CreateOptions {
            write: WriteOptions::by("kube-apiserver"),
            status: true,
        };
        let name = name_of(&object).to_owned();
        if let Err(failure) = self.create(&kind, &namespace, object, &options) {
            tracing::warn!(
                object.name = name,
                failure.message,
                "cannot install an object"
            );
        }
    }

    /// The objects that name `owner` as their controller, in order.
    pub(crate) fn controlled_by(&self, owner: &str, table: &str) -> Vec<Arc<Value>> {
        let keys = self.dependents.get(owner).into_iter().flatten();
        keys.filter(|key| key.table == table)
            .filter_map(|key| self.get(key))
            .filter(|object| {
                let list = object["metadata"]["ownerReferences"]
                    .as_array()
                    .into_iter()
                    .flatten();
                list.into_iter()
                    .any(|o| o["uid"] == owner && o["controller"] == true)
            })
            .cloned()
            .collect()
    }

    /// Writes an object as a node would: past admission, without a field manager.
    pub(crate) fn overwrite(
        &mut self,
        key: &Key,
        edit: impl FnOnce(&mut Value),
    ) -> Result<(), Failure> {
        let Some(old) = self.get(key) else {
            return Ok(());
        };
        let mut new = (**old).clone();
        edit(&mut new);
        if new == **old {
            return Ok(());
        }
        self.commit(key, new, false).map(drop)
    }
}

pub(super) fn owners(object: &Value) -> Vec<String> {
    let list = object["metadata"]["ownerReferences"]
        .as_array()
        .into_iter()
        .flatten();
    list.filter_map(|owner| owner["uid"].as_str())
        .map(str::to_owned)
        .collect()
}
