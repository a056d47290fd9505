//! Whether names, labels and annotations are what Kubernetes allows.

use serde_json::Value;

use super::failure::Cause;
use super::object::{at, finalizers, is_deleting, name_of};
use crate::registry::Kind;

const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const LABEL_1035: &str = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
const LABEL_VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
const QUALIFIED: &str = "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

/// What is wrong with an object's name, labels and annotations.
pub(super) fn check(kind: &Kind, object: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    let name = name_of(object);
    if name.is_empty() {
        causes.push(Cause::required(
            "metadata.name",
            "name or generateName is required",
        ));
    } else if let Some(detail) = wrong_name(kind, name) {
        causes.push(Cause::invalid("metadata.name", &name.into(), &detail));
    }
    for (field, of_labels) in [("labels", true), ("annotations", false)] {
        let map = at(object, &["metadata", field]).and_then(Value::as_object);
        for (key, value) in map.into_iter().flatten() {
            let path = format!("metadata.{field}");
            if let Some(detail) = wrong_key(key) {
                causes.push(Cause::invalid(path.as_str(), &key.as_str().into(), &detail));
            }
            if of_labels && let Some(detail) = value.as_str().and_then(wrong_label_value) {
                causes.push(Cause::invalid(path, value, &detail));
            }
        }
    }
    owners(object, &mut causes);
    held(kind, object, &mut causes);
    causes
}

fn owners(object: &Value, causes: &mut Vec<Cause>) {
    let path = "metadata.ownerReferences";
    let list = at(object, &["metadata", "ownerReferences"]).and_then(Value::as_array);
    let list = list.map_or(&[][..], Vec::as_slice);
    let text = |owner: &Value, field: &str| owner[field].as_str().unwrap_or_default().to_owned();
    for owner in list {
        for (field, detail) in [
            ("apiVersion", "version must not be empty"),
            ("kind", "must not be empty"),
            ("name", "must not be empty"),
            ("uid", "must not be empty"),
        ] {
            if text(owner, field).is_empty() {
                causes.push(Cause::invalid(
                    format!("{path}.{field}"),
                    &"".into(),
                    detail,
                ));
            }
        }
    }
    let named = |owner: &&Value| format!("{}/{}", text(owner, "kind"), text(owner, "name"));
    let controllers: Vec<_> = list.iter().filter(|o| o["controller"] == true).collect();
    if let [.., first, second] = controllers.as_slice() {
        let message = format!(
            "Invalid value: {}: Only one reference can have Controller set to true. Found \
             \"true\" in references for {} and {}",
            shown_owners(list),
            named(first),
            named(second)
        );
        causes.push(Cause {
            reason: "FieldValueInvalid",
            field: path.to_owned(),
            message,
        });
    }
}

/// Owners as Go writes them: in the order of the type's fields.
fn shown_owners(list: &[Value]) -> String {
    let order = [
        "apiVersion",
        "kind",
        "name",
        "uid",
        "controller",
        "blockOwnerDeletion",
    ];
    let one = |owner: &Value| {
        let fields = order.iter().filter_map(|field| {
            let value = owner.get(field)?;
            Some(format!("{field:?}:{value}"))
        });
        format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
    };
    format!("[{}]", list.iter().map(one).collect::<Vec<_>>().join(","))
}

/// Finalizers are names of their own, or one of the server's. Only the kinds of Kubernetes' own core
/// insist on a domain before the name.
fn held(kind: &Kind, object: &Value, causes: &mut Vec<Cause>) {
    let path = "metadata.finalizers";
    let beside = ["apiextensions.k8s.io", "apiregistration.k8s.io"];
    let strict = kind.custom.is_none() && !beside.contains(&kind.group.as_str());
    for (index, name) in finalizers(object).into_iter().enumerate() {
        let value = Value::from(name);
        if let Some(detail) = wrong_key(name) {
            causes.push(Cause::invalid(path, &value, &detail));
        }
        if strict
            && !name.contains('/')
            && !["orphan", "foregroundDeletion", "kubernetes"].contains(&name)
        {
            let detail = "name is neither a standard finalizer name nor is it fully qualified";
            causes.push(Cause::invalid(format!("{path}[{index}]"), &value, detail));
        }
    }
}

/// An object that is being deleted takes no new finalizers.
pub(super) fn check_held(old: &Value, new: &Value) -> Vec<Cause> {
    if !is_deleting(old) {
        return Vec::new();
    }
    let before = finalizers(old);
    let added: Vec<_> = finalizers(new)
        .into_iter()
        .filter(|name| !before.contains(name))
        .map(|name| format!("{name:?}"))
        .collect();
    if added.is_empty() {
        return Vec::new();
    }
    let detail = format!(
        "no new finalizers can be added if the object is being deleted, found new finalizers \
         []string{{{}}}",
        added.join(", ")
    );
    vec![Cause::forbidden("metadata.finalizers", &detail)]
}

fn wrong_name(kind: &Kind, name: &str) -> Option<String> {
    match (kind.group.as_str(), kind.kind.as_str()) {
        ("rbac.authorization.k8s.io", _) => {
            let bad = [".", ".."].contains(&name);
            if bad {
                return Some(format!("may not be '{name}'"));
            }
            ['/', '%']
                .iter()
                .find(|c| name.contains(**c))
                .map(|c| format!("may not contain '{c}'"))
        }
        ("", "Namespace") => wrong_label(name, LABEL, false),
        ("", "Service") => wrong_label(name, LABEL_1035, true),
        ("", "Event") if name.len() > 253 => Some(too_long(253)),
        _ => wrong_subdomain(name),
    }
}

fn too_long(limit: usize) -> String {
    format!("must be no more than {limit} bytes")
}

fn wrong_label(text: &str, message: &str, alphabetic: bool) -> Option<String> {
    if text.len() > 63 {
        return Some(too_long(63));
    }
    let first = text
        .bytes()
        .next()
        .is_some_and(|b| !alphabetic || b.is_ascii_lowercase());
    (!first || !is_label(text)).then(|| message.to_owned())
}

fn wrong_subdomain(text: &str) -> Option<String> {
    if text.len() > 253 {
        return Some(too_long(253));
    }
    (!text.split('.').all(is_label)).then(|| SUBDOMAIN.to_owned())
}

fn is_label(text: &str) -> bool {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    !text.is_empty()
        && text.bytes().all(|b| inner(b) || b == b'-')
        && text.bytes().next().is_some_and(inner)
        && text.bytes().last().is_some_and(inner)
}

fn is_loose(text: &str) -> bool {
    let ends = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_alphanumeric());
    text.bytes()
        .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
        && ends(text.bytes().next())
        && ends(text.bytes().last())
}

fn wrong_key(key: &str) -> Option<String> {
    let (prefix, name) = match key.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, key),
    };
    if let Some(prefix) = prefix
        && wrong_subdomain(prefix).is_some()
    {
        return Some(format!("prefix part {SUBDOMAIN}"));
    }
    if name.len() > 63 {
        return Some("name part must be no more than 63 bytes".to_owned());
    }
    (!is_loose(name)).then(|| QUALIFIED.to_owned())
}

fn wrong_label_value(value: &str) -> Option<String> {
    if value.len() > 63 {
        return Some(too_long(63));
    }
    (!value.is_empty() && !is_loose(value)).then(|| LABEL_VALUE.to_owned())
}
