//! Helm and Kustomize as programs, for hubs where their worker is not installed.
//!
//! Each render gets a private copy of the files that it needs, a clean environment and limits. No
//! shell is involved, no value from a source is ever an option, and what a source refers to outside
//! its repository is refused before a program sees it.

mod helm;
mod kustomize;
mod output;
mod program;
mod workspace;

use std::{ffi::OsStr, sync::Arc};

use crate::render::Tools;
use program::Program;

impl Tools {
    /// The tools whose programs lie in `search`, which has the form of `PATH`.
    pub fn on_path(search: &OsStr) -> Self {
        let find = |name: &str| {
            std::env::split_paths(search)
                .find_map(|folder| workspace::program(&folder, name))
                .map(Program::new)
        };
        let helm = find("helm");
        Self {
            kustomize: find("kustomize").map(|program| {
                let helm = helm.clone();
                Arc::new(kustomize::Kustomize { program, helm }) as _
            }),
            helm: helm.map(|program| Arc::new(helm::Helm { program }) as _),
            plugin: None,
        }
    }
}
