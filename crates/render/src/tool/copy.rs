//! A private copy of part of a tree, for programs that read files.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::{
    path::TreePath,
    tree::{Kind, TreeError},
    view::View,
};

/// A folder that is removed when dropped.
pub(super) struct Copy {
    folder: tempfile::TempDir,
}

impl Copy {
    /// An empty copy, readable by nobody else.
    pub(super) fn new() -> io::Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("argosy-render-")
            .tempdir()?;
        fs::create_dir(folder.path().join("tree"))?;
        fs::create_dir(folder.path().join("home"))?;
        Ok(Self { folder })
    }

    /// Where the tree's root is.
    pub(super) fn root(&self) -> PathBuf {
        self.folder.path().join("tree")
    }

    /// An empty folder for what the program wants to keep.
    pub(super) fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// Copies a directory with everything below it. A link becomes what it leads to; one that
    /// leads out of the tree, or nowhere, is left out, so that only who needs it fails.
    pub(super) fn directory(&self, view: &View, directory: &TreePath) -> Result<(), TreeError> {
        make(&self.root().join(directory.as_str()), directory)?;
        for entry in view.list(directory)? {
            let Some(path) = directory.child(&entry.name) else {
                continue;
            };
            match entry.kind {
                Kind::Directory => self.directory(view, &path)?,
                Kind::File => self.file(view, &path, &path)?,
                Kind::Link => match view.resolve(&path) {
                    Ok(Some(target)) if target.kind == Kind::File => {
                        self.file(view, &path, &target.path)?;
                    }
                    _ => {}
                },
                Kind::Submodule | Kind::Other => {}
            }
        }
        Ok(())
    }

    fn file(&self, view: &View, at: &TreePath, from: &TreePath) -> Result<(), TreeError> {
        let bytes = view.read(from)?;
        fs::write(self.root().join(at.as_str()), bytes).map_err(|error| TreeError::store(at, error))
    }
}

fn make(folder: &Path, path: &TreePath) -> Result<(), TreeError> {
    fs::create_dir_all(folder).map_err(|error| TreeError::store(path, error))
}
