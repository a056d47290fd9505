//! Which tool a source is for.
//!
//! An explicit choice in the source wins, then a plugin that recognises it; otherwise the names of
//! the files directly in its directory tell.

use argosy_crds::ApplicationSource;
use serde::{Deserialize, Serialize};

use crate::{path::TreePath, render::RenderError, tool::Plugins, tree::Kind, view::View};

/// What turns a source into manifests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum SourceType {
    /// Plain manifests and Jsonnet.
    Directory,
    /// A Helm chart.
    Helm,
    /// A kustomization.
    Kustomize,
    /// A config management plugin.
    Plugin,
}

impl SourceType {
    /// The name in Argo CD's API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Directory => "Directory",
            Self::Helm => "Helm",
            Self::Kustomize => "Kustomize",
            Self::Plugin => "Plugin",
        }
    }
}

/// Which tools are allowed; a disabled one leaves its sources to be read as plain directories.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Enabled {
    /// `helm.enable`
    pub helm: bool,
    /// `kustomize.enable`
    pub kustomize: bool,
    /// `jsonnet.enable`
    pub jsonnet: bool,
}

impl Default for Enabled {
    fn default() -> Self {
        Self {
            helm: true,
            kustomize: true,
            jsonnet: true,
        }
    }
}

/// The type of the source whose files lie in `directory`.
///
/// Fails if the source names more than one type, and if a plugin cannot be asked.
pub fn detect(
    view: &View,
    directory: &TreePath,
    source: &ApplicationSource,
    enabled: Enabled,
    plugins: Option<&Plugins>,
) -> Result<SourceType, RenderError> {
    let allow = |kind| match kind {
        SourceType::Helm if !enabled.helm => SourceType::Directory,
        SourceType::Kustomize if !enabled.kustomize => SourceType::Directory,
        other => other,
    };
    if let Some(explicit) = explicit(source)? {
        return Ok(allow(explicit));
    }
    if let Some(plugins) = plugins
        && plugins.recognise(view, directory)?
    {
        return Ok(SourceType::Plugin);
    }
    if !source.chart.is_empty() {
        return Ok(allow(SourceType::Helm));
    }
    let mut found = SourceType::Directory;
    for entry in view.list(directory)? {
        if entry.kind == Kind::Directory {
            continue;
        }
        if entry.name.ends_with("Chart.yaml") && enabled.helm {
            found = SourceType::Helm;
        }
        let kustomization = ["kustomization.yaml", "kustomization.yml", "Kustomization"];
        if kustomization.iter().any(|name| entry.name.ends_with(name)) && enabled.kustomize {
            found = SourceType::Kustomize;
        }
    }
    Ok(found)
}

fn explicit(source: &ApplicationSource) -> Result<Option<SourceType>, RenderError> {
    let named: Vec<SourceType> = [
        (SourceType::Kustomize, source.kustomize.is_some()),
        (SourceType::Helm, source.helm.is_some()),
        (SourceType::Directory, source.directory.is_some()),
        (SourceType::Plugin, source.plugin.is_some()),
    ]
    .into_iter()
    .filter_map(|(kind, named)| named.then_some(kind))
    .collect();
    if named.len() > 1 {
        let names: Vec<_> = named.iter().map(|kind| kind.as_str()).collect();
        return Err(RenderError::SeveralTypes(names.join(",")));
    }
    Ok(named.first().copied())
}
