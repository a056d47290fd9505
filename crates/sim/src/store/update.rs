//! Changing an object: replacing it, patching it, applying to it, and its subresources.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::accept::{accept, accept_patched};
use super::create::CreateOptions;
use super::failure::{Cause, Failure};
use super::object::{finalizers, is_deleting, map_of, metadata, uid_of, version_of};
use super::state::{Key, State, WriteOptions};
use super::{admit, names, validate};
use crate::apply::{self, Conflict, track_update};
use crate::patch::{Format, PatchError, patched};
use crate::registry::Kind;

/// What is done to an object.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    /// Put in its place.
    Replace(Value),
    Patch(Value, Format),
    Apply {
        object: Value,
        force: bool,
    },
}

impl State {
    /// Changes the object at `key`, or its `subresource` (`status`, or empty). Answers the object
    /// and whether it was made by this.
    pub(crate) fn change(
        &mut self,
        kind: &Arc<Kind>,
        key: &Key,
        subresource: &str,
        change: Change,
        write: &WriteOptions,
    ) -> Result<(Arc<Value>, bool), Failure> {
        match &change {
            Change::Apply { object, .. } => {
                validate::declared(kind, object)?;
                check_name(key, object)?;
            }
            Change::Replace(object) => check_name(key, object)?,
            Change::Patch(..) => {}
        }
        let Some(old) = self.get(key).cloned() else {
            return self.change_missing(kind, key, subresource, change, write);
        };
        let tracked = matches!(change, Change::Apply { .. });
        let patch = matches!(change, Change::Patch(..));
        let mut new = self.proposed(kind, &old, subresource, change, write)?;
        if patch {
            accept_patched(kind, &mut new, write.strict)?;
        } else {
            accept(kind, &mut new, write.strict)?;
        }
        check_identity(kind, key, &old, &new)?;
        keep_server_fields(kind, &old, &mut new, subresource);
        if !tracked {
            let manager = self.manager(kind, write, subresource);
            track_update(
                &old,
                &mut new,
                &kind.schema,
                &manager,
                &ignored(kind, subresource),
            );
        }
        self.put(kind, key, &old, new, write)
            .map(|object| (object, false))
    }

    fn change_missing(
        &mut self,
        kind: &Arc<Kind>,
        key: &Key,
        subresource: &str,
        change: Change,
        write: &WriteOptions,
    ) -> Result<(Arc<Value>, bool), Failure> {
        let missing = Failure::not_found(kind, &key.name);
        let Change::Apply { mut object, force } = change else {
            return Err(missing);
        };
        metadata(&mut object).remove("resourceVersion");
        if !subresource.is_empty() || !super::get_text(&object, &["metadata", "uid"]).is_empty() {
            return Err(missing);
        }
        let options = CreateOptions {
            write: write.clone(),
            status: false,
        };
        let manager = self.manager(kind, write, subresource);
        let ignored = ignored(kind, subresource);
        let empty = json!({"metadata": {}});
        let mut object = apply::apply(&empty, &object, &kind.schema, &manager, (force, &ignored))
            .map_err(|conflicts| conflicting(kind, &key.name, &conflicts))?;
        metadata(&mut object).insert("name".to_owned(), key.name.clone().into());
        self.create_applied(kind, &key.namespace, object, &options)
            .map(|made| (made, true))
    }

    fn proposed(
        &self,
        kind: &Kind,
        old: &Arc<Value>,
        subresource: &str,
        change: Change,
        write: &WriteOptions,
    ) -> Result<Value, Failure> {
        let name = super::name_of(old);
        match change {
            Change::Replace(new) => Ok(new),
            Change::Patch(_, Format::Strategic) if kind.custom.is_some() => Err(Failure::new(
                415,
                "UnsupportedMediaType",
                "the body of the request was in an unknown format - accepted media types \
                     include: application/json-patch+json, application/merge-patch+json, \
                     application/apply-patch+yaml",
            )),
            Change::Patch(patch, format) => {
                patched(old, &patch, format, &kind.schema).map_err(|error| match error {
                    PatchError::Malformed(message) => Failure::bad_request(message),
                    PatchError::Keyless(message) => Failure::plain(message),
                    PatchError::Unfit(_) => {
                        let mut failure = Failure::new(
                            422,
                            "Invalid",
                            "the server rejected our request due to an error in our request",
                        );
                        failure.details = Some(json!({}));
                        failure
                    }
                })
            }
            Change::Apply { object, force } => {
                let manager = self.manager(kind, write, subresource);
                let ignored = ignored(kind, subresource);
                apply::apply(old, &object, &kind.schema, &manager, (force, &ignored))
                    .map_err(|conflicts| conflicting(kind, name, &conflicts))
            }
        }
    }

    /// Admits and commits; an object that did not change keeps its version.
    fn put(
        &mut self,
        kind: &Arc<Kind>,
        key: &Key,
        old: &Arc<Value>,
        mut new: Value,
        write: &WriteOptions,
    ) -> Result<Arc<Value>, Failure> {
        admit::keep_allocated(kind, old, &mut new);
        admit::prepare(self, kind, &mut new);
        let mut causes = names::check(kind, &new);
        causes.extend(names::check_held(old, &new));
        causes.extend(validate::new_object(kind, &new));
        causes.extend(validate::changed_object(kind, old, &new));
        if !causes.is_empty() {
            return Err(Failure::invalid(kind, &key.name, &causes));
        }
        if same(old, &new) {
            return Ok(Arc::clone(old));
        }
        if write.dry_run {
            return Ok(Arc::new(new));
        }
        let ended = is_deleting(&new) && finalizers(&new).is_empty() && !self.holds_content(key);
        let mut put = self.commit(key, new, ended)?;
        if ended {
            // The version of the deletion is told to watches only.
            let mut last = (*put).clone();
            let version = old["metadata"]["resourceVersion"].clone();
            metadata(&mut last).insert("resourceVersion".to_owned(), version);
            put = Arc::new(last);
        }
        self.after_update(kind, &put)?;
        self.settle()?;
        Ok(put)
    }

    /// Changes an object as a control plane component would, without questions.
    pub(crate) fn amend(
        &mut self,
        kind: &Arc<Kind>,
        key: &Key,
        subresource: &str,
        manager: &str,
        edit: impl FnOnce(&mut Value),
    ) -> Result<(), Failure> {
        let Some(old) = self.get(key).cloned() else {
            return Ok(());
        };
        let mut new = (*old).clone();
        edit(&mut new);
        if new == *old {
            return Ok(());
        }
        let write = WriteOptions::by(manager);
        self.change(kind, key, subresource, Change::Replace(new), &write)
            .map(drop)
    }
}

/// The object must say the name that the request says.
fn check_name(key: &Key, object: &Value) -> Result<(), Failure> {
    let message = match super::name_of(object) {
        "" => format!(
            "the name of the object ({} based on URL) was undeterminable: name must be provided",
            key.name
        ),
        name if name != key.name => format!(
            "the name of the object ({name}) does not match the name on the URL ({})",
            key.name
        ),
        _ => return Ok(()),
    };
    Err(Failure::bad_request(message))
}

fn check_identity(kind: &Kind, key: &Key, old: &Value, new: &Value) -> Result<(), Failure> {
    let version = super::get_text(new, &["metadata", "resourceVersion"]);
    let definition = kind.is("apiextensions.k8s.io", "CustomResourceDefinition");
    if version.is_empty() && (kind.custom.is_some() || definition) {
        let detail = "must be specified for an update";
        let cause = Cause::invalid("metadata.resourceVersion", &0.into(), detail);
        return Err(Failure::invalid_resource(kind, &key.name, &cause));
    }
    if !version.is_empty() && version.parse() != Ok(version_of(old)) {
        return Err(Failure::modified(kind, &key.name));
    }
    let uid = uid_of(new);
    if !uid.is_empty() && uid != uid_of(old) {
        let detail = format!(
            "StorageError: invalid object, Code: 4, Key: /registry/{}/{}/{}, ResourceVersion: 0, \
             AdditionalErrorMsg: Precondition failed: UID in precondition: {uid}, UID in object \
             meta: {}",
            kind.plural,
            key.namespace,
            key.name,
            uid_of(old)
        );
        return Err(Failure::conflict(kind, &key.name, &detail));
    }
    let name = super::name_of(new);
    if !name.is_empty() && name != key.name {
        let message = format!(
            "the name of the object ({name}) does not match the name on the URL ({})",
            key.name
        );
        return Err(Failure::bad_request(message));
    }
    let namespace = super::namespace_of(new);
    if kind.namespaced && !namespace.is_empty() && namespace != key.namespace {
        return Err(Failure::bad_request(
            "the namespace of the provided object does not match the namespace sent on the \
             request",
        ));
    }
    Ok(())
}

/// Takes over from the old object what this writer cannot change, and counts the generation.
fn keep_server_fields(kind: &Kind, old: &Value, new: &mut Value, subresource: &str) {
    if subresource == "status" {
        let status = new.get("status").cloned();
        let managed = new["metadata"].get("managedFields").cloned();
        *new = old.clone();
        set(map_of(new), "status", status);
        set(metadata(new), "managedFields", managed);
        return;
    }
    if kind.status {
        set(map_of(new), "status", old.get("status").cloned());
    }
    let kept = [
        "name",
        "namespace",
        "uid",
        "creationTimestamp",
        "generateName",
        "generation",
    ];
    let ending = [
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "resourceVersion",
    ];
    let meta = metadata(new);
    for name in kept.into_iter().chain(ending) {
        set(meta, name, old["metadata"].get(name).cloned());
    }
    if kind.generation && spec_differs(kind, old, new) {
        let generation = old["metadata"]["generation"].as_i64().unwrap_or(0) + 1;
        metadata(new).insert("generation".to_owned(), generation.into());
    }
}

fn set(map: &mut Map<String, Value>, name: &str, value: Option<Value>) {
    match value {
        Some(value) => drop(map.insert(name.to_owned(), value)),
        None => drop(map.remove(name)),
    }
}

/// The paths a writer of this subresource cannot own.
fn ignored(kind: &Kind, subresource: &str) -> Vec<&'static str> {
    match subresource {
        "status" => vec!["only:status"],
        _ if kind.status => vec!["status"],
        _ => Vec::new(),
    }
}

fn spec_differs(kind: &Kind, old: &Value, new: &Value) -> bool {
    let counted = |object: &Value| -> Map<String, Value> {
        let skip = |name: &str| {
            name == "metadata" || (name == "status" && (kind.status || kind.custom.is_none()))
        };
        let map = object.as_object().into_iter().flatten();
        map.filter(|(name, _)| !skip(name))
            .map(|(n, v)| (n.clone(), v.clone()))
            .collect()
    };
    counted(old) != counted(new)
}

/// Whether nothing changed but the times in the managed fields.
fn same(old: &Value, new: &Value) -> bool {
    if old == new {
        return true;
    }
    let timeless = |object: &Value| {
        let mut object = object.clone();
        if let Some(entries) = object["metadata"]["managedFields"].as_array_mut() {
            for entry in entries.iter_mut() {
                map_of(entry).remove("time");
            }
            entries.sort_by_key(Value::to_string);
        }
        object
    };
    timeless(old) == timeless(new)
}

fn conflicting(kind: &Kind, name: &str, conflicts: &[Conflict]) -> Failure {
    let message = match conflicts {
        [one] => format!(
            "Apply failed with 1 conflict: conflict with {}: {}",
            one.manager, one.path
        ),
        many => {
            let mut told = String::new();
            let mut last = "";
            for conflict in many {
                if conflict.manager != last {
                    let separator = if last.is_empty() { "" } else { "\n" };
                    told.extend([separator, "conflicts with ", &conflict.manager, ":"]);
                    last = &conflict.manager;
                }
                told.extend(["\n- ", &conflict.path]);
            }
            format!("Apply failed with {} conflicts: {told}", many.len())
        }
    };
    let mut failure = Failure::conflict(kind, name, "");
    failure.message = message;
    let causes: Vec<_> = conflicts
        .iter()
        .map(|conflict| {
            json!({
                "reason": "FieldManagerConflict",
                "message": format!("conflict with {}", conflict.manager),
                "field": conflict.path,
            })
        })
        .collect();
    failure.details = Some(json!({"causes": causes}));
    failure
}
