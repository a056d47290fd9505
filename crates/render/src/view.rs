//! The one way in which rendering reads a tree.
//!
//! A [`View`] follows symbolic links only inside the root, refuses what leaves it, and records
//! every answer it gave as [`Reads`]. It never writes, and it never gives out the tree itself.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{
    needs::Need,
    path::TreePath,
    reads::Reads,
    tree::{Entry, Kind, Tree, TreeError},
};

/// How many links one path may go through: Linux's own limit.
const MAX_LINKS: usize = 40;

/// A recording, confined, read-only view of a tree; clones share the record.
#[derive(Clone)]
pub struct View {
    tree: Arc<dyn Tree>,
    reads: Arc<Mutex<Reads>>,
    needs: Arc<Mutex<BTreeSet<Need>>>,
}

/// Where a path leads when links are followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The path without any link in it.
    pub path: TreePath,
    /// What is there; never [`Kind::Link`].
    pub kind: Kind,
}

impl View {
    /// Looks at `tree` with an empty record.
    pub fn new(tree: Arc<dyn Tree>) -> Self {
        Self {
            tree,
            reads: Arc::default(),
            needs: Arc::default(),
        }
    }

    /// What has been read so far.
    pub fn reads(&self) -> Reads {
        self.record().clone()
    }

    /// What has to be fetched before all that was read is what it stands for.
    pub(crate) fn needs(&self) -> BTreeSet<Need> {
        let needs = self.needs.lock();
        needs.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Follows links from `path` on; `None` if nothing is at the end.
    ///
    /// Fails if a link leaves the root, if links form a loop, or if the path enters a submodule.
    pub fn resolve(&self, path: &TreePath) -> Result<Option<Target>, TreeError> {
        let mut pending: Vec<String> = path.segments().map(str::to_owned).collect();
        pending.reverse();
        let mut at = TreePath::root();
        let mut kind = Kind::Directory;
        let mut links = 0;
        let mut last_link = (path.clone(), String::new());
        while let Some(segment) = pending.pop() {
            match kind {
                Kind::Directory => {}
                Kind::Submodule => return Err(TreeError::Submodule { path: at }),
                _ => return Ok(None),
            }
            if segment == ".." {
                // Only a link's target can climb; it may, as long as it stays inside.
                if at.is_root() {
                    let (path, target) = last_link;
                    return Err(TreeError::LinkOutsideRoot { path, target });
                }
                at = at.parent();
                continue;
            }
            let Some(next) = at.child(&segment) else {
                continue;
            };
            match self.kind(&next)? {
                None => return Ok(None),
                Some(Kind::Link) => {
                    links += 1;
                    if links > MAX_LINKS {
                        return Err(TreeError::LinkLoop { path: path.clone() });
                    }
                    let target = self.link_target(&next)?;
                    if target.starts_with('/') {
                        return Err(TreeError::LinkOutsideRoot { path: next, target });
                    }
                    pending.extend(target.split('/').rev().map(str::to_owned));
                    last_link = (next, target);
                }
                Some(found) => {
                    at = next;
                    kind = found;
                }
            }
        }
        Ok(Some(Target { path: at, kind }))
    }

    /// What is at `path` itself; a link is not followed.
    pub fn kind(&self, path: &TreePath) -> Result<Option<Kind>, TreeError> {
        let kind = self.tree.kind(path)?;
        self.record().kind(path, kind);
        Ok(kind)
    }

    /// The entries of a directory, sorted by name; links on the way are followed.
    pub fn list(&self, path: &TreePath) -> Result<Vec<Entry>, TreeError> {
        let target = self.existing(path)?;
        if target.kind == Kind::Submodule {
            return Err(TreeError::Submodule { path: target.path });
        }
        if target.kind != Kind::Directory {
            return Err(TreeError::NotDirectory { path: path.clone() });
        }
        let entries = self.tree.list(&target.path)?;
        self.record().names(&target.path, &entries);
        Ok(entries)
    }

    /// The bytes of a file; links are followed.
    pub fn read(&self, path: &TreePath) -> Result<Vec<u8>, TreeError> {
        let target = self.file(path)?;
        let bytes = self.tree.read(&target)?;
        if let Some(file) = self.tree.needs(&target)? {
            // The rest is read all the same, so that all that is needed is told at once.
            let mut needs = self.needs.lock().unwrap_or_else(PoisonError::into_inner);
            needs.insert(Need::LargeFile(file));
        }
        let id = self.tree.id(&target)?;
        self.record().content(&target, id);
        Ok(bytes)
    }

    /// The size of a file; links are followed. The whole content counts as read.
    pub fn size(&self, path: &TreePath) -> Result<u64, TreeError> {
        let target = self.file(path)?;
        let size = self.tree.size(&target)?;
        let id = self.tree.id(&target)?;
        self.record().content(&target, id);
        Ok(size)
    }

    /// A view of the same tree for somebody whose reads cannot be seen: all of the tree counts as
    /// read here, and nothing of what is read there.
    pub(crate) fn unseen(&self) -> Result<Self, TreeError> {
        self.identity()?;
        Ok(Self {
            needs: Arc::clone(&self.needs),
            ..Self::new(Arc::clone(&self.tree))
        })
    }

    /// Names all of the tree: where it is the same, so is every file. It counts as read.
    pub(crate) fn identity(&self) -> Result<String, TreeError> {
        let root = TreePath::root();
        let id = self.tree.id(&root)?;
        self.record().content(&root, id.clone());
        Ok(id.map_or_else(String::new, |id| id.to_string()))
    }

    /// Whether a file may be run as a program. It is part of what a directory is, and not recorded.
    pub(crate) fn is_executable(&self, path: &TreePath) -> Result<bool, TreeError> {
        self.tree.is_executable(path)
    }

    /// What a link says, which leads nowhere outside of the root.
    pub(crate) fn link(&self, path: &TreePath) -> Result<String, TreeError> {
        self.resolve(path)?;
        self.link_target(path)
    }

    fn file(&self, path: &TreePath) -> Result<TreePath, TreeError> {
        let target = self.existing(path)?;
        match target.kind {
            Kind::File => Ok(target.path),
            Kind::Submodule => Err(TreeError::Submodule { path: target.path }),
            _ => Err(TreeError::NotFile { path: path.clone() }),
        }
    }

    fn existing(&self, path: &TreePath) -> Result<Target, TreeError> {
        self.resolve(path)?
            .ok_or_else(|| TreeError::NotFound { path: path.clone() })
    }

    fn link_target(&self, link: &TreePath) -> Result<String, TreeError> {
        let target = self.tree.read(link)?;
        let id = self.tree.id(link)?;
        self.record().content(link, id);
        String::from_utf8(target).map_err(|source| TreeError::store(link, source))
    }

    fn record(&self) -> MutexGuard<'_, Reads> {
        // A panic elsewhere cannot leave a half-made record: inserting is all that is done to it.
        self.reads.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::MemoryTree;

    fn path(text: &str) -> TreePath {
        TreePath::parse(text).unwrap()
    }

    fn view(tree: MemoryTree) -> View {
        View::new(Arc::new(tree))
    }

    #[test]
    fn links_are_followed_inside_the_root_and_refused_outside() {
        let view = view(
            MemoryTree::default()
                .file("base/a.yaml", "a: 1\n")
                .link("app/inside.yaml", "../base/a.yaml")
                .link("app/out.yaml", "../../etc/passwd")
                .link("app/abs.yaml", "/etc/passwd")
                .link("app/dir", "../base")
                .link("app/loop", "loop"),
        );
        assert_eq!(view.read(&path("app/inside.yaml")).unwrap(), b"a: 1\n");
        assert_eq!(view.read(&path("app/dir/a.yaml")).unwrap(), b"a: 1\n");
        for outside in ["app/out.yaml", "app/abs.yaml"] {
            let error = view.read(&path(outside)).unwrap_err();
            assert!(
                matches!(error, TreeError::LinkOutsideRoot { .. }),
                "{error}"
            );
        }
        let error = view.read(&path("app/loop")).unwrap_err();
        assert!(matches!(error, TreeError::LinkLoop { .. }), "{error}");
    }

    #[test]
    fn a_link_that_climbs_through_another_link_cannot_escape() {
        let view = view(
            MemoryTree::default()
                .file("x", "")
                .file("a/b/c/d", "")
                .link("deep", "a/b/c")
                .link("trick", "deep/../../../../etc"),
        );
        assert!(view.read(&path("trick/passwd")).is_err());
    }

    #[test]
    fn reads_hold_until_something_that_was_read_changes() {
        let before = MemoryTree::default()
            .file("app/a.yaml", "a: 1\n")
            .file("other/b.yaml", "b: 1\n");
        let view = view(before.clone());
        view.list(&path("app")).unwrap();
        view.read(&path("app/a.yaml")).unwrap();
        let reads = view.reads();
        assert!(reads.hold_in(&before).unwrap());
        let unrelated = before.clone().file("other/b.yaml", "b: 2\n");
        assert!(reads.hold_in(&unrelated).unwrap());
        let changed = before.clone().file("app/a.yaml", "a: 2\n");
        assert!(!reads.hold_in(&changed).unwrap());
        let added = before.file("app/c.yaml", "");
        assert!(!reads.hold_in(&added).unwrap());
    }
}
