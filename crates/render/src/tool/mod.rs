//! Helm and Kustomize as programs, for hubs where their worker is not installed.
//!
//! Each render gets a private copy of the files, a clean environment, a time limit and a limit on
//! what it may print. No shell is involved, and no value from a source is ever an option.

mod copy;
mod helm;
mod kustomize;
mod program;

use std::{ffi::OsStr, os::unix::fs::PermissionsExt, path::PathBuf, sync::Arc};

use crate::render::Tools;

impl Tools {
    /// The tools whose programs lie in `search`, which has the form of `PATH`.
    pub fn on_path(search: &OsStr) -> Self {
        let find = |name: &str| -> Option<PathBuf> {
            std::env::split_paths(search)
                .map(|folder| folder.join(name))
                .find(|file| {
                    file.metadata().is_ok_and(|metadata| {
                        metadata.is_file() && metadata.permissions().mode() & 0o111 != 0
                    })
                })
        };
        Self {
            helm: find("helm").map(|program| Arc::new(helm::Helm::new(program)) as _),
            kustomize: find("kustomize")
                .map(|program| Arc::new(kustomize::Kustomize::new(program)) as _),
            plugin: None,
        }
    }
}
