//! Finds where in a document's text a value stands. For error messages: never used on the way to a value.

use crate::{
    Limits, Position,
    construct::is_merge,
    node::{Content, NodeId, Tree},
    scalar::resolve,
    typed::key_text,
};

/// The place of what a JSON pointer names.
pub(crate) fn position_of(text: &str, pointer: &str) -> Option<Position> {
    let tree = Tree::read(text, Limits::default().depth).ok()??;
    let mut place = tree.root;
    let mut value = tree.root;
    if pointer.is_empty() {
        return Some(tree.nodes[place].mark.position());
    }
    for part in pointer.strip_prefix('/')?.split('/') {
        let part = part.replace("~1", "/").replace("~0", "~");
        (place, value) = step(&tree, value, &part, 0)?;
    }
    Some(tree.nodes[place].mark.position())
}

/// The node to point at, and the node to go on from.
fn step(tree: &Tree<'_>, from: NodeId, part: &str, merges: usize) -> Option<(NodeId, NodeId)> {
    match &tree.nodes[dereference(tree, from)].content {
        Content::Sequence(items) => {
            let item = *items.get(part.parse::<usize>().ok()?)?;
            Some((item, item))
        }
        Content::Mapping(entries) => {
            let own = entries
                .iter()
                .rev()
                .find(|(key, _)| key_is(tree, *key, part))
                .copied();
            own.or_else(|| merged(tree, entries, part, merges))
        }
        Content::Scalar { .. } | Content::Alias { .. } => None,
    }
}

/// Looks in what is merged into a mapping; a mapping that merges itself is not followed for long.
fn merged(
    tree: &Tree<'_>,
    entries: &[(NodeId, NodeId)],
    part: &str,
    merges: usize,
) -> Option<(NodeId, NodeId)> {
    if merges > 8 {
        return None;
    }
    let sources = entries
        .iter()
        .rev()
        .filter(|(key, _)| is_merge(&tree.nodes[*key]));
    sources
        .map(|(_, source)| *source)
        .find_map(|source| match &tree.nodes[source].content {
            Content::Sequence(items) => items
                .iter()
                .find_map(|&item| step(tree, item, part, merges + 1)),
            _ => step(tree, source, part, merges + 1),
        })
}

fn dereference(tree: &Tree<'_>, id: NodeId) -> NodeId {
    match &tree.nodes[id].content {
        Content::Alias { target, .. } => *target,
        _ => id,
    }
}

fn key_is(tree: &Tree<'_>, key: NodeId, part: &str) -> bool {
    let node = &tree.nodes[dereference(tree, key)];
    match &node.content {
        Content::Scalar { text, implicit } if !is_merge(node) => {
            resolve(&node.tag, text, *implicit)
                .is_ok_and(|key| key_text(&key).is_ok_and(|key| key == part))
        }
        _ => false,
    }
}
