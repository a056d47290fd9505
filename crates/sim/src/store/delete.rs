//! Deleting objects: preconditions, finalizers, propagation.

use std::sync::Arc;

use serde_json::{Value, json};

use super::definition;
use super::failure::Failure;
use super::object::{finalizers, get_text, is_deleting, metadata, seconds, uid_of};
use super::selector::Selector;
use super::state::{Key, State};
use crate::registry::Kind;

/// What a delete asks for: the body and the query of the request.
#[derive(Debug, Clone, Default)]
pub(crate) struct DeleteOptions {
    pub(crate) dry_run: bool,
    /// `Foreground`, `Background` or `Orphan`; empty is the kind's default.
    pub(crate) propagation: String,
    pub(crate) uid: Option<String>,
    pub(crate) version: Option<String>,
}

impl State {
    /// Deletes an object, or marks it where finalizers hold it. Answers its last state, and whether
    /// it is gone.
    pub(crate) fn delete(
        &mut self,
        kind: &Arc<Kind>,
        key: &Key,
        options: &DeleteOptions,
    ) -> Result<(Arc<Value>, bool), Failure> {
        let Some(old) = self.get(key).cloned() else {
            return Err(Failure::not_found(kind, &key.name));
        };
        check(kind, key, &old, options)?;
        if key.table == "namespaces"
            && ["default", "kube-system", "kube-public"].contains(&key.name.as_str())
        {
            return Err(Failure::forbidden(
                kind,
                &key.name,
                "this namespace may not be deleted",
            ));
        }
        let mut object = (*old).clone();
        hold(kind, &mut object, &options.propagation);
        definition::terminate(self, kind, &mut object);
        let held = !finalizers(&object).is_empty() || self.holds_content(key);
        if !held {
            if options.dry_run {
                return Ok((old, true));
            }
            let gone = self.commit(key, object, true)?;
            self.settle()?;
            return Ok((gone, true));
        }
        if !is_deleting(&object) {
            let now = seconds(self.now);
            let meta = metadata(&mut object);
            meta.insert("deletionTimestamp".to_owned(), now.into());
            if key.table != "namespaces" {
                meta.insert("deletionGracePeriodSeconds".to_owned(), 0.into());
            }
            if let Some(generation) = meta.get("generation").and_then(Value::as_i64) {
                meta.insert("generation".to_owned(), (generation + 1).into());
            }
            if key.table == "namespaces" {
                object["status"]["phase"] = "Terminating".into();
            }
        }
        if options.dry_run || object == *old {
            return Ok((Arc::new(object), false));
        }
        let marked = self.commit(key, object, false)?;
        self.ending.insert(key.clone());
        self.settle()?;
        Ok((marked, false))
    }

    /// Deletes every object that matches; answers what they were.
    pub(crate) fn delete_collection(
        &mut self,
        kind: &Arc<Kind>,
        namespace: &str,
        selector: &Selector,
        options: &DeleteOptions,
    ) -> Result<Vec<Arc<Value>>, Failure> {
        let table = kind.table();
        let found: Vec<_> = self
            .objects(&table, namespace)
            .filter(|object| selector.matches(object))
            .cloned()
            .collect();
        for object in &found {
            let key = Key::of(kind, object);
            match self.delete(kind, &key, options) {
                // Garbage collection may have been faster.
                Err(failure) if failure.code != 404 => return Err(failure),
                _ => {}
            }
        }
        Ok(found)
    }
}

fn check(kind: &Kind, key: &Key, old: &Value, options: &DeleteOptions) -> Result<(), Failure> {
    let conditions = [
        ("UID", &options.uid, uid_of(old)),
        (
            "ResourceVersion",
            &options.version,
            get_text(old, &["metadata", "resourceVersion"]),
        ),
    ];
    for (what, wanted, found) in conditions {
        if let Some(wanted) = wanted
            && wanted != found
        {
            let detail = format!(
                "the {what} in the precondition ({wanted}) does not match the {what} in record \
                 ({found}). The object might have been deleted and then recreated"
            );
            return Err(Failure::precondition(kind, &key.name, &detail));
        }
    }
    Ok(())
}

/// Writes the finalizer that a propagation policy stands for.
fn hold(kind: &Kind, object: &mut Value, propagation: &str) {
    let legacy = kind.is("batch", "Job") || kind.is("", "ReplicationController");
    let wanted = match propagation {
        "Foreground" => Some("foregroundDeletion"),
        "Orphan" => Some("orphan"),
        "" if legacy => Some("orphan"),
        _ => None,
    };
    let already = is_deleting(object) && propagation.is_empty();
    let mut list: Vec<String> = finalizers(object).into_iter().map(str::to_owned).collect();
    if !already {
        list.retain(|name| name != "orphan" && name != "foregroundDeletion");
        list.extend(wanted.map(str::to_owned));
    }
    let meta = metadata(object);
    if list.is_empty() {
        meta.remove("finalizers");
    } else {
        meta.insert("finalizers".to_owned(), json!(list));
    }
}
