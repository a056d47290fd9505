//! What runs a tool: its program, or a worker that links its library.

use std::{fs, sync::Arc};

use super::{program::Program, selection::Selection, worker::Pool, workspace::Workspace};
use crate::path::TreePath;

/// One tool, by either way.
#[derive(Clone)]
pub(super) enum Engine {
    /// The plain program.
    Program(Program),
    /// A worker, asked for the tool of this name.
    Worker(Arc<Pool>, &'static str),
}

/// Commands of one tool, and the files that they see.
pub(super) struct Job<'a> {
    /// All files.
    pub(super) selection: &'a Selection,
    /// The working folder.
    pub(super) directory: &'a TreePath,
    /// The arguments of each command, without the program's name.
    pub(super) commands: &'a [Vec<String>],
    /// A file whose content is asked for as the commands leave it.
    pub(super) wanted: Option<&'a TreePath>,
    /// Whether the commands change what the tool's library does afterwards.
    pub(super) leaves_traces: bool,
}

/// What the commands of a job leave.
#[derive(Debug, Default)]
pub(super) struct Done {
    /// What they print.
    pub(super) output: String,
    /// The wanted file.
    pub(super) wanted: String,
}

impl Engine {
    /// Runs the commands one after the other; the error is what the first one that fails complains
    /// about, with paths as they are in the tree.
    pub(super) fn run(&self, job: &Job<'_>) -> Result<Done, String> {
        match self {
            Self::Program(program) => in_folder(program, job),
            Self::Worker(pool, tool) => pool.run(tool, job),
        }
    }
}

/// Runs a program in a private folder that holds the job's files.
fn in_folder(program: &Program, job: &Job<'_>) -> Result<Done, String> {
    let prepared = Workspace::new().and_then(|workspace| {
        workspace.lay_out(job.selection)?;
        Ok(workspace)
    });
    let workspace =
        prepared.map_err(|error| format!("cannot prepare the render's private folder: {error}"))?;
    let root = workspace.folder().display().to_string();
    let mut done = Done::default();
    for arguments in job.commands {
        let printed = program.run(arguments, &workspace, job.directory);
        let printed = printed.map_err(|why| job.selection.named(&why, &root, job.directory))?;
        done.output.push_str(&printed);
    }
    if let Some(path) = job.wanted {
        let read = fs::read_to_string(workspace.at(path));
        done.wanted = read.map_err(|error| format!("cannot read {path}: {error}"))?;
    }
    Ok(done)
}
