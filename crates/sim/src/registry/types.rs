//! The built-in types as the server's Go code declares them. The table beside this file is
//! printed by `tests/controlplane/types`, which explains how to renew it; here it is only read.
//!
//! A line `Type: field?=shape …` lists a type's fields. The mark before `=` says what JSON does
//! with an empty value: `*` keeps it where it is given, `!` writes it always, `?` never. A shape
//! is a letter for a scalar, a type's name, `{shape}` for a map, or `[shape words]` for a list
//! whose words say how its items are told apart; `@` before it makes it one value.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use serde_json::Value;

use super::node::{Empty, Form, ListType, Node};

const TABLE: &str = include_str!("types.txt");

/// The types by name, and the kinds' types by `group/version kind`.
struct Types {
    built: BTreeMap<&'static str, Arc<Node>>,
    kinds: BTreeMap<&'static str, &'static str>,
}

static TYPES: LazyLock<Types> = LazyLock::new(|| {
    let lines: BTreeMap<_, _> = TABLE
        .lines()
        .filter_map(|line| line.split_once(": "))
        .collect();
    let kinds = TABLE
        .lines()
        .filter_map(|line| line.split_once(" > "))
        .collect();
    let mut built = BTreeMap::new();
    for name in lines.keys() {
        build(name, &lines, &mut built);
    }
    Types { built, kinds }
});

/// The type of a built-in kind; anything where the table does not have it.
pub(crate) fn type_of(group: &str, version: &str, kind: &str) -> Arc<Node> {
    let types = &*TYPES;
    let key = format!("{group}/{version} {kind}");
    let name = types.kinds.get(key.as_str()).copied().unwrap_or_default();
    types.built.get(name).cloned().unwrap_or_default()
}

/// Whether the server knows this kind.
pub(crate) fn is_built_in(group: &str, version: &str, kind: &str) -> bool {
    let key = format!("{group}/{version} {kind}");
    TYPES.kinds.contains_key(key.as_str())
}

/// The type of every object's metadata.
pub(crate) fn metadata_type() -> Arc<Node> {
    TYPES.built.get("ObjectMeta").cloned().unwrap_or_default()
}

type Lines = BTreeMap<&'static str, &'static str>;
type Built = BTreeMap<&'static str, Arc<Node>>;

fn build(name: &'static str, lines: &Lines, built: &mut Built) -> Arc<Node> {
    if let Some(done) = built.get(name) {
        return Arc::clone(done);
    }
    let mut node = Node {
        form: Form::Struct,
        name: name.trim_end_matches('\'').to_owned(),
        ..Node::default()
    };
    for (field, shape) in fields(lines.get(name).copied().unwrap_or_default()) {
        let (field, mark) = field.split_at(field.len() - 1);
        let mut below = shaped(shape, lines, built);
        below.empty = match mark {
            "!" => Empty::Written,
            "?" => Empty::Dropped,
            _ => Empty::Kept,
        };
        node.fields.insert(field.to_owned(), Arc::new(below));
    }
    let node = Arc::new(node);
    built.insert(name, Arc::clone(&node));
    node
}

/// Splits `a!=B c?=[D e f]` at blanks outside brackets.
fn fields(line: &'static str) -> Vec<(&'static str, &'static str)> {
    let mut depth = 0;
    line.split(move |c: char| {
        depth += i32::from(c == '[') - i32::from(c == ']');
        c == ' ' && depth == 0
    })
    .filter_map(|part| part.split_once('='))
    .collect()
}

fn shaped(shape: &'static str, lines: &Lines, built: &mut Built) -> Node {
    if let Some(whole) = shape.strip_prefix('@') {
        return Node {
            atomic: true,
            ..shaped(whole, lines, built)
        };
    }
    if let Some(values) = inside(shape, '{', '}') {
        return Node {
            form: Form::Map,
            values: Some(Arc::new(shaped(values, lines, built))),
            ..Node::default()
        };
    }
    if let Some(list) = inside(shape, '[', ']') {
        return list_of(list, lines, built);
    }
    let form = match shape {
        "s" => Form::Text,
        "b" => Form::Bool,
        "i" => Form::Int32,
        "l" => Form::Int64,
        "f" => Form::Float,
        "y" => Form::Bytes,
        "t" => Form::Time,
        "q" => Form::Quantity,
        "o" => Form::IntOrText,
        "j" => Form::Any,
        name => return (*build(name, lines, built)).clone(),
    };
    Node {
        form,
        ..Node::default()
    }
}

fn inside(shape: &'static str, open: char, close: char) -> Option<&'static str> {
    shape.strip_prefix(open)?.strip_suffix(close)
}

fn list_of(list: &'static str, lines: &Lines, built: &mut Built) -> Node {
    // The item's own shape may hold blanks inside brackets.
    let mut depth = 0;
    let mut words = list.split(|c: char| {
        depth += i32::from(c == '[') - i32::from(c == ']');
        c == ' ' && depth == 0
    });
    let items = shaped(words.next().unwrap_or("j"), lines, built);
    let mut node = Node {
        form: Form::List,
        items: Some(Arc::new(items)),
        ..Node::default()
    };
    let mut keys = Vec::new();
    for word in words {
        match word.strip_prefix('/') {
            Some(key) => node.patch = Some(key.to_owned()),
            None if word == "set" => node.list = ListType::Set,
            None => keys.push(key(word)),
        }
    }
    if !keys.is_empty() {
        node.list = ListType::Map(keys);
    }
    node
}

fn key(word: &str) -> (String, Option<Value>) {
    match word.split_once('~') {
        Some((name, default)) => (name.to_owned(), Some(Value::from(default))),
        None => (word.to_owned(), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_port_is_known_by_number_and_protocol() {
        let deployment = type_of("apps", "v1", "Deployment");
        let containers = deployment.field("spec").field("template").field("spec");
        let ports = containers.field("containers").item().field("ports");
        let port = serde_json::json!({"containerPort": 80});
        let key = ports.item_key(&port);
        assert_eq!(
            key.as_deref(),
            Some(r#"k:{"containerPort":80,"protocol":"TCP"}"#)
        );
        assert_eq!(ports.patch.as_deref(), Some("containerPort"));
    }
}
