//! A tree held in memory, for tests, previews and generated sources.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::{
    path::TreePath,
    reads::hex,
    tree::{Entry, Kind, ObjectId, Tree, TreeError},
};

#[derive(Clone, Debug)]
enum Node {
    File(Vec<u8>),
    Link(String),
}

/// Files and links by path; directories exist where something lies below them.
#[derive(Clone, Debug, Default)]
pub struct MemoryTree {
    nodes: BTreeMap<TreePath, Node>,
}

impl MemoryTree {
    /// Adds or replaces a file. A path that leaves the root is ignored.
    #[must_use]
    pub fn file(self, path: &str, content: impl Into<Vec<u8>>) -> Self {
        self.node(path, Node::File(content.into()))
    }

    /// Adds or replaces a symbolic link. A path that leaves the root is ignored.
    #[must_use]
    pub fn link(self, path: &str, target: &str) -> Self {
        self.node(path, Node::Link(target.to_owned()))
    }

    fn node(mut self, path: &str, node: Node) -> Self {
        if let Ok(path) = TreePath::parse(path) {
            self.nodes.insert(path, node);
        }
        self
    }

    /// The nodes strictly below `path`, with their paths relative to it.
    fn below<'a>(&'a self, path: &'a TreePath) -> impl Iterator<Item = (&'a str, &'a Node)> {
        self.nodes.iter().filter_map(move |(at, node)| {
            let rest = at.relative_to(path)?;
            (!rest.is_empty()).then_some((rest, node))
        })
    }
}

impl Tree for MemoryTree {
    fn kind(&self, path: &TreePath) -> Result<Option<Kind>, TreeError> {
        Ok(match self.nodes.get(path) {
            Some(Node::File(_)) => Some(Kind::File),
            Some(Node::Link(_)) => Some(Kind::Link),
            None => {
                let directory = path.is_root() || self.below(path).next().is_some();
                directory.then_some(Kind::Directory)
            }
        })
    }

    fn list(&self, path: &TreePath) -> Result<Vec<Entry>, TreeError> {
        if self.kind(path)? != Some(Kind::Directory) {
            return Err(TreeError::NotDirectory { path: path.clone() });
        }
        let mut entries = BTreeMap::new();
        for (rest, node) in self.below(path) {
            let (name, kind) = match (rest.split_once('/'), node) {
                (Some((name, _)), _) => (name, Kind::Directory),
                (None, Node::File(_)) => (rest, Kind::File),
                (None, Node::Link(_)) => (rest, Kind::Link),
            };
            entries.insert(name.to_owned(), kind);
        }
        Ok(entries
            .into_iter()
            .map(|(name, kind)| Entry { name, kind })
            .collect())
    }

    fn id(&self, path: &TreePath) -> Result<Option<ObjectId>, TreeError> {
        let mut hash = Sha256::new();
        match self.nodes.get(path) {
            Some(Node::File(bytes)) => hash.update(bytes),
            Some(Node::Link(target)) => hash.update(target),
            None if self.kind(path)?.is_none() => return Ok(None),
            None => {
                for (rest, node) in self.below(path) {
                    hash.update(format!("{rest}\0{node:?}\0"));
                }
            }
        }
        Ok(Some(ObjectId::new(hex(&hash.finalize()))))
    }

    fn size(&self, path: &TreePath) -> Result<u64, TreeError> {
        Ok(self.read(path)?.len() as u64)
    }

    fn read(&self, path: &TreePath) -> Result<Vec<u8>, TreeError> {
        match self.nodes.get(path) {
            Some(Node::File(bytes)) => Ok(bytes.clone()),
            Some(Node::Link(target)) => Ok(target.clone().into_bytes()),
            None => Err(TreeError::NotFound { path: path.clone() }),
        }
    }
}
