//! What follows a deletion: garbage collection by owner references, and the emptying of
//! namespaces. The real server's controllers do it a moment later; here it is done before the
//! answer, so that a test sees it at once.

use std::sync::Arc;

use serde_json::{Value, json};

use super::definition;
use super::delete::DeleteOptions;
use super::failure::Failure;
use super::object::{finalizers, is_deleting, metadata, uid_of};
use super::state::{Key, State, owners};

impl State {
    /// Whether a namespace's content, or a definition's objects, keep it from ending.
    pub(super) fn holds_content(&self, key: &Key) -> bool {
        match key.table.as_str() {
            "namespaces" => self.content(&key.name).next().is_some(),
            definition::TABLE => self.objects(&key.name, "").next().is_some(),
            _ => false,
        }
    }

    fn content<'a>(&'a self, namespace: &'a str) -> impl Iterator<Item = Key> + 'a {
        self.table_names().into_iter().flat_map(move |table| {
            let keys: Vec<_> = self
                .objects(&table, namespace)
                .map(|object| Key::new(&table, namespace, super::name_of(object)))
                .collect();
            keys.into_iter()
        })
    }

    /// Does everything that deletions left to do.
    pub(super) fn settle(&mut self) -> Result<(), Failure> {
        if self.settling {
            return Ok(());
        }
        self.settling = true;
        let done = self.settle_all();
        self.settling = false;
        done
    }

    fn settle_all(&mut self) -> Result<(), Failure> {
        loop {
            if !self.collector {
                self.leave_to_controllers();
            }
            if let Some(uid) = self.released.pop_first() {
                self.release(&uid)?;
            } else if let Some(key) = self.strays.pop_first() {
                self.collect(&key, "Background")?;
            } else if let Some(key) = self.ending.pop_first() {
                self.proceed(&key)?;
            } else {
                return Ok(());
            }
        }
    }

    /// Forgets what the server does not do by itself: it ends definitions, and no more.
    fn leave_to_controllers(&mut self) {
        self.released.clear();
        self.strays.clear();
        self.ending.retain(|key| key.table == definition::TABLE);
    }

    /// Notes a new object whose owners do not exist.
    pub(super) fn stray_if_orphaned(&mut self, key: &Key, object: &Value) {
        let owners = owners(object);
        if !owners.is_empty() && !owners.iter().any(|uid| self.uids.contains_key(uid)) {
            self.strays.insert(key.clone());
        }
    }

    /// The owner is gone: dependents without another owner go too.
    fn release(&mut self, uid: &str) -> Result<(), Failure> {
        let dependents: Vec<_> = self
            .dependents
            .get(uid)
            .into_iter()
            .flatten()
            .cloned()
            .collect();
        for key in dependents {
            let Some(object) = self.get(&key).cloned() else {
                continue;
            };
            if owners(&object)
                .iter()
                .any(|owner| self.uids.contains_key(owner))
            {
                self.disown(&key, uid)?;
            } else {
                self.collect(&key, "Background")?;
            }
        }
        Ok(())
    }

    fn collect(&mut self, key: &Key, propagation: &str) -> Result<(), Failure> {
        let Some(kind) = self.registry.by_table(&key.table) else {
            return Ok(());
        };
        let options = DeleteOptions {
            propagation: propagation.to_owned(),
            ..DeleteOptions::default()
        };
        match self.delete(&kind, key, &options) {
            Err(failure) if failure.code >= 500 => Err(failure),
            _ => Ok(()),
        }
    }

    fn disown(&mut self, key: &Key, uid: &str) -> Result<(), Failure> {
        let Some(object) = self.get(key) else {
            return Ok(());
        };
        let mut object = (**object).clone();
        let meta = metadata(&mut object);
        if let Some(list) = meta
            .get_mut("ownerReferences")
            .and_then(Value::as_array_mut)
        {
            list.retain(|owner| owner["uid"] != uid);
            if list.is_empty() {
                meta.remove("ownerReferences");
            }
        }
        self.commit(key, object, false).map(drop)
    }

    /// Takes an object that is being deleted as far towards its end as it can go.
    fn proceed(&mut self, key: &Key) -> Result<(), Failure> {
        let Some(object) = self.get(key).cloned() else {
            return Ok(());
        };
        if !is_deleting(&object) {
            return Ok(());
        }
        match key.table.as_str() {
            "namespaces" => self.empty_namespace(&key.name)?,
            definition::TABLE => self.empty_definition(&key.name)?,
            _ => {}
        }
        let uid = uid_of(&object).to_owned();
        let mut left: Vec<String> = finalizers(&object).into_iter().map(str::to_owned).collect();
        let dependents: Vec<_> = self
            .dependents
            .get(&uid)
            .into_iter()
            .flatten()
            .cloned()
            .collect();
        if left.iter().any(|name| name == "orphan") {
            for dependent in &dependents {
                self.disown(dependent, &uid)?;
            }
            left.retain(|name| name != "orphan");
        }
        if left.iter().any(|name| name == "foregroundDeletion") {
            for dependent in &dependents {
                self.collect_unless_shared(dependent, &uid)?;
            }
            if !self.blocked(&uid) {
                left.retain(|name| name != "foregroundDeletion");
            }
        }
        if !self.holds_content(key) {
            left.retain(|name| name != definition::CLEANUP);
        }
        self.finish(key, &left)
    }

    fn collect_unless_shared(&mut self, key: &Key, uid: &str) -> Result<(), Failure> {
        let Some(object) = self.get(key).cloned() else {
            return Ok(());
        };
        if is_deleting(&object) {
            return Ok(());
        }
        let shared = owners(&object)
            .iter()
            .filter(|owner| *owner != uid)
            .filter_map(|owner| self.get(self.uids.get(owner)?))
            .any(|owner| !is_deleting(owner));
        if shared {
            self.disown(key, uid)
        } else {
            self.collect(key, "Foreground")
        }
    }

    /// Whether a dependent that blocks its owner's deletion is still there.
    fn blocked(&self, uid: &str) -> bool {
        let dependents = self.dependents.get(uid).into_iter().flatten();
        dependents.filter_map(|key| self.get(key)).any(|object| {
            let references = object["metadata"]["ownerReferences"].as_array();
            references
                .into_iter()
                .flatten()
                .any(|owner| owner["uid"] == uid && owner["blockOwnerDeletion"] == true)
        })
    }

    fn finish(&mut self, key: &Key, left: &[String]) -> Result<(), Failure> {
        let Some(object) = self.get(key).cloned() else {
            return Ok(());
        };
        let ended = left.is_empty() && !self.holds_content(key);
        let before = finalizers(&object).len();
        if !ended && left.len() == before {
            return Ok(());
        }
        let mut object = (*object).clone();
        if left.is_empty() {
            metadata(&mut object).remove("finalizers");
        } else {
            metadata(&mut object).insert("finalizers".to_owned(), json!(left));
        }
        self.commit(key, object, ended).map(drop)
    }

    fn empty_namespace(&mut self, namespace: &str) -> Result<(), Failure> {
        let content: Vec<_> = self.content(namespace).collect();
        for key in content {
            let deleting = self.get(&key).is_none_or(|object| is_deleting(object));
            if !deleting {
                self.collect(&key, "Background")?;
            }
        }
        Ok(())
    }

    fn empty_definition(&mut self, table: &str) -> Result<(), Failure> {
        let objects: Vec<Arc<Value>> = self.objects(table, "").cloned().collect();
        for object in objects.iter().filter(|object| !is_deleting(object)) {
            let key = Key::new(table, super::namespace_of(object), super::name_of(object));
            self.collect(&key, "Background")?;
        }
        Ok(())
    }

    /// Notes what a commit means for others' deletions.
    pub(super) fn note(&mut self, key: &Key, object: &Value, deleted: bool) {
        if !deleted {
            if is_deleting(object) {
                self.ending.insert(key.clone());
            }
            return;
        }
        self.released.insert(uid_of(object).to_owned());
        for owner in owners(object) {
            if let Some(owner) = self.uids.get(&owner).cloned() {
                self.ending.insert(owner);
            }
        }
        if !key.namespace.is_empty() {
            self.ending
                .insert(Key::new("namespaces", "", &key.namespace));
        }
        if key.table.contains('.') {
            self.ending
                .insert(Key::new(definition::TABLE, "", &key.table));
        }
    }
}
