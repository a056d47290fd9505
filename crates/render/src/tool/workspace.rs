//! A private folder with the part of a tree that a program needs, for programs that read files.

use std::{
    cell::Cell,
    fs::{self, Permissions},
    io,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
};

use argosy_glob::path_match::Pattern;

use crate::{
    path::TreePath,
    tree::{Kind, TreeError},
    view::View,
};

/// How many bytes of files one render may need: what Helm allows a chart.
const SIZE_LIMIT: u64 = 100 * 1024 * 1024;

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
    /// There are too many files, or too large ones.
    #[error(
        "the files below {0} have more than {limit} MB together; keep what is not rendered in \
         another directory",
        limit = SIZE_LIMIT / 1024 / 1024
    )]
    TooLarge(TreePath),
    /// The repository is too large for a copy of it.
    #[error(
        "the repository has more than {limit} MB, too much for a copy of all of it; keep what the \
         plugin reads in a repository of its own",
        limit = WHOLE_LIMIT / 1024 / 1024
    )]
    WholeTooLarge,
}

impl Workspace {
    /// An empty workspace in the folder `parent`.
    pub(super) fn new(parent: &Path) -> io::Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("argosy-render-")
            .tempdir_in(parent)?;
        for part in ["tree", "home", "input"] {
            fs::create_dir(folder.path().join(part))?;
        }
        Ok(Self {
            folder,
            bytes_left: Cell::new(SIZE_LIMIT),
            inputs: Cell::new(0),
        })
    }

    /// Where `path` of the tree is, or would be.
    pub(super) fn at(&self, path: &TreePath) -> PathBuf {
        self.folder.path().join("tree").join(path.as_str())
    }

    /// An empty folder for what the program wants to keep.
    pub(super) fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// The folder itself.
    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Replaces the workspace's own place in a program's text by nothing, which leaves paths as
    /// they are in the repository.
    pub(super) fn hide(&self, text: &str) -> String {
        let place = self.folder.path().display().to_string();
        text.replace(&format!("{place}/tree/"), "")
            .replace(&format!("{place}/tree"), ".")
            .replace(&format!("{place}/"), "")
    }

    /// Writes a file of its own, outside the tree, and returns its path.
    pub(super) fn input(&self, bytes: &[u8]) -> io::Result<PathBuf> {
        let number = self.inputs.get();
        self.inputs.set(number + 1);
        let file = self.folder.path().join("input").join(number.to_string());
        fs::write(&file, bytes)?;
        Ok(file)
    }

    /// Copies a directory with everything below it. A link becomes what it leads to; one that
    /// leads nowhere is left out, one that leads out of the tree is an error.
    pub(super) fn directory(
        &self,
        view: &View,
        directory: &TreePath,
    ) -> Result<(), WorkspaceError> {
        self.copy(view, directory, directory)
    }

    /// Copies the directory `from` as [`Self::directory`] does, to the place of `at`.
    pub(super) fn copy(
        &self,
        view: &View,
        at: &TreePath,
        from: &TreePath,
    ) -> Result<(), WorkspaceError> {
        self.below(view, at, from, &mut Vec::new())
    }

    /// Copies what lies in `from` to the place of `at`; `inside` are the directories on the way.
    fn below(
        &self,
        view: &View,
        at: &TreePath,
        from: &TreePath,
        inside: &mut Vec<TreePath>,
    ) -> Result<(), WorkspaceError> {
        if inside.contains(from) {
            return Err(TreeError::LinkLoop { path: at.clone() }.into());
        }
        inside.push(from.clone());
        fs::create_dir_all(self.at(at))?;
        for entry in view.list(from)? {
            let (Some(place), Some(path)) = (at.child(&entry.name), from.child(&entry.name)) else {
                continue;
            };
            let target = match entry.kind {
                Kind::Link => view.resolve(&path)?,
                _ => Some(crate::view::Target {
                    path,
                    kind: entry.kind,
                }),
            };
            match target {
                Some(target) if target.kind == Kind::Directory => {
                    self.below(view, &place, &target.path, inside)?;
                }
                Some(target) if target.kind == Kind::File => {
                    self.write(view, &place, &target.path)?;
                }
                _ => {}
            }
        }
        inside.pop();
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
        self.bytes_left.set(WHOLE_LIMIT);
        let copied = self.everything_in(view, &TreePath::root(), modes, exclusions);
        copied.map_err(|error| match error {
            WorkspaceError::TooLarge(_) => WorkspaceError::WholeTooLarge,
            other => other,
        })
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
                    self.write(view, &path, &path)?;
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

    /// Copies one file; links on the way are followed.
    pub(super) fn file(&self, view: &View, path: &TreePath) -> Result<(), WorkspaceError> {
        fs::create_dir_all(self.at(&path.parent()))?;
        self.write(view, path, path)
    }

    /// Writes a file that the tree does not have.
    pub(super) fn put(&self, path: &TreePath, content: &[u8]) -> Result<(), WorkspaceError> {
        fs::create_dir_all(self.at(&path.parent()))?;
        self.count(path, content.len() as u64)?;
        Ok(fs::write(self.at(path), content)?)
    }

    /// Makes the directory `target` reachable at `path` too.
    pub(super) fn alias(&self, path: &TreePath, target: &TreePath) -> Result<(), WorkspaceError> {
        let place = self.at(path);
        if place.symlink_metadata().is_ok() {
            return Ok(());
        }
        fs::create_dir_all(self.at(target))?;
        if let Some(parent) = place.parent() {
            fs::create_dir_all(parent)?;
        }
        Ok(symlink(self.at(target), place)?)
    }

    fn write(&self, view: &View, at: &TreePath, from: &TreePath) -> Result<(), WorkspaceError> {
        self.count(at, view.size(from)?)?;
        Ok(fs::write(self.at(at), view.read(from)?)?)
    }

    fn count(&self, at: &TreePath, size: u64) -> Result<(), WorkspaceError> {
        let left = self.bytes_left.get().checked_sub(size);
        let left = left.ok_or_else(|| WorkspaceError::TooLarge(at.parent()))?;
        self.bytes_left.set(left);
        Ok(())
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
    use std::sync::Arc;

    use super::*;
    use crate::memory::MemoryTree;

    fn copied(tree: MemoryTree) -> Result<Workspace, WorkspaceError> {
        let workspace = Workspace::new(&std::env::temp_dir())?;
        let view = View::new(Arc::new(tree));
        let directory = TreePath::parse("ch").map_err(TreeError::from)?;
        workspace.directory(&view, &directory).map(|()| workspace)
    }

    #[test]
    fn links_become_what_they_lead_to_and_nothing_is_left_behind() {
        let tree = MemoryTree::default()
            .file("ch/a", "a")
            .file("shared/b", "b")
            .file("unrelated/c", "c")
            .link("ch/dir", "../shared")
            .link("ch/gone", "nothing");
        let workspace = copied(tree).unwrap();
        let root = workspace.at(&TreePath::root());
        assert_eq!(fs::read(root.join("ch/dir/b")).unwrap(), b"b");
        assert!(!root.join("ch/dir").is_symlink());
        assert!(!root.join("ch/gone").exists() && !root.join("unrelated").exists());
        drop(workspace);
        assert!(!root.exists());
    }

    #[test]
    fn links_that_lead_out_or_in_circles_are_errors() {
        let with =
            |target: &str| copied(MemoryTree::default().file("ch/a", "").link("ch/l", target));
        for (target, text) in [
            ("../../x", "leaves the repository"),
            ("/etc", "leaves the repository"),
            ("..", "too many levels"),
        ] {
            let error = with(target).err().unwrap().to_string();
            assert!(error.contains(text), "{error}");
        }
    }

    #[test]
    fn too_many_bytes_are_an_error() {
        let size = usize::try_from(SIZE_LIMIT / 2 + 1).unwrap();
        let tree = MemoryTree::default().file("ch/a", vec![0; size]);
        assert!(copied(tree.clone()).is_ok());
        let error = copied(tree.file("ch/b", vec![0; size])).err().unwrap();
        assert!(matches!(error, WorkspaceError::TooLarge(_)), "{error}");
    }
}
