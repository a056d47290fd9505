//! Making an object.

use std::sync::Arc;

use serde_json::{Value, json};

use super::accept::accept;
use super::admit;
use super::failure::Failure;
use super::object::{map_of, metadata, name_of, namespace_of, seconds};
use super::state::{Key, State, WriteOptions};
use super::{names, typed, validate};
use crate::apply::{Manager, track_update};
use crate::registry::{Empty, Kind};

/// How an object is made.
#[derive(Debug, Clone)]
pub(crate) struct CreateOptions {
    pub(crate) write: WriteOptions,
    /// Keeps the status that came along; otherwise the kind's first status is set.
    pub(crate) status: bool,
}

impl State {
    /// Makes `object` (without apiVersion and kind) in `namespace`. A dry run does everything but
    /// the commit.
    pub(crate) fn create(
        &mut self,
        kind: &Arc<Kind>,
        namespace: &str,
        mut object: Value,
        options: &CreateOptions,
    ) -> Result<Arc<Value>, Failure> {
        accept(kind, &mut object, options.write.strict)?;
        self.place(kind, namespace, &mut object)?;
        let node = Arc::clone(&kind.schema);
        let ignored: &[&str] = if kind.status && !options.status {
            &["status"]
        } else {
            &[]
        };
        let manager = self.manager(kind, &options.write, "");
        track_update(&zero(kind), &mut object, &node, &manager, ignored);
        self.admit_new(kind, object, options)
    }

    /// Makes an object whose managed fields are already written (by an apply).
    pub(super) fn create_applied(
        &mut self,
        kind: &Arc<Kind>,
        namespace: &str,
        mut object: Value,
        options: &CreateOptions,
    ) -> Result<Arc<Value>, Failure> {
        accept(kind, &mut object, options.write.strict)?;
        self.place(kind, namespace, &mut object)?;
        self.admit_new(kind, object, options)
    }

    pub(super) fn manager(&self, kind: &Kind, write: &WriteOptions, subresource: &str) -> Manager {
        Manager {
            name: write.manager.clone(),
            api_version: kind.api_version(),
            subresource: subresource.to_owned(),
            now: self.now,
        }
    }

    /// Gives the object its name and namespace, and everything the client may not choose.
    fn place(&mut self, kind: &Kind, namespace: &str, object: &mut Value) -> Result<(), Failure> {
        if !super::get_text(object, &["metadata", "resourceVersion"]).is_empty() {
            let message = "resourceVersion should not be set on objects to be created";
            return Err(Failure::plain(message));
        }
        let given = namespace_of(object);
        if kind.namespaced && !given.is_empty() && given != namespace {
            return Err(Failure::bad_request(
                "the namespace of the provided object does not match the namespace sent on the \
                 request",
            ));
        }
        let generate = super::get_text(object, &["metadata", "generateName"]).to_owned();
        let name = match name_of(object) {
            "" if generate.is_empty() => String::new(),
            "" => format!("{generate}{}", self.identity.suffix()),
            name => name.to_owned(),
        };
        let uid = self.identity.uid();
        let now = seconds(self.now);
        let meta = metadata(object);
        for owned in [
            "deletionTimestamp",
            "deletionGracePeriodSeconds",
            "selfLink",
        ] {
            meta.remove(owned);
        }
        if !name.is_empty() {
            meta.insert("name".to_owned(), name.into());
        }
        if kind.namespaced {
            meta.insert("namespace".to_owned(), namespace.into());
        } else {
            meta.remove("namespace");
        }
        if kind.generation {
            meta.insert("generation".to_owned(), 1.into());
        }
        meta.insert("uid".to_owned(), uid.into());
        meta.insert("creationTimestamp".to_owned(), now.into());
        Ok(())
    }

    fn admit_new(
        &mut self,
        kind: &Arc<Kind>,
        mut object: Value,
        options: &CreateOptions,
    ) -> Result<Arc<Value>, Failure> {
        let name = name_of(&object).to_owned();
        let namespace = namespace_of(&object).to_owned();
        self.check_namespace(kind, &namespace, &name)?;
        if !options.status && kind.status {
            map_of(&mut object).remove("status");
        }
        admit::prepare(self, kind, &mut object);
        if kind.custom.is_none() && object.get("status").is_none() {
            let status = kind.schema.fields.get("status");
            if let Some(status) = status.filter(|status| status.empty == Empty::Written) {
                object["status"] = typed::zero(status);
            }
        }
        let mut causes = names::check(kind, &object);
        causes.extend(validate::new_object(kind, &object));
        let key = Key::new(&kind.table(), &namespace, &name);
        if !causes.is_empty() {
            return Err(Failure::invalid(kind, &name, &causes));
        }
        if self.get(&key).is_some() {
            return Err(Failure::already_exists(kind, &name));
        }
        if options.write.dry_run {
            return Ok(Arc::new(object));
        }
        let made = self.commit(&key, object, false)?;
        self.after_create(kind, &made)?;
        self.stray_if_orphaned(&key, &made);
        self.settle()?;
        Ok(made)
    }

    fn check_namespace(&self, kind: &Kind, namespace: &str, name: &str) -> Result<(), Failure> {
        if !kind.namespaced {
            return Ok(());
        }
        let Some(found) = self.get(&Key::new("namespaces", "", namespace)) else {
            let message = format!("namespaces {namespace:?} not found");
            let mut failure = Failure::new(404, "NotFound", message);
            failure.details = Some(json!({"name": namespace, "kind": "namespaces"}));
            return Err(failure);
        };
        if super::object::is_deleting(found) {
            let detail = format!(
                "unable to create new content in namespace {namespace} because it is being terminated"
            );
            let mut failure = Failure::forbidden(kind, name, &detail);
            if let Some(details) = &mut failure.details {
                details["causes"] = json!([{
                    "reason": "NamespaceTerminating",
                    "message": format!("namespace {namespace} is being terminated"),
                    "field": "metadata.namespace",
                }]);
            }
            return Err(failure);
        }
        Ok(())
    }
}

/// What a new object is compared with to see who owns what: the maps that the kind's Go type
/// always has. Their own paths are nobody's.
pub(super) fn zero(kind: &Kind) -> Value {
    if kind.custom.is_some() {
        json!({"metadata": {}})
    } else {
        typed::zero(&kind.schema)
    }
}
