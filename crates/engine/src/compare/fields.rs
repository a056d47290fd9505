//! Every field that git sets, against the live one.
//!
//! A field that git does not set is nobody's business here, except inside what server-side apply
//! owns as a whole (atomic lists and structs). When in doubt a difference is reported: a needless
//! dry run costs little, a missed difference is a lie.

use serde_json::{Map, Value};

use super::Difference;
use super::leaf::same;
use super::path::Path;
use crate::schema::{Identity, ListType, Schema, Type};

/// Where the walk is.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) schema: &'a Schema,
    pub(super) of: &'a Type,
    /// Inside a list or struct that is owned as a whole.
    pub(super) whole: bool,
}

impl<'a> Place<'a> {
    /// The root of a kind that the schema knows.
    pub(super) fn new(schema: &'a Schema, of: &'a Type) -> Self {
        Self {
            schema,
            of,
            whole: false,
        }
    }

    /// A place that nothing is known of.
    pub(super) fn unknown() -> Place<'static> {
        Place::new(crate::schema::bundled(), &Type::Any)
    }

    /// The place of a named field.
    pub(super) fn field(self, name: &str) -> Self {
        let (of, whole) = match self.of {
            Type::Struct(at) => (
                self.schema
                    .field(*at, name)
                    .map_or(&Type::Any, |field| &field.of),
                self.schema.structure(*at).is_some_and(|one| one.atomic),
            ),
            Type::Map(value) => (&**value, false),
            _ => (&Type::Any, false),
        };
        Self {
            of,
            whole: self.whole || whole,
            ..self
        }
    }

    fn is_atomic(self) -> bool {
        let atomic = match self.of {
            Type::Struct(at) => self.schema.structure(*at).is_some_and(|one| one.atomic),
            _ => false,
        };
        self.whole || atomic
    }

    /// The place of an item.
    pub(super) fn item(self, list: &'a ListType) -> Self {
        Self {
            of: &list.item,
            whole: self.whole || list.identity == Identity::Atomic,
            ..self
        }
    }
}

/// Adds to `out` each field of `desired` that `live` lacks or has otherwise.
pub(super) fn walk(
    desired: &Value,
    live: &Value,
    place: Place<'_>,
    path: &Path<'_>,
    out: &mut Vec<Difference>,
) {
    match (desired, live) {
        (Value::Null, _) => {}
        (Value::Object(desired), Value::Object(live)) => objects(desired, live, place, path, out),
        (Value::Array(desired), Value::Array(live)) => lists(desired, live, place, path, out),
        _ if is_absent(desired, live, place) || same(place.of, desired, live) => {}
        _ => out.push(differs(path, Some(desired), Some(live))),
    }
}

fn objects(
    desired: &Map<String, Value>,
    live: &Map<String, Value>,
    place: Place<'_>,
    path: &Path<'_>,
    out: &mut Vec<Difference>,
) {
    let is_map = matches!(place.of, Type::Map(_));
    for (key, value) in desired {
        let at = path.key(key);
        if is_map && value.is_null() && !live.contains_key(key) {
            // A map's null value may be stored as an empty one: only the server knows.
            out.push(differs(&at, Some(value), None));
        }
        walk(
            value,
            live.get(key).unwrap_or(&Value::Null),
            place.field(key),
            &at,
            out,
        );
    }
    if !place.is_atomic() {
        return;
    }
    for (key, value) in live {
        if !desired.contains_key(key) && !is_empty(value) && !is_server_default(key, value) {
            out.push(differs(&path.key(key), None, Some(value)));
        }
    }
}

fn lists(
    desired: &[Value],
    live: &[Value],
    place: Place<'_>,
    path: &Path<'_>,
    out: &mut Vec<Difference>,
) {
    let Type::List(list) = place.of else {
        return aligned(
            desired,
            live,
            Place {
                of: &Type::Any,
                whole: true,
                ..place
            },
            path,
            out,
        );
    };
    match &list.identity {
        Identity::Atomic => aligned(desired, live, place.item(list), path, out),
        Identity::Set => {
            for (at, value) in desired.iter().enumerate() {
                if !live.iter().any(|one| same(&list.item, value, one)) {
                    out.push(differs(&path.index(at), Some(value), None));
                }
            }
        }
        Identity::Keys(keys) => keyed(desired, live, keys, place.item(list), path, out),
    }
}

/// Lists without identity: one by one, and a list of another length differs as a whole.
fn aligned(
    desired: &[Value],
    live: &[Value],
    place: Place<'_>,
    path: &Path<'_>,
    out: &mut Vec<Difference>,
) {
    if desired.len() != live.len() {
        out.push(Difference {
            pointer: path.pointer(),
            desired: Some(Value::Array(desired.to_vec())),
            live: Some(Value::Array(live.to_vec())),
        });
        return;
    }
    for (at, (desired, live)) in desired.iter().zip(live).enumerate() {
        walk(desired, live, place, &path.index(at), out);
    }
}

/// Lists of items with keys: matched by them; among equal keys the n-th meets the n-th.
fn keyed(
    desired: &[Value],
    live: &[Value],
    keys: &[String],
    place: Place<'_>,
    path: &Path<'_>,
    out: &mut Vec<Difference>,
) {
    let mut taken = vec![false; live.len()];
    let mut furthest = 0;
    let mut in_order = true;
    for (at, item) in desired.iter().enumerate() {
        let found = (0..live.len()).find(|&i| !taken[i] && same_keys(item, &live[i], keys));
        let Some(found) = found else {
            out.push(differs(&path.index(at), Some(item), None));
            continue;
        };
        taken[found] = true;
        in_order &= found >= furthest;
        furthest = furthest.max(found);
        walk(item, &live[found], place, &path.index(found), out);
    }
    if !in_order {
        out.push(Difference {
            pointer: path.pointer(),
            desired: Some(Value::Array(desired.to_vec())),
            live: Some(Value::Array(live.to_vec())),
        });
    }
}

/// Whether two items of a keyed list are the same item, with the API's default for a key left out.
pub(super) fn same_keys(one: &Value, other: &Value, keys: &[String]) -> bool {
    keys.iter().all(|key| {
        let of = |item: &'_ Value| match item.get(key) {
            None | Some(Value::Null) if key == "protocol" => Value::from("TCP"),
            Some(value) => value.clone(),
            None => Value::Null,
        };
        let (one, other) = (of(one), of(other));
        same(&Type::Any, &one, &other)
    })
}

/// Whether git's empty value means the same as the field's absence: the API server does not store
/// the emptiness of lists and maps of its own kinds.
fn is_absent(desired: &Value, live: &Value, place: Place<'_>) -> bool {
    live.is_null()
        && place.schema.is_bundled()
        && match place.of {
            Type::List(_) | Type::Map(_) => is_empty(desired),
            _ => false,
        }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// What the API server itself writes into items of atomic lists.
fn is_server_default(key: &str, value: &Value) -> bool {
    match key {
        "apiGroup" => value == "rbac.authorization.k8s.io",
        "apiVersion" => value == "v1",
        "protocol" => value == "TCP",
        "pathType" => value == "ImplementationSpecific",
        "expirationSeconds" => value == 3600,
        "divisor" => value == "0",
        "volumeMode" => value == "Filesystem",
        "scheme" => value == "HTTP",
        _ => false,
    }
}

pub(super) fn differs(
    path: &Path<'_>,
    desired: Option<&Value>,
    live: Option<&Value>,
) -> Difference {
    Difference {
        pointer: path.pointer(),
        desired: desired.cloned(),
        live: live.filter(|value| !value.is_null()).cloned(),
    }
}
