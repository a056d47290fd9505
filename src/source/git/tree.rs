//! A commit's tree, read from the object database by object id.
//!
//! There is no work tree: no file is written, no filter or hook runs, and what a link says is only
//! text until `argosy_render::View` resolves it inside the root.

use std::{
    collections::BTreeMap,
    fmt::{self, Write as _},
    io,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use argosy_registry::{LargeFile, POINTER_LIMIT};
use argosy_render::{Entry, Kind, ObjectId, Tree, TreeError, TreePath};
use gix::{
    bstr::ByteSlice,
    objs::{FindExt as _, FindHeader as _, tree::EntryKind},
};

use super::{
    Objects, Sha,
    commit::root,
    modules::{self, Module},
};
use crate::source::large::LargeStore;

/// One commit's tree. Cloning is cheap, and clones share what was decoded.
#[derive(Clone)]
pub struct GitTree {
    objects: Objects,
    commit: Sha,
    root: gix::ObjectId,
    directories: Arc<Mutex<BTreeMap<gix::ObjectId, Directory>>>,
    modules: Arc<OnceLock<Modules>>,
    grafts: Arc<Grafts>,
    large: Option<Large>,
}

/// Where the contents of large files are, and of which repository they are.
#[derive(Clone)]
struct Large {
    store: Arc<LargeStore>,
    url: Arc<str>,
}

/// The submodules of a tree and the commits that they stand at.
pub(crate) type Modules = Arc<[(Module, Sha)]>;

/// What lies in the places of submodules, or why nothing does.
type Grafts = BTreeMap<TreePath, Result<GitTree, String>>;

/// What tells files apart from those of a tree whose large files are not looked for.
const LARGE: &str = " with large files";

/// How deep directories may lie in each other: whoever walks a tree follows them by calls.
const DEPTH: usize = 256;

type Directory = Arc<BTreeMap<String, Node>>;

#[derive(Clone, Copy, Debug)]
struct Node {
    kind: Kind,
    id: gix::ObjectId,
    is_executable: bool,
}

/// One file of a tree, as generators ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeFile {
    /// The path from the root.
    pub path: TreePath,
    /// What it is; never a directory.
    pub kind: Kind,
}

impl fmt::Debug for GitTree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GitTree")
            .field("commit", &self.commit)
            .finish_non_exhaustive()
    }
}

impl GitTree {
    /// Opens the tree of a commit that is among `objects`.
    pub(crate) fn open(objects: Objects, commit: &Sha) -> gix::Result<Self> {
        Ok(Self {
            root: root(&objects, commit)?,
            commit: commit.clone(),
            objects,
            directories: Arc::default(),
            modules: Arc::default(),
            grafts: Arc::default(),
            large: None,
        })
    }

    /// The submodules, if they have been looked for.
    pub(crate) fn known_modules(&self) -> Option<Modules> {
        self.modules.get().cloned()
    }

    /// The submodules of this tree, which lies in the repository at `url`.
    pub(crate) fn modules(&self, url: &str) -> Result<Modules, String> {
        let text = |error: TreeError| error.to_string();
        let file = TreePath::parse(".gitmodules").map_err(|error| error.to_string())?;
        let found = match self.node(&file).map_err(text)? {
            Some(node) if node.kind == Kind::File => {
                let content = self.read(&file).map_err(text)?;
                let named = modules::read(&String::from_utf8_lossy(&content), url)?;
                let stands = |module: Module| {
                    let node = self.node(&module.path).ok()??;
                    let commit = Sha::parse(&node.id.to_string())?;
                    (node.kind == Kind::Submodule).then_some((module, commit))
                };
                named.into_iter().filter_map(stands).collect()
            }
            _ => Modules::default(),
        };
        Ok(Arc::clone(self.modules.get_or_init(|| found)))
    }

    /// This tree with others in the places of its submodules, or why there are none.
    pub(crate) fn with_modules(self, grafts: Grafts) -> Self {
        Self {
            grafts: Arc::new(grafts),
            ..self
        }
    }

    /// This tree of the repository at `url` with the contents of large files, as far as the store has
    /// them, in the places of the texts that stand for them.
    pub(crate) fn with_large_files(self, store: &Arc<LargeStore>, url: &str) -> Self {
        let large = Large {
            store: Arc::clone(store),
            url: url.into(),
        };
        Self {
            large: Some(large),
            ..self
        }
    }

    /// This tree, and those of its submodules, with the texts that stand for large files.
    pub(crate) fn without_large_files(self) -> Self {
        let plain = |(path, graft): (&TreePath, &Result<Self, String>)| {
            (path.clone(), graft.clone().map(Self::without_large_files))
        };
        let grafts: Grafts = self.grafts.iter().map(plain).collect();
        Self {
            grafts: Arc::new(grafts),
            large: None,
            ..self
        }
    }

    /// The large file that the file at `path` of this very tree stands for.
    fn large_file(&self, path: &TreePath) -> Result<Option<(&Large, LargeFile)>, TreeError> {
        let Some(large) = &self.large else {
            return Ok(None);
        };
        if self.stored_size(path)? > POINTER_LIMIT {
            return Ok(None);
        }
        let file = LargeFile::parse(&self.stored(path)?);
        Ok(file.map(|file| (large, file)))
    }

    /// The size of what git holds at `path`.
    fn stored_size(&self, path: &TreePath) -> Result<u64, TreeError> {
        let id = self.blob(path)?;
        let header = self.objects.try_header(&id);
        let header = header.map_err(|error| store(path, error))?;
        header
            .map(|header| header.size)
            .ok_or_else(|| TreeError::NotFound { path: path.clone() })
    }

    /// What git holds at `path`.
    fn stored(&self, path: &TreePath) -> Result<Vec<u8>, TreeError> {
        let id = self.blob(path)?;
        let mut buffer = Vec::new();
        let blob = self.objects.find_blob(&id, &mut buffer);
        Ok(blob.map_err(|error| store(path, error))?.data.to_vec())
    }

    /// Names all that can be read here: where this is the same, so is that.
    pub(crate) fn content(&self) -> String {
        let mut content = self.commit.to_string();
        if self.large.is_some() {
            content.push_str(LARGE);
        }
        for (path, graft) in self.grafts.iter() {
            let part = graft.as_ref().map_or_else(String::clone, Self::content);
            // Writing to a text cannot fail.
            let _ = write!(content, " {path}={part}");
        }
        content
    }

    /// The tree that a path lies in, and where there. Fails where that tree is not to be had.
    fn place(&self, path: &TreePath) -> Result<Option<(&Self, TreePath)>, TreeError> {
        for (at, graft) in self.grafts.iter() {
            let Some(below) = path.relative_to(at) else {
                continue;
            };
            return match graft {
                Ok(tree) => Ok(TreePath::parse(below).ok().map(|below| (tree, below))),
                Err(why) => Err(unread(at, why)),
            };
        }
        Ok(None)
    }

    /// Fails where a directory holds a submodule that is not to be had: its list would lack files.
    fn check_whole(&self, directory: &TreePath) -> Result<(), TreeError> {
        for (at, graft) in self.grafts.iter() {
            if let Err(why) = graft
                && at.parent() == *directory
            {
                return Err(unread(at, why));
            }
        }
        Ok(())
    }

    /// The commit that this is the tree of.
    pub fn commit(&self) -> &Sha {
        &self.commit
    }

    /// The object id of the whole tree.
    pub fn root_id(&self) -> ObjectId {
        ObjectId::new(self.root.to_string())
    }

    /// Every directory below the root, in lexical order; the root itself is not listed.
    pub fn directories(&self) -> Result<Vec<TreePath>, TreeError> {
        let mut found = Vec::new();
        self.walk(&TreePath::root(), &mut |path, kind| {
            if kind == Kind::Directory {
                found.push(path);
            }
        })?;
        Ok(found)
    }

    /// Every file, link and submodule, in lexical order.
    pub fn files(&self) -> Result<Vec<TreeFile>, TreeError> {
        let mut found = Vec::new();
        self.walk(&TreePath::root(), &mut |path, kind| {
            if kind != Kind::Directory {
                found.push(TreeFile { path, kind });
            }
        })?;
        Ok(found)
    }

    fn walk(
        &self,
        directory: &TreePath,
        visit: &mut impl FnMut(TreePath, Kind),
    ) -> Result<(), TreeError> {
        for Entry { name, kind } in self.list(directory)? {
            let Some(path) = directory.child(&name) else {
                continue;
            };
            visit(path.clone(), kind);
            if kind == Kind::Directory {
                self.walk(&path, visit)?;
            }
        }
        Ok(())
    }

    fn node(&self, path: &TreePath) -> Result<Option<Node>, TreeError> {
        if path.segments().nth(DEPTH).is_some() {
            let why = format!("directories lie in each other more than {DEPTH} deep");
            return Err(TreeError::store(path, why));
        }
        let mut node = Node {
            kind: Kind::Directory,
            id: self.root,
            is_executable: false,
        };
        for segment in path.segments() {
            if node.kind != Kind::Directory {
                return Ok(None);
            }
            match self.decode(node.id, path)?.get(segment) {
                Some(next) => node = *next,
                None => return Ok(None),
            }
        }
        Ok(Some(node))
    }

    fn decode(&self, id: gix::ObjectId, asked: &TreePath) -> Result<Directory, TreeError> {
        let known = || {
            self.directories
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        if let Some(directory) = known().get(&id) {
            return Ok(Arc::clone(directory));
        }
        let mut buffer = Vec::new();
        let mut read = || -> gix::Result<BTreeMap<String, Node>> {
            let mut entries = BTreeMap::new();
            for entry in self.objects.find_tree_iter(&id, &mut buffer)? {
                let entry = entry?;
                // A name that is not UTF-8 cannot be written in a manifest or pattern either.
                let Ok(name) = entry.filename.to_str() else {
                    continue;
                };
                if is_forbidden(name) {
                    let why = format!("a directory holds {name:?}, which git checks out nowhere");
                    return Err(gix::Error::from_error(io::Error::other(why)));
                }
                let kind = match entry.mode.kind() {
                    EntryKind::Tree => Kind::Directory,
                    EntryKind::Blob | EntryKind::BlobExecutable => Kind::File,
                    EntryKind::Link => Kind::Link,
                    EntryKind::Commit => Kind::Submodule,
                };
                let node = Node {
                    kind,
                    id: entry.oid.to_owned(),
                    is_executable: entry.mode.kind() == EntryKind::BlobExecutable,
                };
                entries.insert(name.to_owned(), node);
            }
            Ok(entries)
        };
        let directory = Arc::new(read().map_err(|error| store(asked, error))?);
        known().insert(id, Arc::clone(&directory));
        Ok(directory)
    }

    fn blob(&self, path: &TreePath) -> Result<gix::ObjectId, TreeError> {
        let path = path.clone();
        match self.node(&path)? {
            Some(Node {
                kind: Kind::File | Kind::Link,
                id,
                ..
            }) => Ok(id),
            Some(Node {
                kind: Kind::Submodule,
                ..
            }) => Err(TreeError::Submodule { path }),
            Some(_) => Err(TreeError::NotFile { path }),
            None => Err(TreeError::NotFound { path }),
        }
    }
}

/// Whether git refuses to have a file or directory of this name: it would lie elsewhere, or be taken
/// for a repository by whatever program reads the files.
fn is_forbidden(name: &str) -> bool {
    matches!(name, "" | "." | "..") || name.contains('/') || name.eq_ignore_ascii_case(".git")
}

fn unread(path: &TreePath, why: &str) -> TreeError {
    TreeError::SubmoduleUnread {
        path: path.clone(),
        why: why.to_owned(),
    }
}

fn store(path: &TreePath, error: gix::Error) -> TreeError {
    TreeError::store(
        path,
        Box::<dyn std::error::Error + Send + Sync>::from(error),
    )
}

impl Tree for GitTree {
    fn kind(&self, path: &TreePath) -> Result<Option<Kind>, TreeError> {
        if let Some((tree, below)) = self.place(path)? {
            return tree.kind(&below);
        }
        Ok(self.node(path)?.map(|node| node.kind))
    }

    fn list(&self, path: &TreePath) -> Result<Vec<Entry>, TreeError> {
        if let Some((tree, below)) = self.place(path)? {
            return tree.list(&below);
        }
        self.check_whole(path)?;
        let is_grafted = |name: &str| {
            let child = path.child(name);
            child.is_some_and(|child| self.grafts.contains_key(&child))
        };
        match self.node(path)? {
            Some(Node {
                kind: Kind::Directory,
                id,
                ..
            }) => Ok(self
                .decode(id, path)?
                .iter()
                .map(|(name, node)| Entry {
                    name: name.clone(),
                    kind: if is_grafted(name) {
                        Kind::Directory
                    } else {
                        node.kind
                    },
                })
                .collect()),
            Some(_) => Err(TreeError::NotDirectory { path: path.clone() }),
            None => Err(TreeError::NotFound { path: path.clone() }),
        }
    }

    fn id(&self, path: &TreePath) -> Result<Option<ObjectId>, TreeError> {
        if let Some((tree, below)) = self.place(path)? {
            return tree.id(&below);
        }
        let has_grafts = self.grafts.keys().any(|at| at.relative_to(path).is_some());
        Ok(self.node(path)?.map(|node| {
            // A directory is not the same with other trees in the places of its submodules.
            let of = if has_grafts {
                format!(" of {}", self.content())
            } else {
                String::new()
            };
            let large = self.large.as_ref().map_or("", |_| LARGE);
            ObjectId::new(format!("{}{large}{of}", node.id))
        }))
    }

    fn size(&self, path: &TreePath) -> Result<u64, TreeError> {
        if let Some((tree, below)) = self.place(path)? {
            return tree.size(&below);
        }
        match self.large_file(path)? {
            Some((_, file)) => Ok(file.size),
            None => self.stored_size(path),
        }
    }

    fn read(&self, path: &TreePath) -> Result<Vec<u8>, TreeError> {
        if let Some((tree, below)) = self.place(path)? {
            return tree.read(&below);
        }
        let content = self.large_file(path)?;
        match content.and_then(|(large, file)| large.store.get(&file.digest)) {
            Some(content) => Ok(content),
            None => self.stored(path),
        }
    }

    fn needs(&self, path: &TreePath) -> Result<Option<argosy_render::LargeFile>, TreeError> {
        if let Some((tree, below)) = self.place(path)? {
            return tree.needs(&below);
        }
        let missing = self.large_file(path)?;
        let missing = missing.filter(|(large, file)| large.store.get(&file.digest).is_none());
        Ok(missing.map(|(large, file)| argosy_render::LargeFile {
            repository: large.url.to_string(),
            oid: file.digest.hex().to_owned(),
            size: file.size,
        }))
    }

    fn is_executable(&self, path: &TreePath) -> Result<bool, TreeError> {
        if let Some((tree, below)) = self.place(path)? {
            return tree.is_executable(&below);
        }
        Ok(self.node(path)?.is_some_and(|node| node.is_executable))
    }
}
