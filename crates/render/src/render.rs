//! From one source to its manifests: the steps, one call each.

use std::{collections::BTreeMap, fmt, sync::Arc};

use argosy_crds::ApplicationSource;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    detect::{Enabled, SourceType, detect},
    directory,
    environment::Environment,
    list::expand_lists,
    needs::{Fetched, Need},
    overrides::merged,
    path::{PathError, TreePath},
    reads::Reads,
    tool::KustomizeVersion,
    tool::Plugins,
    tree::{Kind, Tree, TreeError},
    view::View,
    views::{Refs, Views},
};

/// What to render, and within which limits.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// The source.
    pub source: &'a ApplicationSource,
    /// The application's name, with its namespace in front if that is not the hub's own.
    pub app_name: &'a str,
    /// What `$VARIABLES` in parameters stand for.
    pub environment: &'a Environment,
    /// Which tools may be used.
    pub enabled: Enabled,
    /// The most bytes that the manifest files of a directory may have together.
    pub max_combined_size: u64,
    /// The destination's namespace.
    pub namespace: &'a str,
    /// The destination cluster's version; empty if unknown.
    pub kube_version: &'a str,
    /// The API versions that the destination cluster has.
    pub api_versions: &'a [String],
    /// Options for every `kustomize build`, from the hub's configuration.
    pub kustomize_build_options: &'a str,
    /// The versions of Kustomize that sources may name; `None` where no hub tells, and then the one
    /// that is there does.
    pub kustomize_versions: Option<&'a [KustomizeVersion]>,
    /// What `$ref/…` paths lead into; `None` if the application has but one source.
    pub refs: Option<&'a Refs>,
    /// What was fetched from elsewhere; `None` where nothing is.
    pub fetched: Option<&'a Fetched>,
    /// What the copy of a repository for a plugin leaves out, in the form of Go's `filepath.Match`, by
    /// whole paths: `reposerver.plugin.tar.exclusions`.
    pub plugin_exclusions: &'a [String],
    /// The schemes of addresses that values may be fetched from, separated by commas:
    /// `helm.valuesFileSchemes`.
    pub values_file_schemes: &'a str,
}

impl<'a> Request<'a> {
    /// The usual: every tool, and Argo CD's limit of 10 MB.
    pub fn new(
        source: &'a ApplicationSource,
        app_name: &'a str,
        environment: &'a Environment,
    ) -> Self {
        Self {
            source,
            app_name,
            environment,
            enabled: Enabled::default(),
            max_combined_size: 10 * 1024 * 1024,
            namespace: "",
            kube_version: "",
            api_versions: &[],
            kustomize_build_options: "",
            kustomize_versions: None,
            refs: None,
            fetched: None,
            plugin_exclusions: &[],
            values_file_schemes: "https,http",
        }
    }
}

/// What came out.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Render {
    /// The objects, lists taken apart, without tracking marks, in the order of files.
    pub manifests: Vec<Value>,
    /// What was left out, and why.
    pub warnings: Vec<String>,
    /// What was read: as long as this holds, so does the result.
    pub reads: Reads,
    /// What was read of the trees behind references, by their names.
    pub ref_reads: BTreeMap<String, Reads>,
    /// What rendered it.
    pub source_type: SourceType,
}

/// A tool that turns a directory into manifests, such as Helm or Kustomize.
pub trait Tool: Send + Sync {
    /// Renders the source whose files lie in `directory`; lists need not be taken apart.
    fn render(
        &self,
        views: &Views,
        directory: &TreePath,
        request: &Request<'_>,
    ) -> Result<Vec<Value>, RenderError>;
}

/// The tools that are at hand besides what is built in.
#[derive(Clone, Default)]
pub struct Tools {
    /// Renders charts.
    pub helm: Option<Arc<dyn Tool>>,
    /// Renders kustomizations.
    pub kustomize: Option<Arc<dyn Tool>>,
    /// Render what is theirs.
    pub plugins: Option<Arc<Plugins>>,
    /// Names these tools and their versions: others may render differently.
    pub identity: String,
}

impl fmt::Debug for Tools {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tools")
            .field("identity", &self.identity)
            .finish_non_exhaustive()
    }
}

/// Why a source gives no manifests.
#[derive(Clone, Debug, thiserror::Error)]
pub enum RenderError {
    /// The source's path is absolute or leaves the repository.
    #[error(transparent)]
    Path(#[from] PathError),
    /// The source's path names nothing.
    #[error("{0}: app path does not exist")]
    NoSuchPath(String),
    /// The source's path names a file.
    #[error("{0}: app path is not a directory")]
    NotADirectory(String),
    /// The source names more than one type.
    #[error("multiple application sources defined: {0}; keep one of them")]
    SeveralTypes(String),
    /// A tool is not installed.
    #[error("{directory} is a {tool} source, and {tool} is not available; {hint}")]
    ToolMissing {
        /// The source's directory.
        directory: TreePath,
        /// The type of the source.
        tool: &'static str,
        /// What to install or change.
        hint: &'static str,
    },
    /// An override file is not one.
    #[error("cannot use {path}: {why}")]
    Override {
        /// The file.
        path: TreePath,
        /// What is wrong.
        why: String,
    },
    /// A manifest cannot be read.
    #[error("failed to unmarshal {:?}: {why} (in {path})", path.name())]
    Manifest {
        /// The file.
        path: TreePath,
        /// What is wrong, with line and column where known.
        why: String,
    },
    /// A JSON file holds more than one object.
    #[error(
        "found multiple objects in {:?}, and only single objects are allowed in JSON files; use \
         a list or YAML documents (in {path})", path.name()
    )]
    SeveralObjects {
        /// The file.
        path: TreePath,
    },
    /// The files are larger together than allowed.
    #[error(
        "exceeded max combined manifest file size: the manifests in {directory} have more than \
         {limit} bytes; split the application or raise \
         reposerver.max.combined.directory.manifests.size"
    )]
    TooLarge {
        /// The source's directory.
        directory: TreePath,
        /// The limit.
        limit: u64,
    },
    /// A Jsonnet program fails.
    #[error("failed to evaluate jsonnet {:?}: {why} (in {path})", path.name())]
    Jsonnet {
        /// The file.
        path: TreePath,
        /// What its evaluation says.
        why: String,
    },
    /// A tool fails.
    #[error("{tool} failed on {directory}: {why}")]
    Tool {
        /// The tool.
        tool: &'static str,
        /// The source's directory.
        directory: TreePath,
        /// What it says.
        why: String,
    },
    /// Something that lies elsewhere has to be fetched first.
    #[error("{} has to be fetched first", list(.0))]
    Needs(Vec<Need>),
    /// A file cannot be read, or leaves the repository.
    #[error(transparent)]
    Tree(#[from] TreeError),
}

fn list(needs: &[Need]) -> String {
    let needs: Vec<_> = needs.iter().map(Need::to_string).collect();
    needs.join(", ")
}

/// Renders one source from its tree.
pub fn render(
    tree: Arc<dyn Tree>,
    request: &Request<'_>,
    tools: &Tools,
) -> Result<Render, RenderError> {
    let views = Views::new(tree, request.refs);
    let rendered = render_views(&views, request, tools);
    let needs = views.needs();
    if needs.is_empty() {
        return rendered;
    }
    // Whatever came of a text in the place of a file counts for nothing.
    Err(RenderError::Needs(needs))
}

fn render_views(
    views: &Views,
    request: &Request<'_>,
    tools: &Tools,
) -> Result<Render, RenderError> {
    let view = views.own();
    let directory = locate(view, &request.source.path)?;
    let source = merged(view, &directory, request.source, request.app_name)?;
    let plugins = tools.plugins.as_deref();
    let source_type = detect(view, &directory, &source, request.enabled, plugins)?;
    let request = Request {
        source: &source,
        ..request.clone()
    };
    let mut warnings = Vec::new();
    let objects = match tool(source_type, &directory, tools)? {
        Some(tool) => tool.render(views, &directory, &request)?,
        None => directory::render(view, &directory, &request, &mut warnings)?,
    };
    Ok(Render {
        manifests: expand_lists(objects)?,
        warnings,
        reads: view.reads(),
        ref_reads: views.reference_reads(),
        source_type,
    })
}

/// The directory that a source's `path` means.
fn locate(view: &View, path: &str) -> Result<TreePath, RenderError> {
    let directory = TreePath::parse(path)?;
    match view.resolve(&directory)? {
        None => Err(RenderError::NoSuchPath(path.to_owned())),
        Some(target) if target.kind == Kind::Directory => Ok(target.path),
        Some(target) if target.kind == Kind::Submodule => {
            Err(TreeError::Submodule { path: target.path }.into())
        }
        Some(_) => Err(RenderError::NotADirectory(path.to_owned())),
    }
}

/// What renders sources of this type; `None` for what is built in.
fn tool<'a>(
    source_type: SourceType,
    directory: &TreePath,
    tools: &'a Tools,
) -> Result<Option<&'a dyn Tool>, RenderError> {
    let (tool, name, hint) = match source_type {
        SourceType::Directory => return Ok(None),
        SourceType::Helm => (
            tools.helm.as_deref(),
            "helm",
            "install helm 4 where the hub can run it, or set `spec.source.directory` to read the \
             files as plain manifests",
        ),
        SourceType::Kustomize => (
            tools.kustomize.as_deref(),
            "kustomize",
            "install kustomize 5 where the hub can run it, or set `spec.source.directory` to read \
             the files as plain manifests",
        ),
        SourceType::Plugin => (
            tools.plugins.as_deref().map(|plugins| plugins as &dyn Tool),
            "plugin",
            "put the plugin's declaration into a folder and name that with --plugins",
        ),
    };
    match tool {
        Some(tool) => Ok(Some(tool)),
        None => Err(RenderError::ToolMissing {
            directory: directory.clone(),
            tool: name,
            hint,
        }),
    }
}
