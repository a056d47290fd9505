//! `argosy admin docs`: the command line, documented by itself.

use std::path::PathBuf;

use clap::{CommandFactory, Parser, Subcommand};

use crate::cli::{Cli, CommandResult, Outcome, output, reference};
use crate::diagnostic::Diagnostic;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Print the page that documents all commands and flags.
    #[command(after_help = "Example:\n  argosy admin docs cli > docs/reference/cli.md")]
    Cli,
    /// Write a man page for each command.
    #[command(after_help = "Example:\n  argosy admin docs man --dir ~/.local/share/man/man1")]
    Man(Man),
}

#[derive(Parser)]
pub(crate) struct Man {
    /// The folder to write to; it is made where there is none.
    #[arg(long)]
    dir: PathBuf,
}

pub(super) fn run(command: &Command) -> CommandResult {
    match command {
        Command::Cli => output::line(reference::page(Cli::command()).trim_end()),
        Command::Man(Man { dir }) => {
            let written = std::fs::create_dir_all(dir)
                .and_then(|()| clap_mangen::generate_to(Cli::command(), dir));
            written.map_err(|error| {
                Diagnostic::user(
                    "ManPagesNotWritten",
                    format!("cannot write man pages to `{}`", dir.display()),
                )
                .because(&error)
            })?;
        }
    }
    Ok(Outcome::Success)
}
