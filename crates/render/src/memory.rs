//! A tree held in memory: charts, artifacts, previews and tests.

use std::{collections::BTreeMap, ops::Bound};

use sha2::{Digest, Sha256};

use crate::{
    path::TreePath,
    reads::hex,
    tree::{Entry, Kind, ObjectId, Tree, TreeError},
};

#[derive(Clone, Debug)]
struct Node {
    kind: Kind,
    content: Vec<u8>,
    id: ObjectId,
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
        self.node(path, Kind::File, content.into())
    }

    /// Adds or replaces a symbolic link. A path that leaves the root is ignored.
    #[must_use]
    pub fn link(self, path: &str, target: &str) -> Self {
        self.node(path, Kind::Link, target.as_bytes().to_vec())
    }

    /// How many bytes its files have together.
    pub fn bytes(&self) -> usize {
        self.nodes.values().map(|node| node.content.len()).sum()
    }

    fn node(mut self, path: &str, kind: Kind, content: Vec<u8>) -> Self {
        if let Ok(path) = TreePath::parse(path) {
            let id = ObjectId::new(hex(&Sha256::digest(&content)));
            self.nodes.insert(path, Node { kind, content, id });
        }
        self
    }

    /// The nodes strictly below `path`, with their paths relative to it.
    fn below<'a>(&'a self, path: &TreePath) -> impl Iterator<Item = (&'a str, &'a Node)> + use<'a> {
        let prefix = match path.as_str() {
            "" => String::new(),
            path => format!("{path}/"),
        };
        let from = (Bound::Included(prefix.as_str()), Bound::Unbounded);
        let nodes = self.nodes.range::<str, _>(from);
        nodes.map_while(move |(at, node)| Some((at.as_str().strip_prefix(&prefix)?, node)))
    }
}

impl FromIterator<(String, Vec<u8>)> for MemoryTree {
    fn from_iter<I: IntoIterator<Item = (String, Vec<u8>)>>(files: I) -> Self {
        let add = |tree: Self, (path, content): (String, Vec<u8>)| tree.file(&path, content);
        files.into_iter().fold(Self::default(), add)
    }
}

impl Tree for MemoryTree {
    fn kind(&self, path: &TreePath) -> Result<Option<Kind>, TreeError> {
        if let Some(node) = self.nodes.get(path) {
            return Ok(Some(node.kind));
        }
        let directory = path.is_root() || self.below(path).next().is_some();
        Ok(directory.then_some(Kind::Directory))
    }

    fn list(&self, path: &TreePath) -> Result<Vec<Entry>, TreeError> {
        if self.kind(path)? != Some(Kind::Directory) {
            return Err(TreeError::NotDirectory { path: path.clone() });
        }
        let mut entries = BTreeMap::new();
        for (rest, node) in self.below(path) {
            let (name, kind) = match rest.split_once('/') {
                Some((name, _)) => (name, Kind::Directory),
                None => (rest, node.kind),
            };
            entries.insert(name.to_owned(), kind);
        }
        Ok(entries
            .into_iter()
            .map(|(name, kind)| Entry { name, kind })
            .collect())
    }

    fn id(&self, path: &TreePath) -> Result<Option<ObjectId>, TreeError> {
        if let Some(node) = self.nodes.get(path) {
            return Ok(Some(node.id.clone()));
        }
        if self.kind(path)?.is_none() {
            return Ok(None);
        }
        let mut hash = Sha256::new();
        for (rest, node) in self.below(path) {
            hash.update(format!("{rest}\0{:?}\0{}\0", node.kind, node.id));
        }
        Ok(Some(ObjectId::new(hex(&hash.finalize()))))
    }

    fn size(&self, path: &TreePath) -> Result<u64, TreeError> {
        Ok(self.read(path)?.len() as u64)
    }

    fn read(&self, path: &TreePath) -> Result<Vec<u8>, TreeError> {
        match self.nodes.get(path) {
            Some(node) => Ok(node.content.clone()),
            None => Err(TreeError::NotFound { path: path.clone() }),
        }
    }
}
