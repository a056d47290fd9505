//! What runs a tool: its program, or a worker that links its library.

use std::{path::PathBuf, sync::Arc};

use super::{
    program::{Job, Program},
    worker::Pool,
};

/// One tool, by either way.
#[derive(Clone)]
pub(super) enum Engine {
    /// The plain program.
    Program(Program),
    /// A worker, asked for the tool of this name.
    Worker(Arc<Pool>, &'static str),
}

impl Engine {
    /// The folder in which jobs must lie.
    pub(super) fn folder(&self) -> PathBuf {
        match self {
            Self::Program(_) => std::env::temp_dir(),
            Self::Worker(pool, _) => pool.folder().to_owned(),
        }
    }

    /// Runs the tool and returns what it prints; the error is what it complains about.
    pub(super) fn run(&self, job: &Job<'_>) -> Result<String, String> {
        match self {
            Self::Program(program) => program.run(job),
            Self::Worker(pool, tool) => pool.run(tool, job),
        }
    }
}
