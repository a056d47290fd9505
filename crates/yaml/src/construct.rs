//! Makes a value of a document's tree: expands aliases within a budget, merges `<<`, checks keys.
//! Never lets a repeated key pass in strict mode.

use std::collections::BTreeSet;

use crate::{
    Error, Limits,
    node::{Content, Node, NodeId, Tree},
    scalar::resolve,
    typed::{Map, Typed},
};

const MERGE_TAG: &str = "tag:yaml.org,2002:merge";

/// Up to this many nodes nearly all may come from aliases; from ten times as many, a tenth.
const FREE_NODES: f64 = 400_000.0;
const SCARCE_NODES: f64 = 4_000_000.0;

pub(crate) fn construct(tree: &Tree<'_>, limits: &Limits, strict: bool) -> Result<Typed, Error> {
    let mut builder = Builder {
        tree,
        limits,
        strict,
        nodes: 1,
        from_aliases: 0,
        open: BTreeSet::new(),
        depth: 0,
    };
    builder.value(tree.root)
}

struct Builder<'a> {
    tree: &'a Tree<'a>,
    limits: &'a Limits,
    strict: bool,
    /// How many nodes were made, the document's own included.
    nodes: usize,
    from_aliases: usize,
    /// The aliases that are being expanded.
    open: BTreeSet<NodeId>,
    depth: usize,
}

impl<'a> Builder<'a> {
    fn value(&mut self, id: NodeId) -> Result<Typed, Error> {
        let node = self.enter(id)?;
        let value = match &node.content {
            Content::Alias { name, target } => {
                self.open(id, name)?;
                let value = self.value(*target)?;
                self.open.remove(&id);
                value
            }
            Content::Scalar { text, implicit } => scalar(node, text, *implicit)?,
            Content::Sequence(items) => {
                let mut values = Vec::with_capacity(items.len());
                for &item in items {
                    values.push(self.value(item)?);
                }
                Typed::Sequence(values)
            }
            Content::Mapping(entries) => {
                let mut map = Map::with_capacity(entries.len());
                self.fill(entries, &mut map)?;
                Typed::Mapping(map)
            }
        };
        self.depth -= 1;
        Ok(value)
    }

    /// Counts a node against the limits.
    fn enter(&mut self, id: NodeId) -> Result<&'a Node<'a>, Error> {
        let node = &self.tree.nodes[id];
        let refuse = |message: String| Err(Error::at(node.mark.position(), message));
        self.nodes += 1;
        if !self.open.is_empty() {
            self.from_aliases += 1;
        }
        if self.is_excessive() {
            return refuse("document contains excessive aliasing".to_owned());
        }
        if self.nodes > self.limits.nodes {
            return refuse(format!(
                "document has more than {} nodes",
                self.limits.nodes
            ));
        }
        self.depth += 1;
        if self.depth > self.limits.depth + 1 {
            return refuse(format!(
                "collections are nested deeper than {}",
                self.limits.depth
            ));
        }
        Ok(node)
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "a ratio of counts far below 2^52"
    )]
    fn is_excessive(&self) -> bool {
        if self.from_aliases <= 100 || self.nodes <= 1000 {
            return false;
        }
        let nodes = self.nodes as f64;
        let scarcity = ((nodes - FREE_NODES) / (SCARCE_NODES - FREE_NODES)).clamp(0.0, 1.0);
        let allowed = 0.99 - 0.89 * scarcity;
        self.from_aliases as f64 / nodes > allowed
    }

    /// Starts to expand an alias, unless that is being done already.
    fn open(&mut self, id: NodeId, name: &str) -> Result<(), Error> {
        if self.open.insert(id) {
            return Ok(());
        }
        let message = format!("anchor '{name}' value contains itself");
        Err(Error::at(self.tree.nodes[id].mark.position(), message))
    }

    fn fill(&mut self, entries: &[(NodeId, NodeId)], map: &mut Map) -> Result<(), Error> {
        for &(key_id, value_id) in entries {
            let node = &self.tree.nodes[key_id];
            if is_merge(node) {
                self.merge(value_id, map)?;
                continue;
            }
            let Typed::Scalar(key) = self.value(key_id)? else {
                let message = "a mapping or sequence cannot be a key";
                return Err(Error::at(node.mark.position(), message));
            };
            let value = self.value(value_id)?;
            if let Some(repeated) = map.insert(key, value)
                && self.strict
            {
                let message = format!("key {repeated} already set in map");
                return Err(Error::at(node.mark.position(), message));
            }
        }
        Ok(())
    }

    /// Puts another mapping's entries, or those of several, into the map. The first of several wins.
    fn merge(&mut self, id: NodeId, map: &mut Map) -> Result<(), Error> {
        let node = &self.tree.nodes[id];
        if let Content::Sequence(items) = &node.content {
            return items
                .iter()
                .rev()
                .try_for_each(|&item| self.merge_one(item, map));
        }
        self.merge_one(id, map)
    }

    fn merge_one(&mut self, id: NodeId, map: &mut Map) -> Result<(), Error> {
        let node = self.enter(id)?;
        match &node.content {
            Content::Mapping(entries) => self.fill(entries, map)?,
            Content::Alias { name, target }
                if matches!(self.tree.nodes[*target].content, Content::Mapping(_)) =>
            {
                self.open(id, name)?;
                self.merge_one(*target, map)?;
                self.open.remove(&id);
            }
            Content::Alias { .. } | Content::Sequence(_) | Content::Scalar { .. } => {
                let message = "map merge requires map or sequence of maps as the value";
                return Err(Error::at(node.mark.position(), message));
            }
        }
        self.depth -= 1;
        Ok(())
    }
}

fn scalar(node: &Node<'_>, text: &str, implicit: bool) -> Result<Typed, Error> {
    resolve(&node.tag, text, implicit)
        .map(Typed::Scalar)
        .map_err(|message| Error::at(node.mark.position(), message))
}

pub(crate) fn is_merge(node: &Node<'_>) -> bool {
    match &node.content {
        Content::Scalar { text, implicit } => text == "<<" && (*implicit || node.tag == MERGE_TAG),
        _ => false,
    }
}
