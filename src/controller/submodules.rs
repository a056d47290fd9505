//! The trees of applications with what their submodules hold, read by object id like everything else.
//!
//! A submodule that cannot be read is an error wherever something looks at its place: manifests that
//! lack its files would delete what they describe.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::time::Duration;

use argosy_render::TreePath;
use moka::sync::Cache;

use super::application::permits;
use crate::hub::Hub;
use crate::source::{GitTree, Module, Repository, Sha, SourceError};
use crate::surroundings::Surroundings;

/// How deep submodules may lie in each other, and how many a tree may have.
const DEPTH: usize = 8;
const NUMBER: usize = 100;

/// How long a submodule that could not be read is not asked for again.
const PAUSE: Duration = Duration::from_mins(1);

/// What the hub knows of submodules.
pub(crate) struct Submodules {
    enabled: bool,
    /// Those that could not be read lately, by their registration and commit, and why.
    unread: Cache<(String, String), String>,
}

impl Submodules {
    /// Reads them unless the environment turns that off, as Argo CD does.
    pub(crate) fn new(surroundings: &Surroundings) -> Self {
        let enabled = surroundings.variable("ARGOCD_GIT_MODULES_ENABLED");
        Self {
            enabled: enabled.as_deref() != Some("false"),
            unread: Cache::builder()
                .max_capacity(1_000)
                .time_to_live(PAUSE)
                .build(),
        }
    }
}

type Grown<'a> = Pin<Box<dyn Future<Output = Result<GitTree, String>> + Send + 'a>>;

impl Hub {
    /// The tree of a commit, with the submodules that an application of `project` may read.
    pub(super) async fn tree(
        &self,
        project: &str,
        repository: &Repository,
        commit: &Sha,
    ) -> Result<GitTree, SourceError> {
        let tree = self.own_tree(repository, commit).await?;
        if !self.submodules.enabled || !self.fleet.settings().submodules {
            return Ok(tree);
        }
        let mut left = NUMBER;
        let grown = self.grow(project, &repository.url, tree, DEPTH, &mut left);
        grown.await.map_err(|why| SourceError::Content {
            url: repository.url.clone(),
            why,
        })
    }

    /// The tree of a commit, with its large files where the repository is registered so.
    async fn own_tree(
        &self,
        repository: &Repository,
        commit: &Sha,
    ) -> Result<GitTree, SourceError> {
        let tree = self.sources.tree(repository, commit).await?;
        if repository.enable_lfs {
            return Ok(tree.with_large_files(self.large_files.store(), &repository.url));
        }
        Ok(tree)
    }

    /// Puts the trees of its submodules into a tree of the repository at `url`.
    fn grow<'a>(
        &'a self,
        project: &'a str,
        url: &'a str,
        tree: GitTree,
        depth: usize,
        left: &'a mut usize,
    ) -> Grown<'a> {
        Box::pin(async move {
            let modules = if let Some(known) = tree.known_modules() {
                known
            } else {
                let (tree, url) = (tree.clone(), url.to_owned());
                let looked = self.blocking.run(move || tree.modules(&url)).await;
                looked.map_err(|panic| panic.to_string())??
            };
            if modules.is_empty() {
                return Ok(tree);
            }
            let mut grafts: BTreeMap<TreePath, Result<GitTree, String>> = BTreeMap::new();
            for (module, commit) in modules.iter() {
                let graft = self.submodule(project, module, commit, depth, left).await;
                grafts.insert(module.path.clone(), graft);
            }
            Ok(tree.with_modules(grafts))
        })
    }

    async fn submodule(
        &self,
        project: &str,
        module: &Module,
        commit: &Sha,
        depth: usize,
        left: &mut usize,
    ) -> Result<GitTree, String> {
        let url = module.url.as_ref().map_err(Clone::clone)?;
        let Some(depth) = depth.checked_sub(1) else {
            return Err(format!(
                "submodules lie more than {DEPTH} deep in each other"
            ));
        };
        *left = left
            .checked_sub(1)
            .ok_or_else(|| format!("there are more than {NUMBER} submodules"))?;
        // What its project does not permit an application is read as anybody could.
        let repository = if permits(self, project, url) {
            self.repositories().find(url, project)
        } else {
            self.repositories().unregistered(url)
        };
        let asked = (repository.fingerprint(), commit.to_string());
        if let Some(why) = self.submodules.unread.get(&asked) {
            return Err(why);
        }
        match self.own_tree(&repository, commit).await {
            Ok(tree) => self.grow(project, &repository.url, tree, depth, left).await,
            Err(error) => {
                let why = error.to_string();
                self.submodules.unread.insert(asked, why.clone());
                Err(why)
            }
        }
    }
}
