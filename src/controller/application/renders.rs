//! Renders, kept by what they read.
//!
//! A commit that changes nothing of what a render opened costs no render, and applications whose
//! sources are the same share one.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use argosy_crds::ApplicationSource;
use argosy_render::{
    Enabled, Environment, Refs, Render, RenderError, Request, SourceType, Tools, Tree, TreeError,
    TreePath, View, detect, render,
};

use crate::cluster::Served;
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
    /// The trees of the sources with a `ref`; `None` for an application with one source.
    pub(super) refs: Option<&'a Refs>,
    /// The destination's namespace.
    pub(super) namespace: &'a str,
    /// The destination cluster's version; empty if unknown.
    pub(super) kube_version: &'a str,
    /// What the destination cluster serves.
    pub(super) served: &'a Served,
    /// Which tools the hub's settings allow.
    pub(super) enabled: Enabled,
    /// The hub's options for every kustomization.
    pub(super) kustomize_build_options: &'a str,
    pub(super) tools: &'a Tools,
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
            if wanted.would_read_the_same_as(one)? {
                self.saved.fetch_add(1, Ordering::Relaxed);
                return Ok(Arc::clone(&one.render));
            }
        }
        self.rendered.fetch_add(1, Ordering::Relaxed);
        let rendered = Arc::new(render(
            Arc::clone(&wanted.tree),
            &wanted.request(),
            wanted.tools,
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

impl<'a> Wanted<'a> {
    fn request(&self) -> Request<'a> {
        Request {
            enabled: self.enabled,
            namespace: self.namespace,
            kube_version: self.kube_version,
            api_versions: self.served.api_versions(),
            kustomize_build_options: self.kustomize_build_options,
            refs: self.refs,
            ..Request::new(self.source, self.app_name, self.environment)
        }
    }

    /// Whether everything that a render read is as it was.
    fn would_read_the_same_as(&self, kept: &Kept) -> Result<bool, TreeError> {
        for (name, reads) in &kept.render.ref_reads {
            let tree = self.refs.and_then(|refs| refs.tree(name));
            match tree {
                Some(tree) if reads.hold_in(tree.as_ref())? => {}
                _ => return Ok(false),
            }
        }
        Ok(kept.sha == *self.sha || kept.render.reads.hold_in(self.tree.as_ref())?)
    }

    /// Everything but the files that decides what comes out, and nothing that does not: what is
    /// part of the key without need keeps applications from sharing a render.
    fn key(&self) -> Result<String, RenderError> {
        let source = serde_json::to_string(self.source).unwrap_or_default();
        let mut key = format!("{}\n{source}\n{:?}", self.source.repo_url, self.enabled);
        let mut add = |name: &str, value: &str| {
            // Writing to a text cannot fail.
            let _ = write!(key, "\n{name}={value}");
        };
        if let Some(refs) = self.refs {
            add("refs", &format!("{refs:?}"));
        }
        let overridden = self.has_overrides()?;
        if overridden {
            add("application", self.app_name);
        }
        for (name, value) in self.environment.iter() {
            if overridden || source.contains(name) {
                add(name, value);
            }
        }
        match self.source_type()? {
            SourceType::Directory => {}
            SourceType::Kustomize => {
                add("options", self.kustomize_build_options);
                if self.kustomize_build_options.contains("--enable-helm") {
                    self.add_cluster(&mut add);
                }
            }
            SourceType::Helm => {
                add("release", self.app_name);
                add("namespace", self.namespace);
                self.add_cluster(&mut add);
            }
            SourceType::Plugin => {
                add("release", self.app_name);
                add("namespace", self.namespace);
                self.add_cluster(&mut add);
                for (name, value) in self.environment.iter() {
                    add(name, value);
                }
            }
        }
        Ok(key)
    }

    fn add_cluster(&self, add: &mut impl FnMut(&str, &str)) {
        add("version", self.kube_version);
        add("apis", self.served.api_digest());
    }

    /// What will render the source, as far as can be told without rendering it.
    fn source_type(&self) -> Result<SourceType, RenderError> {
        let view = View::new(Arc::clone(&self.tree));
        let found = TreePath::parse(&self.source.path)
            .map_err(RenderError::from)
            .and_then(|directory| detect(&view, &directory, self.source, self.enabled));
        match found {
            // Rendering says it better.
            Err(RenderError::Tree(_) | RenderError::Path(_)) => Ok(SourceType::Directory),
            other => other,
        }
    }

    /// Whether files in the repository change the source.
    fn has_overrides(&self) -> Result<bool, RenderError> {
        let own = format!(".argocd-source-{}.yaml", self.app_name);
        let view = View::new(Arc::clone(&self.tree));
        for name in [".argocd-source.yaml", &own] {
            let file = TreePath::parse(&self.source.path).map(|at| at.join(name));
            let Ok(Ok(file)) = file else { return Ok(true) };
            if view.resolve(&file)?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
