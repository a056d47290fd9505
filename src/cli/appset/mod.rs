//! `argosy appset …`.

mod approve;
mod generate;
mod work_tree;

use clap::Subcommand;

use super::{CommandResult, block_on};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Approve a plan that waits.
    Approve(approve::Args),
    /// Print the Applications that an ApplicationSet generates.
    Generate(generate::Args),
}

pub(crate) fn run(command: Command) -> CommandResult {
    match command {
        Command::Approve(args) => block_on(approve::run(args)),
        Command::Generate(args) => generate::run(&args),
    }
}
