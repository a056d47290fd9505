//! `argosy admin …`.

use clap::Subcommand;

use super::CommandResult;

#[derive(Subcommand)]
pub(crate) enum Command {}

pub(crate) fn run(command: Command) -> CommandResult {
    match command {}
}
