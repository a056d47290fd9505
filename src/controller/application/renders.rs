//! Renders, kept by what they read.
//!
//! A commit that changes nothing of what a render opened costs no render, and applications whose
//! sources are the same share one.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use argosy_crds::ApplicationSource;
use argosy_render::{Environment, Render, RenderError, Request, Tools, Tree, TreePath, render};

use crate::source::Sha;

/// How many bytes of manifests are kept; about a hundred thousand objects.
const CAPACITY: u64 = 256 * 1024 * 1024;

/// How many renders of one source are kept: the applications of a fleet follow few revisions.
const GENERATIONS: usize = 4;

/// The renders that are kept.
pub(crate) struct Renders {
    kept: moka::sync::Cache<String, Arc<Vec<Kept>>>,
    rendered: AtomicU64,
    saved: AtomicU64,
}

#[derive(Clone)]
struct Kept {
    sha: Sha,
    render: Arc<Render>,
    bytes: u32,
}

/// One source of one application at one commit.
pub(super) struct Wanted<'a> {
    pub(super) source: &'a ApplicationSource,
    pub(super) app_name: &'a str,
    pub(super) environment: &'a Environment,
    pub(super) sha: &'a Sha,
    pub(super) tree: Arc<dyn Tree>,
}

impl Default for Renders {
    fn default() -> Self {
        let weigh = |_: &String, kept: &Arc<Vec<Kept>>| {
            kept.iter()
                .fold(0_u32, |sum, one| sum.saturating_add(one.bytes))
        };
        Self {
            kept: moka::sync::Cache::builder()
                .max_capacity(CAPACITY)
                .weigher(weigh)
                .build(),
            rendered: AtomicU64::new(0),
            saved: AtomicU64::new(0),
        }
    }
}

impl Renders {
    /// Renders a source, or takes a render that read the same.
    pub(super) fn get(&self, wanted: &Wanted<'_>) -> Result<Arc<Render>, RenderError> {
        let key = wanted.key()?;
        let kept = self.kept.get(&key).unwrap_or_default();
        for one in kept.iter() {
            if one.sha == *wanted.sha || one.render.reads.hold_in(wanted.tree.as_ref())? {
                self.saved.fetch_add(1, Ordering::Relaxed);
                return Ok(Arc::clone(&one.render));
            }
        }
        self.rendered.fetch_add(1, Ordering::Relaxed);
        let request = Request::new(wanted.source, wanted.app_name, wanted.environment);
        let rendered = Arc::new(render(
            Arc::clone(&wanted.tree),
            &request,
            &Tools::default(),
        )?);
        self.keep(key, &kept, wanted.sha, &rendered);
        Ok(rendered)
    }

    /// Keeps nothing of what was rendered so far.
    pub(crate) fn forget(&self) {
        self.kept.invalidate_all();
    }

    /// How many renders were made, and how many were saved.
    pub(crate) fn counts(&self) -> (u64, u64) {
        (
            self.rendered.load(Ordering::Relaxed),
            self.saved.load(Ordering::Relaxed),
        )
    }

    fn keep(&self, key: String, kept: &[Kept], sha: &Sha, render: &Arc<Render>) {
        let size: usize = render
            .manifests
            .iter()
            .map(|one| one.to_string().len())
            .sum();
        let newest = Kept {
            sha: sha.clone(),
            render: Arc::clone(render),
            bytes: u32::try_from(size).unwrap_or(u32::MAX),
        };
        let others = kept.iter().take(GENERATIONS - 1).cloned();
        self.kept.insert(
            key,
            Arc::new(std::iter::once(newest).chain(others).collect()),
        );
    }
}

impl Wanted<'_> {
    /// Everything but the files that decides what comes out.
    fn key(&self) -> Result<String, RenderError> {
        let source = serde_json::to_string(self.source).unwrap_or_default();
        let mut key = format!("{}\n{source}", self.source.repo_url);
        if self.has_overrides_of_its_own()? {
            key.push('\n');
            key.push_str(self.app_name);
        }
        if uses_environment(self.source) {
            for (name, value) in self.environment.iter() {
                let _ = write!(key, "\n{name}={value}");
            }
        }
        Ok(key)
    }

    /// Whether a file in the repository changes the source for this application alone.
    fn has_overrides_of_its_own(&self) -> Result<bool, RenderError> {
        let Ok(directory) = TreePath::parse(&self.source.path) else {
            return Ok(true);
        };
        let file = directory.join(&format!(".argocd-source-{}.yaml", self.app_name));
        let Ok(file) = file else { return Ok(true) };
        Ok(self.tree.kind(&file)?.is_some())
    }
}

/// Whether parameters may refer to the build environment. A plain directory has none, so that
/// applications that differ in name alone share its render.
fn uses_environment(source: &ApplicationSource) -> bool {
    let plain = source.helm.is_none()
        && source.kustomize.is_none()
        && source.plugin.is_none()
        && source.directory.as_ref().is_none_or(|directory| {
            directory.jsonnet.ext_vars.is_empty() && directory.jsonnet.tlas.is_empty()
        });
    !plain
}
