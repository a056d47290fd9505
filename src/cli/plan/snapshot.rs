//! A local repository at a revision.

use std::path::Path;
use std::sync::Arc;

use argosy_engine::repo_url;
use argosy_render::{Kind, TreePath, View};
use gix::bstr::ByteSlice as _;

use crate::diagnostic::Diagnostic;
use crate::source::{GitTree, Objects, Sha};

/// A local repository, and how applications name it.
pub(super) struct Repository {
    git: gix::ThreadSafeRepository,
    urls: Vec<String>,
}

/// The repository at one revision.
#[derive(Clone)]
pub(super) struct Snapshot {
    pub(super) sha: Sha,
    pub(super) tree: GitTree,
}

impl Repository {
    /// Opens the repository of a work tree; without `urls` it is known by those of its remotes.
    pub(super) fn open(folder: &Path, urls: &[String]) -> Result<Self, Diagnostic> {
        let git = gix::discover(folder).map_err(|error| {
            Diagnostic::user("RepositoryUnreadable", "cannot open the repository")
                .at(folder.display().to_string())
                .because(&std::io::Error::other(error.to_string()))
                .fix("name its work tree with --repo")
        })?;
        let mut urls = urls.to_vec();
        if urls.is_empty() {
            urls = remotes(&git);
        }
        if urls.is_empty() {
            let what =
                "the repository has no remote, so that it is not known how applications name it";
            return Err(Diagnostic::user("RepositoryUnnamed", what)
                .fix("give the URL in their repoURL with --repo-url"));
        }
        Ok(Self {
            git: git.into_sync(),
            urls,
        })
    }

    /// Whether a source's URL means this repository.
    pub(super) fn is(&self, url: &str) -> bool {
        self.urls
            .iter()
            .any(|own| repo_url::same(own, url) || own == url)
    }

    /// The repository at a revision that the user named.
    pub(super) fn at(&self, revision: &str) -> Result<Snapshot, Diagnostic> {
        self.resolve(revision).map_err(|why| {
            Diagnostic::user(
                "RevisionUnknown",
                format!("there is no revision `{revision}`"),
            )
            .because(&std::io::Error::other(why))
        })
    }

    /// What a source's `targetRevision` means where `side` is looked at: a commit id or tag is what
    /// it is, and every branch is followed to the side.
    pub(super) fn target(&self, revision: &str, side: &Snapshot) -> Result<Snapshot, String> {
        let tag = format!("refs/tags/{revision}");
        let git = self.git.to_thread_local();
        let is_tag = !revision.is_empty()
            && git
                .try_find_reference(&tag)
                .is_ok_and(|found| found.is_some());
        if is_tag {
            self.resolve(&tag)
        } else if Sha::parse(revision).is_some() {
            self.resolve(revision)
        } else {
            Ok(side.clone())
        }
    }

    fn resolve(&self, revision: &str) -> Result<Snapshot, String> {
        let git = self.git.to_thread_local();
        let found = git
            .rev_parse_single(revision)
            .map_err(|error| error.to_string())?;
        let commit = found.object().map_err(|error| error.to_string())?;
        let commit = commit.peel_to_commit().map_err(|error| error.to_string())?;
        let sha = Sha::parse(&commit.id.to_string()).ok_or("the commit's id is not a SHA-1")?;
        let tree = GitTree::open(Objects::of_repository(self.git.clone()), &sha)
            .map_err(|error| error.to_string())?;
        Ok(Snapshot { sha, tree })
    }
}

fn remotes(git: &gix::Repository) -> Vec<String> {
    let names = git.remote_names();
    let remotes = names
        .iter()
        .filter_map(|name| git.find_remote(name.as_bstr()).ok());
    let urls = remotes.filter_map(|remote| {
        Some(
            remote
                .url(gix::remote::Direction::Fetch)?
                .to_bstring()
                .to_string(),
        )
    });
    urls.collect()
}

impl Snapshot {
    /// The content of a file; links are followed within the tree.
    pub(super) fn file(&self, path: &TreePath) -> Result<Vec<u8>, String> {
        let view = View::new(Arc::new(self.tree.clone()));
        view.read(path).map_err(|error| error.to_string())
    }
}

impl argosy_generators::offline::GitTree for Snapshot {
    fn paths(&self) -> Vec<String> {
        let files = self.tree.files().unwrap_or_default();
        let files = files
            .into_iter()
            .filter(|file| matches!(file.kind, Kind::File | Kind::Link));
        files.map(|file| file.path.as_str().to_owned()).collect()
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        self.file(&TreePath::parse(path).map_err(|error| error.to_string())?)
    }
}
