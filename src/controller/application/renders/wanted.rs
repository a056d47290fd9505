//! What is to be rendered, and what tells it apart.

use std::fmt::Write as _;
use std::sync::Arc;

use argosy_crds::ApplicationSource;
use argosy_render::{
    Enabled, Environment, Fetched, KustomizeVersion, Plugins, Refs, RenderError, Request,
    SourceType, Tools, Tree, TreeError, TreePath, View, detect,
};

use super::Kept;
use crate::cluster::Served;

/// One source of one application at one revision.
pub struct Wanted<'a> {
    /// The source.
    pub source: &'a ApplicationSource,
    /// The application's name, with its namespace in front if that is not the hub's own.
    pub app_name: &'a str,
    /// What `$VARIABLES` in parameters stand for.
    pub environment: &'a Environment,
    /// Names all files of the tree: a commit or a digest.
    pub content: &'a str,
    /// The source's files.
    pub tree: Arc<dyn Tree>,
    /// The trees of the sources with a `ref`; `None` for an application with one source.
    pub refs: Option<&'a Refs>,
    /// What was fetched from elsewhere so far. It is not part of what a render is kept by: as in Argo
    /// CD it is fetched anew when the files change or somebody asks for a hard refresh.
    pub fetched: &'a Fetched,
    /// Where values may be fetched from.
    pub values_file_schemes: &'a str,
    /// The destination's namespace.
    pub namespace: &'a str,
    /// The destination cluster's version; empty if unknown.
    pub kube_version: &'a str,
    /// What the destination cluster serves.
    pub served: &'a Served,
    /// Which tools the hub's settings allow.
    pub enabled: Enabled,
    /// The hub's options for every kustomization.
    pub kustomize_build_options: &'a str,
    /// The versions of Kustomize that sources may name.
    pub kustomize_versions: &'a [KustomizeVersion],
    /// What the copies of repositories for plugins leave out.
    pub plugin_exclusions: &'a [String],
    /// What renders besides what is built in.
    pub tools: &'a Tools,
}

impl<'a> Wanted<'a> {
    pub(super) fn request(&self) -> Request<'a> {
        Request {
            enabled: self.enabled,
            namespace: self.namespace,
            kube_version: self.kube_version,
            api_versions: self.served.api_versions(),
            kustomize_build_options: self.kustomize_build_options,
            kustomize_versions: Some(self.kustomize_versions),
            refs: self.refs,
            plugin_exclusions: self.plugin_exclusions,
            fetched: Some(self.fetched),
            values_file_schemes: self.values_file_schemes,
            ..Request::new(self.source, self.app_name, self.environment)
        }
    }

    /// Whether everything that a render read is as it was.
    pub(super) fn would_read_the_same_as(&self, kept: &Kept) -> Result<bool, TreeError> {
        for (name, reads) in &kept.render.ref_reads {
            let tree = self.refs.and_then(|refs| refs.tree(name));
            match tree {
                Some(tree) if reads.hold_in(tree.as_ref())? => {}
                _ => return Ok(false),
            }
        }
        Ok((!self.content.is_empty() && kept.content == self.content)
            || kept.render.reads.hold_in(self.tree.as_ref())?)
    }

    /// Names all files that the render may read.
    pub(super) fn files(&self) -> Result<String, TreeError> {
        let refs = self.refs.map(Refs::identity).transpose()?;
        Ok(format!("{} {}", self.content, refs.unwrap_or_default()))
    }

    /// Everything but the files that decides what comes out, and nothing that does not: what is
    /// part of the key without need keeps applications from sharing a render.
    pub(super) fn key(&self) -> Result<String, RenderError> {
        let source = serde_json::to_string(self.source).unwrap_or_default();
        let mut key = format!("{}\n{source}\n{:?}", self.tools.identity, self.enabled);
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
                let (own, others) = (self.kustomize_build_options, self.kustomize_versions);
                let options = format!("{own} {others:?}");
                add("options", &options);
                if options.contains("--enable-helm") {
                    self.add_cluster(&mut add);
                }
            }
            SourceType::Helm => {
                add("release", self.app_name);
                add("namespace", self.namespace);
                add("schemes", self.values_file_schemes);
                self.add_cluster(&mut add);
            }
            SourceType::Plugin => {
                let plugins = self.tools.plugins.as_deref();
                add("plugins", plugins.map_or("", Plugins::identity));
                add("exclusions", &self.plugin_exclusions.join(";"));
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
            .and_then(|directory| {
                let plugins = self.tools.plugins.as_deref();
                detect(&view, &directory, self.source, self.enabled, plugins)
            });
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
