//! What its sources say an application consists of.

use std::path::Path;
use std::sync::Arc;

use argosy_crds::{Application, ApplicationSource};
use argosy_engine::project::Signing;
use argosy_engine::repo_url;
use argosy_render::{
    BuildFacts, DirectoryTree, Enabled, Environment, Fetched, Refs, Render, RenderError,
    SourceType, Tree, TreeError, TreePath, kustomize_versions,
};
use serde_json::Value;

use super::course;
use super::origin::{Origin, fetch};
use super::renders::Wanted;
use super::rules::instance_name;
use crate::cluster::Served;
use crate::fleet::{ObjectName, Settings};
use crate::hub::Hub;
use crate::source::{Retry, SourceError, shown_url};

/// The manifests of all sources at their revisions, without tracking marks.
#[derive(Debug)]
pub(super) struct Desired {
    /// The sources that were rendered.
    pub(super) sources: Vec<ApplicationSource>,
    /// The resolved revision of each source.
    pub(super) revisions: Vec<String>,
    /// What each source was rendered to, but for those that others only refer to. Applications of
    /// the same source share it.
    pub(super) renders: Vec<Arc<Render>>,
}

impl Desired {
    /// The objects of all sources, in their order.
    pub(super) fn manifests(&self) -> impl Iterator<Item = &Value> {
        self.renders.iter().flat_map(|render| &render.manifests)
    }

    /// What was left out, and why.
    pub(super) fn warnings(&self) -> impl Iterator<Item = &str> {
        let warnings = self.renders.iter().flat_map(|render| &render.warnings);
        warnings.map(String::as_str)
    }

    /// What rendered each source.
    pub(super) fn source_types(&self) -> impl Iterator<Item = &'static str> {
        self.renders
            .iter()
            .map(|render| render.source_type.as_str())
    }

    /// Whether other trees, one per source, make the same of it, by what was read of the last ones.
    /// What may show its revision never does.
    pub(super) fn is_same_in(&self, trees: &[Arc<dyn Tree>]) -> Result<bool, TreeError> {
        let named = |name: &str| {
            let at = self.sources.iter().position(|one| one.ref_name == name)?;
            trees.get(at)
        };
        let rendered = self.sources.iter().zip(trees);
        let rendered = rendered.filter(|(source, _)| !source.is_ref_only());
        for ((source, tree), render) in rendered.zip(&self.renders) {
            if shows_revision(source, render) || !render.reads.hold_in(tree.as_ref())? {
                return Ok(false);
            }
            for (name, reads) in &render.ref_reads {
                match named(name) {
                    Some(tree) if reads.hold_in(tree.as_ref())? => {}
                    _ => return Ok(false),
                }
            }
        }
        Ok(true)
    }
}

/// Whether the revision may be part of what was rendered: a plugin is told it, and so is whatever
/// the source, or the file in the repository that changes it, asks for it.
fn shows_revision(source: &ApplicationSource, render: &Render) -> bool {
    let asks = || {
        let source = serde_json::to_string(source).unwrap_or_default();
        source.contains(Environment::REVISION)
    };
    render.source_type == SourceType::Plugin
        || render
            .reads
            .files()
            .any(|(path, _)| is_source_override(path))
        || asks()
}

fn is_source_override(path: &TreePath) -> bool {
    path.name().starts_with(".argocd-source")
}

/// Why there are no manifests.
#[derive(Debug)]
pub(super) struct Failure {
    /// The text for the condition.
    pub(super) message: String,
    /// Whether and when to try again.
    pub(super) retry: Retry,
}

/// Resolves and renders `sources`; `pinned` revisions, where not empty, instead of their own.
pub(super) async fn desired(
    hub: &Arc<Hub>,
    name: &ObjectName,
    application: &Application,
    sources: &[ApplicationSource],
    pinned: &[String],
) -> Result<Desired, Failure> {
    let fetch = course::stage(hub, name, "fetch");
    let resolved = resolved(hub, application, sources, pinned).await;
    let resolved = fetch.end_with(resolved, |failure| &failure.message)?;
    let render = course::stage(hub, name, "render");
    let rendered = of_trees(hub, name, application, sources, resolved).await;
    render.end_with(rendered, |failure| &failure.message)
}

async fn resolved<'a>(
    hub: &Hub,
    application: &Application,
    sources: &'a [ApplicationSource],
    pinned: &[String],
) -> Result<Vec<Resolved<'a>>, Failure> {
    let project = application.spec.project_or_default();
    let mut resolved = Vec::new();
    for (at, source) in sources.iter().enumerate() {
        let pinned = pinned.get(at).map_or("", String::as_str);
        let revision = if pinned.is_empty() {
            &source.target_revision
        } else {
            pinned
        };
        let origin = Origin::of(hub, source, project, revision).await?;
        resolved.push(Resolved { source, origin });
    }
    Ok(resolved)
}

/// The commits that the sources follow now, and their trees; one of each per source.
pub(super) async fn at_revisions(
    hub: &Hub,
    sources: &[ApplicationSource],
    project: &str,
) -> Result<(Vec<String>, Vec<Arc<dyn Tree>>), SourceError> {
    let (mut revisions, mut trees) = (Vec::new(), Vec::new());
    for source in sources {
        let origin = Origin::of(hub, source, project, &source.target_revision).await?;
        revisions.push(origin.revision().to_owned());
        trees.push(origin.tree(hub).await?);
    }
    Ok((revisions, trees))
}

fn revisions(resolved: &[Resolved<'_>]) -> Vec<String> {
    let revisions = resolved.iter().map(|one| one.origin.revision().to_owned());
    revisions.collect()
}

/// What the application would consist of if its repository were the folder.
pub(super) async fn in_folder(
    hub: &Arc<Hub>,
    name: &ObjectName,
    application: &Application,
    folder: &Path,
) -> Result<Desired, Failure> {
    let sources = application.spec.sources();
    let tree = DirectoryTree::open(folder)
        .map_err(|error| Failure::lasting(format!("cannot read {}: {error}", folder.display())))?;
    let tree: Arc<dyn Tree> = Arc::new(tree);
    let repository = sources
        .first()
        .map_or("", |source| source.repo_url.as_str());
    let mut resolved = Vec::new();
    for source in sources.iter() {
        if repo_url::normalise(&source.repo_url) != repo_url::normalise(repository) {
            return Err(Failure::lasting(format!(
                "a folder stands for one repository, and the application has {} besides {}",
                shown_url(&source.repo_url),
                shown_url(repository)
            )));
        }
        let project = application.spec.project_or_default();
        if hub.signing(project, &source.repo_url) != Signing::Free {
            return Err(Failure::lasting(format!(
                "project '{project}' wants the commits of {} signed, and a folder has no signature",
                shown_url(&source.repo_url)
            )));
        }
        let origin = Origin::Folder(Arc::clone(&tree));
        resolved.push(Resolved { source, origin });
    }
    of_trees(hub, name, application, &sources, resolved).await
}

async fn of_trees(
    hub: &Arc<Hub>,
    name: &ObjectName,
    application: &Application,
    sources: &[ApplicationSource],
    resolved: Vec<Resolved<'_>>,
) -> Result<Desired, Failure> {
    let circumstances = circumstances(hub, name, application, &resolved).await?;
    let mut desired = Desired {
        sources: sources.to_vec(),
        revisions: revisions(&resolved),
        renders: Vec::new(),
    };
    for one in resolved.iter().filter(|one| !one.source.is_ref_only()) {
        desired
            .renders
            .push(render(hub, one, &circumstances).await?);
    }
    Ok(desired)
}

/// A source at its revision.
struct Resolved<'a> {
    source: &'a ApplicationSource,
    origin: Origin,
}

/// What all sources of an application are rendered with.
struct Circumstances<'a> {
    app_name: String,
    application: &'a Application,
    /// `None` for an application with one source.
    refs: Option<Refs>,
    target: Target,
    settings: Arc<Settings>,
}

async fn circumstances<'a>(
    hub: &Hub,
    name: &ObjectName,
    application: &'a Application,
    resolved: &[Resolved<'_>],
) -> Result<Circumstances<'a>, Failure> {
    let several = !application.spec.sources.is_empty() || resolved.len() > 1;
    Ok(Circumstances {
        app_name: instance_name(name, &hub.config.namespace),
        application,
        refs: if several {
            Some(references(hub, resolved).await?)
        } else {
            None
        },
        target: target(hub, application).await?,
        settings: hub.fleet.settings(),
    })
}

/// The cluster that is rendered for.
struct Target {
    kube_version: String,
    served: Arc<Served>,
}

/// The trees of the sources that others may refer to.
async fn references(hub: &Hub, resolved: &[Resolved<'_>]) -> Result<Refs, Failure> {
    let mut refs = Refs::default();
    for one in resolved {
        if one.source.ref_name.is_empty() {
            continue;
        }
        if !one.source.chart.is_empty() {
            let name = &one.source.ref_name;
            return Err(Failure::lasting(format!(
                "source referenced \"${name}\" is a chart, and only a source without `chart` can have a `ref`"
            )));
        }
        refs = refs.with(&one.source.ref_name, one.origin.tree(hub).await?);
    }
    Ok(refs)
}

/// What the destination is like, for charts that ask.
async fn target(hub: &Hub, application: &Application) -> Result<Target, Failure> {
    let (cluster, _) = hub
        .destination(application)
        .map_err(|error| Failure::lasting(error.to_string()))?;
    let served = cluster.discovery.get(&cluster.client).await;
    let served = served.map_err(|error| Failure {
        message: format!(
            "cannot find out what cluster `{}` serves: {}",
            cluster.config.name,
            crate::diagnostic::chain(&error)
        ),
        retry: Retry::Backoff,
    })?;
    Ok(Target {
        kube_version: cluster.connection().version.unwrap_or_default(),
        served,
    })
}

/// How often a render may need something more.
const ROUNDS: usize = 4;

async fn render(
    hub: &Arc<Hub>,
    resolved: &Resolved<'_>,
    circumstances: &Circumstances<'_>,
) -> Result<Arc<Render>, Failure> {
    let source = resolved.source;
    let attempt =
        async |fetched: &Fetched| render_with(hub, resolved, circumstances, fetched).await;
    let mut fetched = Fetched::default();
    // What a render needs it says at once, as far as it can be read without it.
    let mut rendered = attempt(&fetched).await?;
    for _ in 0..ROUNDS {
        let Err(RenderError::Needs(needs)) = rendered else {
            break;
        };
        let fetching = fetch(hub, circumstances.application, source, needs, &mut fetched);
        Box::pin(fetching).await?;
        rendered = attempt(&fetched).await?;
    }
    rendered.map_err(|error| {
        let place = match source.chart.as_str() {
            "" => source.path.as_str(),
            chart => chart,
        };
        Failure::lasting(format!(
            "cannot render {} at {place}: {}",
            shown_url(&source.repo_url),
            crate::diagnostic::chain(&error)
        ))
    })
}

/// Renders a source with what was fetched so far.
async fn render_with(
    hub: &Arc<Hub>,
    Resolved { source, origin }: &Resolved<'_>,
    circumstances: &Circumstances<'_>,
    fetched: &Fetched,
) -> Result<Result<Arc<Render>, RenderError>, Failure> {
    let spec = &circumstances.application.spec;
    let (tree, content) = origin.named_tree(hub).await?;
    let mut source = (*source).clone();
    if !source.chart.is_empty() {
        // A chart is the whole of its archive.
        source.path.clear();
    }
    let environment = Environment::standard(&BuildFacts {
        app_name: &circumstances.app_name,
        namespace: &spec.destination.namespace,
        project: spec.project_or_default(),
        revision: origin.revision(),
        repo_url: &source.repo_url,
        path: &source.path,
        target_revision: &source.target_revision,
    });
    // Rendering reads blobs from disk and may take its time; it must not hold up other tasks.
    let rendering = hub.blocking.run({
        let hub = Arc::clone(hub);
        let (app_name, refs) = (circumstances.app_name.clone(), circumstances.refs.clone());
        let kube_version = circumstances.target.kube_version.clone();
        let served = Arc::clone(&circumstances.target.served);
        let settings = Arc::clone(&circumstances.settings);
        let namespace = spec.destination.namespace.clone();
        let fetched = fetched.clone();
        move || {
            let schemes = settings.argocd_cm.get("helm.valuesFileSchemes");
            let wanted = Wanted {
                source: &source,
                app_name: &app_name,
                environment: &environment,
                content: &content,
                tree,
                refs: refs.as_ref(),
                fetched: &fetched,
                values_file_schemes: schemes.map_or("https,http", String::as_str),
                namespace: &namespace,
                kube_version: &kube_version,
                served: &served,
                enabled: enabled(&settings),
                kustomize_build_options: text(&settings, "kustomize.buildOptions"),
                kustomize_versions: &kustomize_versions(&settings.argocd_cm),
                plugin_exclusions: &settings.plugin_exclusions,
                tools: &hub.tools,
            };
            hub.applications.renders.get(&wanted)
        }
    });
    rendering
        .await
        .map_err(|panic| Failure::lasting(format!("rendering did not come to its end: {panic}")))
}

fn text<'a>(settings: &'a Settings, key: &str) -> &'a str {
    settings.argocd_cm.get(key).map_or("", String::as_str)
}

/// The tools that `argocd-cm` does not turn off.
fn enabled(settings: &Settings) -> Enabled {
    let allows = |key: &str| text(settings, key) != "false";
    Enabled {
        helm: allows("helm.enable"),
        kustomize: allows("kustomize.enable"),
        jsonnet: allows("jsonnet.enable"),
    }
}

impl Failure {
    /// A failure that stays until somebody changes something.
    pub(super) fn lasting(message: String) -> Self {
        Self {
            message,
            retry: Retry::Never,
        }
    }
}

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Self {
        Self {
            message: error.to_string(),
            retry: error.retry(),
        }
    }
}
