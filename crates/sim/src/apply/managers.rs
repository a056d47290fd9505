//! `metadata.managedFields`: reading it, changing it with each write, and finding conflicts.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::compare::Comparison;
use super::fields::Fields;
use super::merge::{merge, prune};
use crate::registry::Node;

/// How a manager wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    Apply,
    Update,
}

/// Who writes, and through what.
#[derive(Debug, Clone)]
pub(crate) struct Manager {
    pub(crate) name: String,
    pub(crate) api_version: String,
    pub(crate) subresource: String,
    pub(crate) now: Timestamp,
}

/// A field that another manager owns with another value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Conflict {
    /// The other manager as errors print it: `"kubectl" using apps/v1`.
    pub(crate) manager: String,
    pub(crate) path: String,
}

#[derive(Debug, Clone)]
struct Entry {
    name: String,
    operation: Operation,
    api_version: String,
    subresource: String,
    time: String,
    fields: Fields,
}

impl Entry {
    fn is(&self, manager: &Manager, operation: Operation) -> bool {
        self.operation == operation
            && self.name == manager.name
            && self.subresource == manager.subresource
            && (operation == Operation::Apply || self.api_version == manager.api_version)
    }

    fn printed(&self) -> String {
        let mut text = format!("{:?}", self.name);
        if !self.subresource.is_empty() {
            text = format!("{text} with subresource {:?}", self.subresource);
        }
        if self.operation == Operation::Update {
            text = format!("{text} using {}", self.api_version);
        }
        text
    }
}

/// Merges `applied` into `live` for `manager` and writes the managed fields of the result.
/// `ignored` are paths this writer cannot own (the status, for the main resource).
pub(crate) fn apply(
    live: &Value,
    applied: &Value,
    node: &Node,
    manager: &Manager,
    options: (bool, &[&str]),
) -> Result<Value, Vec<Conflict>> {
    let (force, ignored) = options;
    let mut entries = read(live);
    if entries.is_empty() {
        entries.extend(before_first_apply(live, node, manager, ignored));
    }
    let mut owned = Fields::of(applied, node);
    strip(&mut owned, ignored);
    let at = entries
        .iter()
        .position(|entry| entry.is(manager, Operation::Apply));
    let before = at.map(|at| entries.remove(at));
    let last = before.as_ref().map(|entry| &entry.fields);

    let mut merged = merge(live, applied, node);
    if let Some(last) = last {
        let mut kept = owned.clone();
        for entry in &entries {
            kept.union(&entry.fields);
        }
        prune(&mut merged, last, &kept, node);
    }
    let comparison = Comparison::of(live, &merged, node);
    let conflicts = contest(&mut entries, &comparison);
    if !force && !conflicts.is_empty() {
        return Err(conflicts);
    }
    // Owning nothing still means having applied, so that the next apply knows what to remove.
    if !owned.is_empty() {
        let mut after = entry(manager, Operation::Apply, owned);
        if merged == *live {
            // The time is that of the last apply that changed something.
            after.time = before.map(|entry| entry.time).unwrap_or_default();
        }
        entries.push(after);
    }
    write(&mut merged, entries);
    Ok(merged)
}

/// Stands for all who wrote an object that nobody kept a record of, so that a first apply does not
/// take their fields without asking.
fn before_first_apply(
    live: &Value,
    node: &Node,
    manager: &Manager,
    ignored: &[&str],
) -> Option<Entry> {
    // An object that does not exist yet was written by nobody.
    live["metadata"].get("uid")?;
    let empty = Value::Object(serde_json::Map::new());
    let mut fields = Comparison::of(&empty, live, node).added;
    strip(&mut fields, ignored);
    let mut unknown = entry(manager, Operation::Update, fields);
    "before-first-apply".clone_into(&mut unknown.name);
    Some(unknown)
}

/// Writes the managed fields of `new`, which `manager` made from `old` by other means than apply.
pub(crate) fn track_update(
    old: &Value,
    new: &mut Value,
    node: &Node,
    manager: &Manager,
    ignored: &[&str],
) {
    let mut entries = recorded(old, new, &manager.subresource);
    let comparison = Comparison::of(old, new, node);
    contest(&mut entries, &comparison);
    let at = entries
        .iter()
        .position(|entry| entry.is(manager, Operation::Update));
    let before = at.map(|at| entries.remove(at));
    let mut owned = before
        .as_ref()
        .map(|entry| entry.fields.clone())
        .unwrap_or_default();
    owned.subtract(&comparison.removed);
    owned.union(&comparison.modified);
    owned.union(&comparison.added);
    strip(&mut owned, ignored);
    if !owned.is_empty() {
        let mut after = entry(manager, Operation::Update, owned);
        if let Some(before) = before.filter(|before| before.fields == after.fields)
            && comparison.modified.is_empty()
        {
            after.time = before.time;
        }
        entries.push(after);
    }
    write(new, entries);
}

/// The record that an update starts from: its own where it brings one, so that tools can hand
/// fields over; none where it is `[{}]`, which clears it; else the old object's. Subresources
/// cannot change it.
fn recorded(old: &Value, new: &Value, subresource: &str) -> Vec<Entry> {
    let brought = new["metadata"]["managedFields"]
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    if !subresource.is_empty() || brought.is_empty() {
        return read(old);
    }
    if *brought == [json!({})] {
        Vec::new()
    } else {
        read(new)
    }
}

/// Takes from all managers what was removed and what somebody else changed; the latter are the
/// conflicts.
fn contest(entries: &mut Vec<Entry>, comparison: &Comparison) -> Vec<Conflict> {
    let mut changed = comparison.modified.clone();
    changed.union(&comparison.added);
    let mut conflicts = Vec::new();
    for entry in entries.iter_mut() {
        let disputed = entry.fields.intersection(&changed);
        for path in disputed.paths() {
            conflicts.push(Conflict {
                manager: entry.printed(),
                path,
            });
        }
        entry.fields.subtract(&disputed);
        entry.fields.subtract(&comparison.removed);
    }
    entries.retain(|entry| !entry.fields.is_empty());
    conflicts
}

/// Takes out what nobody owns: identity, and what the server writes.
fn strip(fields: &mut Fields, ignored: &[&str]) {
    for name in ["f:apiVersion", "f:kind"] {
        fields.remove(&[name]);
    }
    for name in [
        "name",
        "namespace",
        "creationTimestamp",
        "selfLink",
        "uid",
        "clusterName",
    ] {
        fields.remove(&["f:metadata", &format!("f:{name}")]);
    }
    for name in ["generation", "managedFields", "resourceVersion"] {
        fields.remove(&["f:metadata", &format!("f:{name}")]);
    }
    for name in ignored {
        match name.strip_prefix("only:") {
            Some(kept) => *fields = fields.only(&format!("f:{kept}")),
            None => fields.remove(&[&format!("f:{name}")]),
        }
    }
    if let Some(metadata) = fields.children.get_mut("f:metadata") {
        metadata.member = false;
        if metadata.is_empty() {
            fields.children.remove("f:metadata");
        }
    }
    fields.member = false;
}

fn entry(manager: &Manager, operation: Operation, fields: Fields) -> Entry {
    Entry {
        name: manager.name.clone(),
        operation,
        api_version: manager.api_version.clone(),
        subresource: manager.subresource.clone(),
        time: crate::store::seconds(manager.now),
        fields,
    }
}

fn read(object: &Value) -> Vec<Entry> {
    let entries = object["metadata"]["managedFields"]
        .as_array()
        .into_iter()
        .flatten();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    entries
        .map(|entry| Entry {
            name: text(&entry["manager"]),
            operation: match entry["operation"].as_str() {
                Some("Apply") => Operation::Apply,
                _ => Operation::Update,
            },
            api_version: text(&entry["apiVersion"]),
            subresource: text(&entry["subresource"]),
            time: text(&entry["time"]),
            fields: Fields::from_json(&entry["fieldsV1"]),
        })
        .collect()
}

/// Appliers first, then by time, as the real server sorts them.
fn write(object: &mut Value, mut entries: Vec<Entry>) {
    entries.sort_by(|a, b| {
        let key = |e: &Entry| {
            (
                e.operation != Operation::Apply,
                e.time.clone(),
                e.name.clone(),
                e.api_version.clone(),
            )
        };
        key(a)
            .cmp(&key(b))
            .then_with(|| a.subresource.cmp(&b.subresource))
    });
    let list: Vec<Value> = entries.iter().map(json_of).collect();
    let Some(metadata) = object["metadata"].as_object_mut() else {
        return;
    };
    if list.is_empty() {
        metadata.remove("managedFields");
    } else {
        metadata.insert("managedFields".to_owned(), Value::Array(list));
    }
}

fn json_of(entry: &Entry) -> Value {
    let mut json = json!({
        "manager": entry.name,
        "operation": if entry.operation == Operation::Apply { "Apply" } else { "Update" },
        "apiVersion": entry.api_version,
        "fieldsType": "FieldsV1",
        "fieldsV1": entry.fields.to_json(),
    });
    if !entry.time.is_empty() {
        json["time"] = Value::from(entry.time.clone());
    }
    if !entry.subresource.is_empty() {
        json["subresource"] = Value::from(entry.subresource.clone());
    }
    json
}
