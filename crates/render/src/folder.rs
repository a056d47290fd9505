//! A tree rooted on a local folder, for `--local`.
//!
//! It gives raw access only: every path is checked before it gets here, and no link is followed,
//! because [`crate::View`] resolves links inside the root. A link in the folder's own path is the
//! user's choice and is resolved once, when the tree is opened.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use crate::{
    path::TreePath,
    reads::hex,
    tree::{Entry, Kind, ObjectId, Tree, TreeError},
};

/// A local folder as a source tree.
#[derive(Clone, Debug)]
pub struct DirectoryTree {
    root: PathBuf,
}

impl DirectoryTree {
    /// Opens the folder `root`.
    ///
    /// Fails if it does not exist or is not a directory.
    pub fn open(root: &Path) -> io::Result<Self> {
        let root = root.canonicalize()?;
        if root.is_dir() {
            Ok(Self { root })
        } else {
            Err(io::Error::new(
                io::ErrorKind::NotADirectory,
                format!("{} is not a directory", root.display()),
            ))
        }
    }

    fn locate(&self, path: &TreePath) -> PathBuf {
        self.root.join(path.as_str())
    }

    fn metadata(&self, path: &TreePath) -> Result<Option<fs::Metadata>, TreeError> {
        match fs::symlink_metadata(self.locate(path)) {
            Ok(metadata) => Ok(Some(metadata)),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) =>
            {
                Ok(None)
            }
            Err(error) => Err(TreeError::store(path, error)),
        }
    }
}

fn kind_of(file_type: fs::FileType) -> Kind {
    if file_type.is_symlink() {
        Kind::Link
    } else if file_type.is_dir() {
        Kind::Directory
    } else if file_type.is_file() {
        Kind::File
    } else {
        Kind::Other
    }
}

impl Tree for DirectoryTree {
    fn kind(&self, path: &TreePath) -> Result<Option<Kind>, TreeError> {
        Ok(self
            .metadata(path)?
            .map(|metadata| kind_of(metadata.file_type())))
    }

    fn list(&self, path: &TreePath) -> Result<Vec<Entry>, TreeError> {
        let store = |error: io::Error| TreeError::store(path, error);
        let mut entries = Vec::new();
        for entry in fs::read_dir(self.locate(path)).map_err(store)? {
            let entry = entry.map_err(store)?;
            // A name that is not UTF-8 cannot be written in a manifest or pattern either; and git's
            // own folder is not part of what git holds.
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            if path.is_root() && name == ".git" {
                continue;
            }
            let kind = kind_of(entry.file_type().map_err(store)?);
            entries.push(Entry { name, kind });
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    fn id(&self, path: &TreePath) -> Result<Option<ObjectId>, TreeError> {
        let mut hash = Sha256::new();
        match self.kind(path)? {
            None => return Ok(None),
            Some(Kind::Directory) => {
                for entry in self.list(path)? {
                    hash.update(format!("{}\0{:?}\0", entry.name, entry.kind));
                    if let Some(child) = path.child(&entry.name)
                        && let Some(id) = self.id(&child)?
                    {
                        hash.update(id.as_str());
                    }
                }
            }
            Some(kind @ (Kind::File | Kind::Link)) => {
                hash.update(self.read(path)?);
                if kind == Kind::File && self.is_executable(path)? {
                    hash.update("\0executable");
                }
            }
            Some(Kind::Submodule | Kind::Other) => {}
        }
        Ok(Some(ObjectId::new(hex(&hash.finalize()))))
    }

    fn size(&self, path: &TreePath) -> Result<u64, TreeError> {
        match self.metadata(path)? {
            Some(metadata) => Ok(metadata.len()),
            None => Err(TreeError::NotFound { path: path.clone() }),
        }
    }

    fn read(&self, path: &TreePath) -> Result<Vec<u8>, TreeError> {
        let at = self.locate(path);
        match self.kind(path)? {
            Some(Kind::File) => fs::read(at).map_err(|error| TreeError::store(path, error)),
            Some(Kind::Link) => {
                let target = fs::read_link(at).map_err(|error| TreeError::store(path, error))?;
                Ok(target.to_string_lossy().into_owned().into_bytes())
            }
            Some(_) => Err(TreeError::NotFile { path: path.clone() }),
            None => Err(TreeError::NotFound { path: path.clone() }),
        }
    }

    fn is_executable(&self, path: &TreePath) -> Result<bool, TreeError> {
        let metadata = self.metadata(path)?;
        Ok(metadata.is_some_and(|metadata| metadata.permissions().mode() & 0o100 != 0))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::View;

    #[test]
    fn a_folder_cannot_be_left_by_a_link() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("repo")).unwrap();
        fs::write(folder.path().join("secret"), "s").unwrap();
        fs::write(folder.path().join("repo/a"), "a").unwrap();
        std::os::unix::fs::symlink("../secret", folder.path().join("repo/up")).unwrap();
        std::os::unix::fs::symlink("a", folder.path().join("repo/b")).unwrap();
        let view = View::new(Arc::new(
            DirectoryTree::open(&folder.path().join("repo")).unwrap(),
        ));
        let path = |text| TreePath::parse(text).unwrap();
        assert_eq!(view.read(&path("b")).unwrap(), b"a");
        assert!(matches!(
            view.read(&path("up")),
            Err(TreeError::LinkOutsideRoot { .. })
        ));
    }
}
