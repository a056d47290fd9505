//! A repository's tree, as the git generator reads it.

use std::sync::Arc;

use argosy_generators::offline::GitTree as GeneratorTree;
use argosy_render::{Kind, TreeError, TreePath, View};

use crate::source::{FOLLOWED, GitTree};

/// How many commits' listings are kept: sets follow few revisions at a time.
const LISTED: u64 = 16;

/// The listings of commits, so that many sets on one repository list it once.
#[derive(Clone)]
pub(super) struct Trees(moka::sync::Cache<String, Arc<SourceTree>>);

impl Default for Trees {
    fn default() -> Self {
        // A tree keeps its mirror on disk.
        let cache = moka::sync::Cache::builder().max_capacity(LISTED);
        Self(cache.time_to_idle(FOLLOWED).build())
    }
}

impl Trees {
    /// The listing of a tree that its caller may read; who comes while it is made waits for it.
    pub(super) fn of(&self, tree: &GitTree) -> Result<Arc<SourceTree>, String> {
        let content = tree.content();
        let listed = self
            .0
            .try_get_with_by_ref(&content, || SourceTree::new(tree).map(Arc::new));
        listed.map_err(|why| String::clone(&why))
    }
}

/// One commit of a repository, with submodules where whoever listed it had them.
pub(super) struct SourceTree {
    directories: Vec<String>,
    paths: Vec<String>,
    view: View,
}

impl SourceTree {
    /// Lists the tree once.
    fn new(tree: &GitTree) -> Result<Self, String> {
        let text = |error: TreeError| error.to_string();
        let visible = |path: &&TreePath| !path.segments().any(|segment| segment.starts_with('.'));
        let directories = tree.directories().map_err(text)?;
        let files = tree.files().map_err(text)?;
        Ok(Self {
            directories: directories
                .iter()
                .filter(visible)
                .map(|path| path.as_str().to_owned())
                .collect(),
            paths: files
                .iter()
                .filter(|file| file.kind != Kind::Submodule)
                .map(|file| file.path.as_str().to_owned())
                .collect(),
            view: View::new(Arc::new(tree.clone())),
        })
    }
}

impl GeneratorTree for SourceTree {
    fn directories(&self) -> Vec<String> {
        self.directories.clone()
    }

    fn paths(&self) -> Vec<String> {
        self.paths.clone()
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        let path = TreePath::parse(path).map_err(|error| error.to_string())?;
        self.view.read(&path).map_err(|error| error.to_string())
    }

    fn leads_out(&self, path: &str) -> bool {
        let resolved = TreePath::parse(path).map(|path| self.view.resolve(&path));
        matches!(resolved, Ok(Err(TreeError::LinkOutsideRoot { .. })))
    }
}
