//! `argosy admin repo …`: how the hub sees repositories.

use std::path::PathBuf;

use argosy_engine::repo_url;
use clap::Subcommand;
use serde_json::json;

use super::json_file;
use crate::cli::{CommandResult, Outcome, output};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Say which URLs mean the same repository.
    SameUrl(SameUrl),
}

#[derive(clap::Args)]
#[command(after_help = "Example:
  argosy admin repo same-url --pairs pairs.json")]
pub(crate) struct SameUrl {
    /// A JSON list of pairs of URLs.
    #[arg(long, value_name = "FILE")]
    pairs: PathBuf,
    /// The form of the answer.
    #[arg(short, long, value_enum, value_name = "FORM", default_value_t)]
    output: output::Format,
}

pub(crate) fn run(command: &Command) -> CommandResult {
    let Command::SameUrl(args) = command;
    let pairs: Vec<[String; 2]> = json_file(&args.pairs)?;
    let same: Vec<bool> = pairs.iter().map(|[a, b]| repo_url::same(a, b)).collect();
    output::document(args.output, &json!({"same": same}), || {
        let pairs: Vec<_> = pairs.iter().map(|pair| pair.join(" ")).collect();
        super::each(&pairs, &same)
    })?;
    Ok(Outcome::Success)
}
