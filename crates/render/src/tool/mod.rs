//! Helm and Kustomize, by a worker that links their libraries or by their plain programs, and config
//! management plugins.
//!
//! Each render gets the files that it needs and no others, a clean environment and limits. No
//! shell is involved, no value from a source is ever an option, and what a source refers to outside
//! its repository is refused before a tool sees it.

mod engine;
mod family;
mod group;
mod helm;
mod kustomize;
mod output;
mod plugin;
mod program;
mod sandbox;
mod selection;
mod worker;
mod workspace;

use std::{ffi::OsStr, path::PathBuf, sync::Arc};

use crate::render::Tools;
use engine::Engine;
pub use kustomize::{KustomizeVersion, check_build_options, kustomize_versions};
pub use plugin::{Plugins, PluginsError};
use program::{Program, Slots};
use worker::Pool;

/// The name of the worker's program.
const WORKER: &str = "argosy-render-worker";

/// Names programs, and this one, by where they are and when they were made.
fn identity(programs: impl Iterator<Item = PathBuf>) -> String {
    let own = std::env::current_exe().ok();
    let describe = |path: PathBuf| {
        let metadata = path.metadata().ok()?;
        Some(format!(
            "{} {} {:?}",
            path.display(),
            metadata.len(),
            metadata.modified().ok()?
        ))
    };
    let described: Vec<_> = own
        .into_iter()
        .chain(programs)
        .filter_map(describe)
        .collect();
    described.join("\n")
}

impl Tools {
    /// The tools in `search`, which has the form of `PATH`: the worker for both if it is there, or
    /// else the programs `helm` and `kustomize`.
    pub fn on_path(search: &OsStr) -> Self {
        let slots = Slots::one_a_core();
        let find = |name: &str| {
            std::env::split_paths(search).find_map(|folder| workspace::program(&folder, name))
        };
        let charts = find("helm").map(|path| Program::new(path, &[], &slots));
        let programs = charts
            .as_ref()
            .map_or_else(Vec::new, |charts| charts.programs.clone());
        let pool = find(WORKER);
        let pool = pool.map(|path| Arc::new(Pool::new(path, programs.clone(), &slots)));
        let engine = |name: &'static str| match &pool {
            Some(pool) => Some(Engine::Worker(Arc::clone(pool), name)),
            None => find(name).map(|path| Engine::Program(Program::new(path, &programs, &slots))),
        };
        Self {
            helm: engine("helm").map(|engine| Arc::new(helm::Helm { engine }) as _),
            kustomize: engine("kustomize").map(|engine| {
                let slots = slots.clone();
                Arc::new(kustomize::Kustomize {
                    engine,
                    charts,
                    slots,
                }) as _
            }),
            plugins: None,
            identity: identity(["helm", "kustomize", WORKER].into_iter().filter_map(find)),
        }
    }

    /// These tools, and plugins.
    #[must_use]
    pub fn with_plugins(mut self, plugins: Plugins) -> Self {
        self.plugins = Some(Arc::new(plugins));
        self
    }
}
