//! Where the demo keeps its files, the same for the demo and for the commands that control it.

use std::path::PathBuf;

use crate::diagnostic::Diagnostic;

#[derive(clap::Args, Clone, Debug)]
pub(super) struct DataArgs {
    /// The demo's directory: its repository, kubeconfig and log [default: ~/.argosy/demo].
    #[arg(long, value_name = "DIR", env = "ARGOSY_DEMO_DATA")]
    data: Option<PathBuf>,
}

impl DataArgs {
    /// The directory, which need not exist.
    pub(super) fn path(&self) -> Result<PathBuf, Diagnostic> {
        if let Some(path) = &self.data {
            return Ok(path.clone());
        }
        let home = std::env::home_dir().filter(|home| home.is_absolute());
        home.map(|home| home.join(".argosy/demo")).ok_or_else(|| {
            Diagnostic::config(
                "DataDirUnknown",
                "there is no home directory for the demo's files",
            )
            .fix("name a directory with --data")
        })
    }

    /// What a command must be given to find the same demo.
    pub(super) fn flags(&self) -> String {
        let path = self.data.as_ref().map(|path| {
            let path = path.canonicalize().unwrap_or_else(|_| path.clone());
            format!(" --data {}", path.display())
        });
        path.unwrap_or_default()
    }
}
