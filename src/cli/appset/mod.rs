//! `argosy appset …`.

mod generate;
mod work_tree;

use clap::Subcommand;

use super::CommandResult;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Print the Applications that an ApplicationSet generates.
    Generate(generate::Args),
}

pub(crate) fn run(command: Command) -> CommandResult {
    match command {
        Command::Generate(args) => generate::run(&args),
    }
}
