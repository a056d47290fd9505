//! `argosy admin app …`: how the hub sees applications.

use std::path::PathBuf;

use argosy_engine::application::refresh;
use clap::Subcommand;
use serde_json::json;

use super::{json_file, typed};
use crate::cli::{CommandResult, Outcome, output};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Say which changes to files would refresh an application.
    RefreshPaths(RefreshPaths),
}

#[derive(clap::Args)]
#[command(after_help = "Example:
  argosy admin app refresh-paths web.yaml --changed changes.json")]
pub(crate) struct RefreshPaths {
    /// The application.
    #[arg(value_name = "APP.yaml")]
    application: PathBuf,
    /// A JSON list of lists of changed files.
    #[arg(long, value_name = "FILE")]
    changed: PathBuf,
    /// The form of the answer.
    #[arg(short, long, value_enum, value_name = "FORM", default_value_t)]
    output: output::Format,
}

pub(crate) fn run(command: &Command) -> CommandResult {
    let Command::RefreshPaths(args) = command;
    let paths = refresh::paths(&typed(&args.application)?);
    let changes: Vec<Vec<String>> = json_file(&args.changed)?;
    let concerned: Vec<bool> = changes
        .iter()
        .map(|files| refresh::concerns(&paths, files))
        .collect();
    output::document(args.output, &json!({"refresh": concerned}), || {
        let changes: Vec<_> = changes.iter().map(|files| files.join(", ")).collect();
        super::each(&changes, &concerned)
    })?;
    Ok(Outcome::Success)
}
