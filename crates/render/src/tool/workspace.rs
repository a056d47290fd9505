//! A private folder with the files that a program needs, for programs that read them from a disk.

use std::{
    cell::Cell,
    fs::{self, Permissions},
    io,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
};

use argosy_glob::path_match::Pattern;

use super::selection::{Selection, place, without_root};
use crate::{
    path::TreePath,
    tree::{Kind, TreeError},
    view::View,
};

/// How many bytes a copy of a whole repository may have.
const WHOLE_LIMIT: u64 = 1024 * 1024 * 1024;

/// A folder that nobody else can read and that is removed when dropped.
pub(super) struct Workspace {
    folder: tempfile::TempDir,
    bytes_left: Cell<u64>,
    inputs: Cell<u32>,
}

/// Why a file is not in the workspace.
#[derive(Debug, thiserror::Error)]
pub(super) enum WorkspaceError {
    /// It cannot be read, or leaves the repository.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// It cannot be written.
    #[error("cannot prepare the render's private folder: {0}")]
    Write(#[from] io::Error),
    /// The repository is too large for a copy of it.
    #[error(
        "the repository has more than {limit} MB, too much for a copy of all of it; keep what the \
         plugin reads in a repository of its own",
        limit = WHOLE_LIMIT / 1024 / 1024
    )]
    TooLarge,
}

impl Workspace {
    /// An empty workspace.
    pub(super) fn new() -> io::Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("argosy-render-")
            .tempdir()?;
        for part in ["tree", "home", "input"] {
            fs::create_dir(folder.path().join(part))?;
        }
        Ok(Self {
            folder,
            bytes_left: Cell::new(WHOLE_LIMIT),
            inputs: Cell::new(0),
        })
    }

    /// Where `path` of the tree is, or would be.
    pub(super) fn at(&self, path: &TreePath) -> PathBuf {
        self.folder.path().join(place(path))
    }

    /// An empty folder for what the program wants to keep.
    pub(super) fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// The folder itself.
    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A program's text without the workspace's own place, so that paths are as they are in the
    /// repository.
    pub(super) fn hide(&self, text: &str) -> String {
        without_root(text, &self.folder().display().to_string())
    }

    /// Writes a file of its own, outside the tree, and returns its path.
    pub(super) fn input(&self, bytes: &[u8]) -> io::Result<PathBuf> {
        let number = self.inputs.get();
        self.inputs.set(number + 1);
        let file = self.folder.path().join("input").join(number.to_string());
        fs::write(&file, bytes)?;
        Ok(file)
    }

    /// Writes all that was selected.
    pub(super) fn lay_out(&self, selection: &Selection) -> io::Result<()> {
        let make_place = |path: &str| {
            let place = self.folder().join(path);
            place.parent().map_or(Ok(()), fs::create_dir_all)?;
            io::Result::Ok(place)
        };
        for folder in selection.folders() {
            fs::create_dir_all(self.folder().join(folder))?;
        }
        for (path, content) in selection.files() {
            fs::write(make_place(&path)?, content)?;
        }
        for (path, target) in selection.links() {
            symlink(self.folder().join(target), make_place(&path)?)?;
        }
        Ok(())
    }

    /// Copies the whole tree as it is: links stay links, and one that leads out of the tree is an
    /// error. With `modes`, what is a program there is one here. What matches one of `exclusions` is
    /// left out, with all below it.
    pub(super) fn everything(
        &self,
        view: &View,
        modes: bool,
        exclusions: &[Pattern],
    ) -> Result<(), WorkspaceError> {
        self.everything_in(view, &TreePath::root(), modes, exclusions)
    }

    fn everything_in(
        &self,
        view: &View,
        directory: &TreePath,
        modes: bool,
        exclusions: &[Pattern],
    ) -> Result<(), WorkspaceError> {
        for entry in view.list(directory)? {
            let Some(path) = directory.child(&entry.name) else {
                continue;
            };
            if exclusions
                .iter()
                .any(|left_out| left_out.matches(path.as_str()))
            {
                continue;
            }
            match entry.kind {
                Kind::Directory => {
                    fs::create_dir(self.at(&path))?;
                    self.everything_in(view, &path, modes, exclusions)?;
                }
                Kind::File => {
                    self.write(view, &path)?;
                    if modes && view.is_executable(&path)? {
                        fs::set_permissions(self.at(&path), Permissions::from_mode(0o755))?;
                    }
                }
                Kind::Link => symlink(view.link(&path)?, self.at(&path))?,
                // Where git would leave an empty directory.
                Kind::Submodule => fs::create_dir(self.at(&path))?,
                Kind::Other => {}
            }
        }
        Ok(())
    }

    fn write(&self, view: &View, path: &TreePath) -> Result<(), WorkspaceError> {
        let left = self.bytes_left.get().checked_sub(view.size(path)?);
        self.bytes_left.set(left.ok_or(WorkspaceError::TooLarge)?);
        Ok(fs::write(self.at(path), view.read(path)?)?)
    }
}

/// The program that lies in `folder` under `name`, if it can be run.
pub(super) fn program(folder: &Path, name: &str) -> Option<PathBuf> {
    let file = folder.join(name);
    let metadata = file.metadata().ok()?;
    (metadata.is_file() && metadata.permissions().mode() & 0o111 != 0).then_some(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_selected_lies_in_the_folder_until_it_is_dropped() {
        let path = |text: &str| TreePath::parse(text).unwrap();
        let mut selection = Selection::default();
        selection.put(&path("ch/a"), b"a".to_vec()).unwrap();
        selection.alias(&path("other/ch"), &path("ch"));
        let extra = selection.extra("values", b"v".to_vec(), &path("ch"));
        let workspace = Workspace::new().unwrap();
        workspace.lay_out(&selection).unwrap();
        let read = |file: &str| fs::read(workspace.at(&path("ch")).join(file)).unwrap();
        assert_eq!(
            (read("../other/ch/a"), read(&extra)),
            (b"a".to_vec(), b"v".to_vec())
        );
        let root = workspace.folder().to_owned();
        drop(workspace);
        assert!(!root.exists());
    }
}
