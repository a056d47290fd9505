//! `argosy demo`: the whole of Argosy on one machine, with nothing to install.

mod data;
mod progress;
mod report;
mod run;
mod switch;

use clap::{Parser, Subcommand};

use super::{CommandResult, Outcome, block_on};

/// Runs a hub, three simulated clusters and a git repository, and brings up a fleet on them.
#[derive(Parser)]
#[command(args_conflicts_with_subcommands = true)]
#[command(after_help = "Examples:
  argosy demo
  argosy demo --exit-when-healthy")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: run::RunArgs,
}

#[derive(Subcommand)]
enum Command {
    /// Make a cluster of the running demo refuse connections.
    #[command(after_help = "Example:\n  argosy demo stop-cluster staging")]
    StopCluster(switch::Args),
    /// Let a stopped cluster of the running demo take connections again.
    #[command(after_help = "Example:\n  argosy demo start-cluster staging")]
    StartCluster(switch::Args),
    /// Tell the hub about a commit; the repository's hooks do so.
    #[command(hide = true)]
    Notify(NotifyArgs),
}

#[derive(clap::Args)]
#[command(after_help = "Example:
  argosy demo notify --hub http://127.0.0.1:8082 --repository file:///srv/fleet.git --ref refs/heads/main")]
struct NotifyArgs {
    /// The hub's address.
    #[arg(long)]
    hub: String,
    /// The repository's URL.
    #[arg(long)]
    repository: String,
    /// The ref that moved.
    #[arg(long = "ref")]
    reference: String,
}

pub(crate) fn run(args: Args) -> CommandResult {
    match args.command {
        None => block_on(run::run(args.run)),
        Some(Command::StopCluster(args)) => block_on(switch::run(args, crate::demo::STOPPED)),
        Some(Command::StartCluster(args)) => block_on(switch::run(args, crate::demo::RUNNING)),
        Some(Command::Notify(args)) => {
            crate::demo::notify(&args.hub, &args.repository, &args.reference)?;
            Ok(Outcome::Success)
        }
    }
}
