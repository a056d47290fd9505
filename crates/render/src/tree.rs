//! The seam between rendering and where the files are.
//!
//! A [`Tree`] gives raw access to one immutable source tree and follows no link; everything else
//! (links, confinement, recording what was read) is done once, in [`crate::View`]. A tree never
//! writes and never reaches the network.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{
    needs::LargeFile,
    path::{PathError, TreePath},
};

/// What a path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// A directory.
    Directory,
    /// A regular file.
    File,
    /// A symbolic link, not followed.
    Link,
    /// A git submodule, whose content lies in another repository.
    Submodule,
    /// A socket, device or anything else that is never read.
    Other,
}

/// One name in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name, a single path segment.
    pub name: String,
    /// What it names; links are not followed.
    pub kind: Kind,
}

/// Names the content of a file or directory: equal ids mean equal content.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ObjectId(String);

impl ObjectId {
    /// Wraps an identity that the tree vouches for, such as a git object id.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The identity as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Raw, read-only access to one immutable source tree.
///
/// No method follows a symbolic link; a missing path is `None` or [`TreeError::NotFound`].
pub trait Tree: Send + Sync {
    /// What `path` names; `None` if nothing is there.
    fn kind(&self, path: &TreePath) -> Result<Option<Kind>, TreeError>;

    /// The entries of the directory `path`, sorted by the bytes of their names.
    fn list(&self, path: &TreePath) -> Result<Vec<Entry>, TreeError>;

    /// The identity of the file, link or whole subtree at `path`; `None` if nothing is there.
    fn id(&self, path: &TreePath) -> Result<Option<ObjectId>, TreeError>;

    /// The size in bytes of the file at `path`.
    fn size(&self, path: &TreePath) -> Result<u64, TreeError>;

    /// The bytes of the file at `path`, or the target text of a link.
    fn read(&self, path: &TreePath) -> Result<Vec<u8>, TreeError>;

    /// Whether the file at `path` may be run as a program; never so where a tree does not tell.
    fn is_executable(&self, path: &TreePath) -> Result<bool, TreeError> {
        let _ = path;
        Ok(false)
    }

    /// What has to be fetched before [`Tree::read`] gives the content of the file at `path` and not
    /// the text that stands for it; `None` if nothing has.
    fn needs(&self, _path: &TreePath) -> Result<Option<LargeFile>, TreeError> {
        Ok(None)
    }
}

/// Why something in a tree could not be read.
#[derive(Clone, Debug, thiserror::Error)]
pub enum TreeError {
    /// The path is not one inside the tree.
    #[error(transparent)]
    Path(#[from] PathError),
    /// Nothing is there.
    #[error("{path}: no such file or directory")]
    NotFound {
        /// What was looked for.
        path: TreePath,
    },
    /// Something else than a directory is there.
    #[error("{path}: not a directory")]
    NotDirectory {
        /// What was to be listed.
        path: TreePath,
    },
    /// Something else than a regular file is there.
    #[error("{path}: not a regular file")]
    NotFile {
        /// What was to be read.
        path: TreePath,
    },
    /// A symbolic link leaves the tree.
    #[error("{path}: the symbolic link to {target:?} leaves the repository")]
    LinkOutsideRoot {
        /// The link.
        path: TreePath,
        /// Where it points.
        target: String,
    },
    /// Symbolic links form a circle, or a chain that no honest repository has.
    #[error("{path}: too many levels of symbolic links")]
    LinkLoop {
        /// Where the walk began.
        path: TreePath,
    },
    /// The path lies in a git submodule.
    #[error(
        "{path}: is a git submodule, whose files this source does not hold; make the submodule's \
         repository a source of its own"
    )]
    Submodule {
        /// The submodule.
        path: TreePath,
    },
    /// What belongs in the place of a git submodule is not there.
    #[error("{path}: the git submodule cannot be read: {why}")]
    SubmoduleUnread {
        /// The submodule.
        path: TreePath,
        /// Why it is not there.
        why: String,
    },
    /// The store behind the tree failed.
    #[error("cannot read {path}: {source}")]
    Store {
        /// What was being read.
        path: TreePath,
        /// What the store said.
        source: Arc<dyn std::error::Error + Send + Sync>,
    },
}

impl TreeError {
    /// A failure of the store while reading `path`.
    pub fn store(
        path: &TreePath,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self::Store {
            path: path.clone(),
            source: source.into().into(),
        }
    }
}
