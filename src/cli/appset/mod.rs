//! `argosy appset …`.

mod approve;
mod diff;
mod find;
mod generate;
mod get;
mod lint;
mod list;
mod offline;
mod rollout;
mod show;
mod work_tree;

use std::path::Path;

use argosy_crds::ApplicationSet;
use argosy_generators::offline::read_set;
use clap::Subcommand;

use super::{CommandResult, block_on, output};
use crate::diagnostic::Diagnostic;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Approve a plan that waits.
    Approve(approve::Args),
    Diff(diff::Args),
    /// Print the Applications that an ApplicationSet generates.
    Generate(generate::Args),
    Get(get::Args),
    List(list::Args),
    Lint(lint::Args),
}

pub(crate) fn run(command: Command) -> CommandResult {
    match command {
        Command::Approve(args) => block_on(approve::run(args)),
        Command::Diff(args) => Ok(diff::run(&args)),
        Command::Generate(args) => generate::run(&args),
        Command::Get(args) => block_on(get::run(args)),
        Command::List(args) => block_on(list::run(args)),
        Command::Lint(args) => lint::run(&args),
    }
}

/// Reads the manifest of a set; one that names no namespace is in the hub's.
fn read(path: &Path, namespace: &str) -> Result<ApplicationSet, Diagnostic> {
    let mut set = read_set(output::read_document(path)?).map_err(|problem| {
        Diagnostic::user(
            "FileMalformed",
            format!("cannot read the ApplicationSet: {problem}"),
        )
        .at(path.display().to_string())
    })?;
    set.metadata
        .namespace
        .get_or_insert_with(|| namespace.to_owned());
    Ok(set)
}

/// What a set that cannot be expanded means to a user.
fn not_generated(error: argosy_generators::Error) -> Diagnostic {
    Diagnostic::user(error.reason.as_str(), error.message)
        .at(format!("ApplicationSet {}, {}", error.set, error.place))
}
