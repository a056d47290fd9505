//! What a render has read.
//!
//! A render is a function of its parameters and of what it opened. [`Reads`] is the second half of
//! its cache key: as long as every read still gives the same answer, so does the render.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    path::TreePath,
    tree::{Entry, Kind, ObjectId, Tree, TreeError},
};

/// One question that was put to a tree, and its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Read {
    /// What the path named.
    Kind(Option<Kind>),
    /// The content of a file or link.
    Content(Option<ObjectId>),
    /// The names in a directory and what they are, but not their content.
    Names(ObjectId),
}

/// Every question that a render has put to its tree.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reads {
    kinds: BTreeMap<TreePath, Read>,
    contents: BTreeMap<TreePath, Read>,
    names: BTreeMap<TreePath, Read>,
}

impl Reads {
    /// Whether `tree` gives the same answers, so that a render that read these gives the same result.
    pub fn hold_in(&self, tree: &dyn Tree) -> Result<bool, TreeError> {
        for (path, read) in self.all() {
            let same = match read {
                Read::Kind(kind) => tree.kind(path)? == *kind,
                Read::Content(id) => tree.id(path)? == *id,
                Read::Names(id) => {
                    tree.kind(path)? == Some(Kind::Directory) && names_id(&tree.list(path)?) == *id
                }
            };
            if !same {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether nothing was read.
    pub fn is_empty(&self) -> bool {
        self.all().next().is_none()
    }

    /// One identity for all reads, to be part of a cache key.
    pub fn digest(&self) -> ObjectId {
        let mut hash = Sha256::new();
        for (path, read) in self.all() {
            hash.update(format!("{path}\0{read:?}\0"));
        }
        ObjectId::new(hex(&hash.finalize()))
    }

    /// The paths of the files that were opened, with the identity of their content.
    pub fn files(&self) -> impl Iterator<Item = (&TreePath, &ObjectId)> {
        self.contents.iter().filter_map(|(path, read)| match read {
            Read::Content(Some(id)) => Some((path, id)),
            _ => None,
        })
    }

    /// The directories that were listed.
    pub fn directories(&self) -> impl Iterator<Item = &TreePath> {
        self.names.keys()
    }

    pub(crate) fn kind(&mut self, path: &TreePath, kind: Option<Kind>) {
        self.kinds.insert(path.clone(), Read::Kind(kind));
    }

    pub(crate) fn content(&mut self, path: &TreePath, id: Option<ObjectId>) {
        self.contents.insert(path.clone(), Read::Content(id));
    }

    pub(crate) fn names(&mut self, path: &TreePath, entries: &[Entry]) {
        self.names
            .insert(path.clone(), Read::Names(names_id(entries)));
    }

    fn all(&self) -> impl Iterator<Item = (&TreePath, &Read)> {
        self.kinds.iter().chain(&self.contents).chain(&self.names)
    }
}

/// Names a listing: the content of what is listed does not count, so that a change below a
/// directory that was only listed keeps the render.
fn names_id(entries: &[Entry]) -> ObjectId {
    let mut hash = Sha256::new();
    for Entry { name, kind } in entries {
        hash.update(format!("{name}\0{kind:?}\0"));
    }
    ObjectId::new(hex(&hash.finalize()))
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
    ];
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| DIGITS[usize::from(digit)]).collect()
}
