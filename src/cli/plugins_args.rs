//! The flag that names the folder of config management plugins.

use std::path::{Path, PathBuf};

use argosy_render::Tools;

use crate::diagnostic::Diagnostic;
use crate::seams;

#[derive(clap::Args)]
pub(super) struct PluginsArgs {
    /// The folder whose files declare config management plugins, as Argo CD's `plugin.yaml` does;
    /// their programs lie there, too, or on PATH.
    #[arg(long, value_name = "DIR", env = "ARGOSY_PLUGINS")]
    plugins: Option<PathBuf>,
}

impl PluginsArgs {
    /// The folder; an empty name is none.
    pub(super) fn folder(&self) -> Option<PathBuf> {
        let named = self.plugins.clone();
        named.filter(|folder| !folder.as_os_str().is_empty())
    }

    /// What renders on this machine.
    pub(super) fn tools(&self) -> Result<Tools, Diagnostic> {
        tools(self.folder().as_deref())
    }
}

/// What renders on this machine, with the plugins of a folder.
pub(super) fn tools(plugins: Option<&Path>) -> Result<Tools, Diagnostic> {
    let search = std::env::var_os("PATH").unwrap_or_default();
    seams::tools(&search, plugins)
}
