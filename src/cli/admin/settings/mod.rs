//! `argosy admin settings …`.

mod resource_overrides;

use clap::Subcommand;

use crate::cli::CommandResult;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// What the settings for kinds make of an object.
    #[command(subcommand)]
    ResourceOverrides(resource_overrides::Command),
}

pub(crate) fn run(command: &Command) -> CommandResult {
    match command {
        Command::ResourceOverrides(command) => resource_overrides::run(command),
    }
}
