//! The part of a tree that a tool needs for one render, as a value: tools see nothing else.
//!
//! Nothing is written here. A program gets it as a private folder, a worker through its pipe.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    path::TreePath,
    tree::{Kind, TreeError},
    view::{Target, View},
};

/// How many bytes of files one render may need: what Helm allows a chart.
const SIZE_LIMIT: u64 = 100 * 1024 * 1024;

/// Files by their paths, and others that lie in no tree.
pub(super) struct Selection {
    files: BTreeMap<TreePath, Vec<u8>>,
    folders: BTreeSet<TreePath>,
    /// Folders that are reached by another path, too.
    links: BTreeMap<TreePath, TreePath>,
    extras: Vec<Extra>,
    bytes_left: u64,
}

/// A file that lies in no tree.
struct Extra {
    /// What people call it.
    name: String,
    content: Vec<u8>,
}

/// Why a file cannot be had.
#[derive(Debug, thiserror::Error)]
pub(super) enum SelectionError {
    /// It cannot be read, or leaves the repository.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// There are too many files, or too large ones.
    #[error(
        "the files below {0} have more than {limit} MB together; keep what is not rendered in \
         another directory",
        limit = SIZE_LIMIT / 1024 / 1024
    )]
    TooLarge(TreePath),
}

impl Default for Selection {
    fn default() -> Self {
        Self {
            files: BTreeMap::new(),
            folders: BTreeSet::new(),
            links: BTreeMap::new(),
            extras: Vec::new(),
            bytes_left: SIZE_LIMIT,
        }
    }
}

impl Selection {
    /// Adds a directory with everything below it. A link becomes what it leads to; one that leads
    /// nowhere is left out, one that leads out of the tree is an error.
    pub(super) fn directory(
        &mut self,
        view: &View,
        directory: &TreePath,
    ) -> Result<(), SelectionError> {
        self.copy(view, directory, directory)
    }

    /// Adds the directory `from` as [`Self::directory`] does, at the place of `at`.
    pub(super) fn copy(
        &mut self,
        view: &View,
        at: &TreePath,
        from: &TreePath,
    ) -> Result<(), SelectionError> {
        self.below(view, at, from, &mut Vec::new())
    }

    /// Adds what lies in `from` at the place of `at`; `inside` are the directories on the way.
    fn below(
        &mut self,
        view: &View,
        at: &TreePath,
        from: &TreePath,
        inside: &mut Vec<TreePath>,
    ) -> Result<(), SelectionError> {
        if inside.contains(from) {
            return Err(TreeError::LinkLoop { path: at.clone() }.into());
        }
        inside.push(from.clone());
        self.folders.insert(at.clone());
        for entry in view.list(from)? {
            let (Some(place), Some(path)) = (at.child(&entry.name), from.child(&entry.name)) else {
                continue;
            };
            let kind = entry.kind;
            let target = match kind {
                Kind::Link => view.resolve(&path)?,
                _ => Some(Target { path, kind }),
            };
            match target {
                Some(target) if target.kind == Kind::Directory => {
                    self.below(view, &place, &target.path, inside)?;
                }
                Some(target) if target.kind == Kind::File => {
                    self.read(view, &place, &target.path)?;
                }
                _ => {}
            }
        }
        inside.pop();
        Ok(())
    }

    /// Adds one file; links on the way are followed.
    pub(super) fn file(&mut self, view: &View, path: &TreePath) -> Result<(), SelectionError> {
        self.read(view, path, path)
    }

    fn read(&mut self, view: &View, at: &TreePath, from: &TreePath) -> Result<(), SelectionError> {
        self.count(at, view.size(from)?)?;
        self.files.insert(at.clone(), view.read(from)?);
        Ok(())
    }

    /// Adds a file that the tree does not have, or replaces one.
    pub(super) fn put(&mut self, path: &TreePath, content: Vec<u8>) -> Result<(), SelectionError> {
        self.count(path, content.len() as u64)?;
        self.files.insert(path.clone(), content);
        Ok(())
    }

    /// Makes the directory `target` reachable at `path`, too, unless something is there.
    pub(super) fn alias(&mut self, path: &TreePath, target: &TreePath) {
        if !self.has(path) && !self.links.contains_key(path) {
            self.folders.insert(target.clone());
            self.links.insert(path.clone(), target.clone());
        }
    }

    /// Adds a file that lies in no tree and that people know by `name`; returns its path as seen
    /// from `directory`.
    pub(super) fn extra(&mut self, name: &str, content: Vec<u8>, directory: &TreePath) -> String {
        let number = self.extras.len();
        let name = name.to_owned();
        self.extras.push(Extra { name, content });
        extra_from(directory, number)
    }

    /// The content of a file of the tree.
    pub(super) fn content(&self, path: &TreePath) -> Option<&[u8]> {
        self.files.get(path).map(Vec::as_slice)
    }

    /// Whether there is a file or a directory at `path`.
    pub(super) fn has(&self, path: &TreePath) -> bool {
        let is_below = |other: &TreePath| other.relative_to(path).is_some();
        let (mut files, mut folders) = (self.files.keys(), self.folders.iter());
        files.any(is_below) || folders.any(is_below)
    }

    /// All files with their paths from the root of what a tool sees.
    pub(super) fn files(&self) -> impl Iterator<Item = (String, &[u8])> {
        let files = self.files.iter();
        let extras = self.extras.iter().enumerate();
        files
            .map(|(path, content)| (place(path), content.as_slice()))
            .chain(extras.map(|(number, extra)| (extra_place(number), extra.content.as_slice())))
    }

    /// All folders that were added, which may be empty, by their paths from that root.
    pub(super) fn folders(&self) -> impl Iterator<Item = String> {
        self.folders.iter().map(place)
    }

    /// What leads to which folder, by their paths from that root.
    pub(super) fn links(&self) -> impl Iterator<Item = (String, String)> {
        let links = self.links.iter();
        links.map(|(path, target)| (place(path), place(target)))
    }

    /// The text of a tool that saw everything below `root`, with names as people know them: paths
    /// are as they are in the repository.
    pub(super) fn named(&self, text: &str, root: &str, directory: &TreePath) -> String {
        let mut text = text.to_owned();
        for (number, extra) in self.extras.iter().enumerate().rev() {
            text = text
                .replace(&extra_from(directory, number), &extra.name)
                .replace(&format!("{root}/{}", extra_place(number)), &extra.name);
        }
        without_root(&text, root)
    }

    fn count(&mut self, at: &TreePath, size: u64) -> Result<(), SelectionError> {
        let left = self.bytes_left.checked_sub(size);
        self.bytes_left = left.ok_or_else(|| SelectionError::TooLarge(at.parent()))?;
        Ok(())
    }
}

/// Where a path of the tree is below the root of what a tool sees.
pub(super) fn place(path: &TreePath) -> String {
    if path.is_root() {
        "tree".to_owned()
    } else {
        format!("tree/{path}")
    }
}

/// The text without the place `root`, below which a tool saw a tree.
pub(super) fn without_root(text: &str, root: &str) -> String {
    text.replace(&format!("{root}/tree/"), "")
        .replace(&format!("{root}/tree"), ".")
        .replace(&format!("{root}/"), "")
}

fn extra_place(number: usize) -> String {
    format!("input/{number}")
}

/// The path of an extra file as seen from a directory of the tree.
fn extra_from(directory: &TreePath, number: usize) -> String {
    let up = "../".repeat(directory.segments().count() + 1);
    format!("{up}{}", extra_place(number))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::memory::MemoryTree;

    fn selected(tree: MemoryTree) -> Result<Selection, SelectionError> {
        let mut selection = Selection::default();
        let directory = TreePath::parse("ch").map_err(TreeError::from)?;
        let copied = selection.directory(&View::new(Arc::new(tree)), &directory);
        copied.map(|()| selection)
    }

    #[test]
    fn links_become_what_they_lead_to() {
        let tree = MemoryTree::default()
            .file("ch/a", "a")
            .file("shared/b", "b")
            .file("unrelated/c", "c")
            .link("ch/dir", "../shared")
            .link("ch/gone", "nothing");
        let selection = selected(tree).unwrap();
        let files: Vec<_> = selection.files().collect();
        let expected: [(String, &[u8]); 2] =
            [("tree/ch/a".into(), b"a"), ("tree/ch/dir/b".into(), b"b")];
        assert_eq!(files, expected);
        assert_eq!(selection.links().count(), 0);
    }

    #[test]
    fn links_that_lead_out_or_in_circles_are_errors() {
        let with =
            |target: &str| selected(MemoryTree::default().file("ch/a", "").link("ch/l", target));
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
        assert!(selected(tree.clone()).is_ok());
        let error = selected(tree.file("ch/b", vec![0; size])).err().unwrap();
        assert!(matches!(error, SelectionError::TooLarge(_)), "{error}");
    }

    #[test]
    fn complaints_name_files_as_people_do() {
        let mut selection = Selection::default();
        let directory = TreePath::parse("apps/web").unwrap();
        for number in 0..11 {
            let path = selection.extra(&format!("values-{number}.yaml"), vec![], &directory);
            assert_eq!(path, format!("../../../input/{number}"));
        }
        let text = "parse ../../../input/10, open /x/tree/apps/web/a.yaml in /x/tree, /x/input/1";
        let named = selection.named(text, "/x", &directory);
        assert_eq!(
            named,
            "parse values-10.yaml, open apps/web/a.yaml in ., values-1.yaml"
        );
    }
}
