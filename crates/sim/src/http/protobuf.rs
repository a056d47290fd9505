//! The few objects that kubectl's `create` commands send in Kubernetes' protobuf form. Answers are
//! always JSON, which the same clients accept.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Map, Value, json};

/// What a field holds.
#[derive(Clone, Copy)]
enum Shape {
    Text,
    Flag,
    Number,
    /// A map from text to text.
    Texts,
    /// A map from text to bytes, which JSON writes in base64.
    Bytes,
    Message(&'static [Field]),
    List(&'static Self),
}

type Field = (u64, &'static str, Shape);

const METADATA: &[Field] = &[
    (1, "name", Shape::Text),
    (2, "generateName", Shape::Text),
    (3, "namespace", Shape::Text),
    (11, "labels", Shape::Texts),
    (12, "annotations", Shape::Texts),
    (14, "finalizers", Shape::List(&Shape::Text)),
];

const RULE: &[Field] = &[
    (1, "verbs", Shape::List(&Shape::Text)),
    (2, "apiGroups", Shape::List(&Shape::Text)),
    (3, "resources", Shape::List(&Shape::Text)),
    (4, "resourceNames", Shape::List(&Shape::Text)),
    (5, "nonResourceURLs", Shape::List(&Shape::Text)),
];

const SUBJECT: &[Field] = &[
    (1, "kind", Shape::Text),
    (2, "apiGroup", Shape::Text),
    (3, "name", Shape::Text),
    (4, "namespace", Shape::Text),
];

const ROLE_REF: &[Field] = &[
    (1, "apiGroup", Shape::Text),
    (2, "kind", Shape::Text),
    (3, "name", Shape::Text),
];

const ROLE: &[Field] = &[
    (1, "metadata", Shape::Message(METADATA)),
    (2, "rules", Shape::List(&Shape::Message(RULE))),
];

const BINDING: &[Field] = &[
    (1, "metadata", Shape::Message(METADATA)),
    (2, "subjects", Shape::List(&Shape::Message(SUBJECT))),
    (3, "roleRef", Shape::Message(ROLE_REF)),
];

const KINDS: &[(&str, &[Field])] = &[
    ("Namespace", &[(1, "metadata", Shape::Message(METADATA))]),
    (
        "ServiceAccount",
        &[(1, "metadata", Shape::Message(METADATA))],
    ),
    (
        "ConfigMap",
        &[
            (1, "metadata", Shape::Message(METADATA)),
            (2, "data", Shape::Texts),
            (3, "binaryData", Shape::Bytes),
            (4, "immutable", Shape::Flag),
        ],
    ),
    (
        "Secret",
        &[
            (1, "metadata", Shape::Message(METADATA)),
            (2, "data", Shape::Bytes),
            (3, "type", Shape::Text),
            (4, "stringData", Shape::Texts),
            (5, "immutable", Shape::Flag),
        ],
    ),
    // Whatever is asked, the answer is yes: the question need not be read.
    ("SelfSubjectAccessReview", &[]),
    ("SelfSubjectRulesReview", &[]),
    ("SelfSubjectReview", &[]),
    ("Role", ROLE),
    ("ClusterRole", ROLE),
    ("RoleBinding", BINDING),
    ("ClusterRoleBinding", BINDING),
    (
        "TokenRequest",
        &[(
            2,
            "spec",
            Shape::Message(&[
                (1, "audiences", Shape::List(&Shape::Text)),
                (4, "expirationSeconds", Shape::Number),
            ]),
        )],
    ),
];

/// Reads a message of a known kind; `None` for any other, and for what is cut short.
pub(super) fn read(bytes: &[u8]) -> Option<Value> {
    const TYPE: &[Field] = &[(1, "apiVersion", Shape::Text), (2, "kind", Shape::Text)];
    let mut rest = bytes.strip_prefix(b"k8s\0")?;
    let (mut named, mut raw) = (Value::Null, &[][..]);
    while !rest.is_empty() {
        match field(&mut rest)? {
            (1, Wire::Bytes(bytes)) => named = message(bytes, TYPE)?,
            (2, Wire::Bytes(bytes)) => raw = bytes,
            _ => {}
        }
    }
    let (_, fields) = KINDS.iter().find(|(kind, _)| named["kind"] == *kind)?;
    let mut object = message(raw, fields)?;
    object["apiVersion"] = named["apiVersion"].clone();
    object["kind"] = named["kind"].clone();
    Some(object)
}

/// A field's content on the wire.
enum Wire<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

fn field<'a>(rest: &mut &'a [u8]) -> Option<(u64, Wire<'a>)> {
    let tag = number(rest)?;
    let content = match tag & 7 {
        0 => Wire::Number(number(rest)?),
        2 => {
            let length = usize::try_from(number(rest)?).ok()?;
            let (bytes, after) = rest.split_at_checked(length)?;
            *rest = after;
            Wire::Bytes(bytes)
        }
        _ => return None,
    };
    Some((tag >> 3, content))
}

fn number(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn message(mut rest: &[u8], fields: &[Field]) -> Option<Value> {
    let mut object = json!({});
    while !rest.is_empty() {
        let (tag, content) = field(&mut rest)?;
        let Some((_, name, shape)) = fields.iter().find(|(number, _, _)| *number == tag) else {
            continue;
        };
        put(&mut object[*name], content, *shape)?;
    }
    // Zero values are written too; JSON leaves them out.
    object
        .as_object_mut()?
        .retain(|_, value| *value != "" && !value.is_null());
    Some(object)
}

fn put(place: &mut Value, content: Wire<'_>, shape: Shape) -> Option<()> {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).ok();
    match (shape, content) {
        (Shape::Text, Wire::Bytes(bytes)) => *place = text(bytes)?.into(),
        (Shape::Flag, Wire::Number(number)) => *place = (number != 0).into(),
        (Shape::Number, Wire::Number(number)) => *place = number.into(),
        (Shape::Message(fields), Wire::Bytes(bytes)) => *place = message(bytes, fields)?,
        (Shape::Texts | Shape::Bytes, Wire::Bytes(mut entry)) => {
            let (mut key, mut value) = (String::new(), Vec::new());
            while !entry.is_empty() {
                match field(&mut entry)? {
                    (1, Wire::Bytes(bytes)) => key = text(bytes)?,
                    (2, Wire::Bytes(bytes)) => value = bytes.to_vec(),
                    _ => {}
                }
            }
            let value = match shape {
                Shape::Bytes => BASE64.encode(value),
                _ => String::from_utf8(value).ok()?,
            };
            if place.is_null() {
                *place = Value::Object(Map::new());
            }
            place[key] = value.into();
        }
        (Shape::List(item), content) => {
            let mut value = Value::Null;
            put(&mut value, content, *item)?;
            if place.is_null() {
                *place = json!([]);
            }
            place.as_array_mut()?.push(value);
        }
        _ => return None,
    }
    Some(())
}
