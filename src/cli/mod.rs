//! The command line: one file a command.
//!
//! A command parses its flags, calls the library and prints; it decides nothing itself. What it
//! prints goes through `output`; what goes wrong is a [`Diagnostic`].

mod admin;
mod app;
mod appset;
mod argocd_cm;
mod cluster;
mod completion;
mod demo;
#[cfg(test)]
mod documentation;
mod graph;
mod hub;
mod hub_access;
mod install;
mod leader_args;
mod metrics_args;
mod otlp_args;
mod output;
mod plan;
mod plugins_args;
mod reference;
mod registration;
mod repo;
mod table;
mod time;
mod up;
mod version;
mod window;

use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::diagnostic::{Diagnostic, Kind};

/// The exit status for an error, as Argo CD's CLI has it.
const FAILURE: u8 = 20;

/// A multi-cluster GitOps fleet hub that speaks Argo CD's API.
#[derive(Parser)]
#[command(name = "argosy", version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Bring up a fleet on this machine, to look at.
    Demo(demo::Args),
    /// Run a hub with a cluster of its own inside.
    Up(up::Args),
    /// Run a hub on a Kubernetes cluster.
    Hub(hub::Args),
    /// Install a hub on the cluster of the kubeconfig.
    Install(install::Args),
    /// Remove the hub from a cluster, and nothing that it deployed.
    Uninstall(install::UninstallArgs),
    /// Register clusters and look at them.
    #[command(subcommand)]
    Cluster(cluster::Command),
    /// Register repositories, credentials for them, and look whether they answer.
    #[command(subcommand)]
    Repo(repo::Command),
    /// Look at applications, sync them and compare them.
    #[command(subcommand)]
    App(app::Command),
    /// Look at ApplicationSets and what they generate.
    #[command(subcommand)]
    Appset(appset::Command),
    /// Show what a change of a repository would change, without a hub and a cluster.
    Plan(plan::Args),
    /// Look at sync windows.
    #[command(subcommand)]
    Window(window::Command),
    /// Print which application waits for which.
    Graph(graph::Args),
    /// Ask how the hub would decide, without a hub.
    #[command(subcommand)]
    Admin(admin::Command),
    /// Print what a shell needs to complete commands and flags.
    Completion(completion::Args),
    /// Print the version.
    Version(version::Args),
}

/// What a command that did its work has to say: most say nothing, some answer "no".
pub(crate) enum Outcome {
    /// Done, and the answer is good.
    Success,
    /// Done, and the answer is what scripts branch on: differences found, not healthy, denied.
    Negative,
    /// Done, and something would change, where a failure must not be taken for that.
    Changes,
}

type CommandResult = Result<Outcome, Diagnostic>;

/// Parses the command line, runs the command, and prints what went wrong.
pub fn main() -> ExitCode {
    let matches = named_as_called().try_get_matches();
    let cli = match matches.and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and the version are answers; a slip must not end as an answer does.
            let failed = error.use_stderr();
            let _ = error.print();
            return ExitCode::from(if failed { FAILURE } else { 0 });
        }
    };
    match run(cli.command) {
        Ok(Outcome::Success) => ExitCode::SUCCESS,
        Ok(Outcome::Negative) => ExitCode::from(1),
        Ok(Outcome::Changes) => ExitCode::from(2),
        Err(diagnostic) => {
            output::error(&diagnostic);
            ExitCode::from(FAILURE)
        }
    }
}

/// The command line, which help and errors call as its caller did: kubectl has a name of its own for
/// each plugin.
fn named_as_called() -> clap::Command {
    let called = std::env::args_os().next().map(PathBuf::from);
    let name = called.as_deref().and_then(Path::file_stem);
    if name.is_some_and(|name| name == "kubectl-argosy") {
        Cli::command().bin_name("kubectl argosy")
    } else {
        Cli::command()
    }
}

fn run(command: Command) -> CommandResult {
    match command {
        Command::Demo(args) => demo::run(args),
        Command::Up(args) => block_on(up::run(args)),
        Command::Hub(args) => block_on(hub::run(args)),
        Command::Install(args) => block_on(install::run(args)),
        Command::Uninstall(args) => block_on(install::uninstall(args)),
        Command::Cluster(command) => cluster::run(command),
        Command::Repo(command) => repo::run(command),
        Command::App(command) => app::run(command),
        Command::Appset(command) => appset::run(command),
        Command::Plan(args) => plan::run(&args),
        Command::Window(command) => window::run(command),
        Command::Graph(args) => block_on(graph::run(args)),
        Command::Admin(command) => admin::run(command),
        Command::Completion(args) => Ok(completion::run(&args)),
        Command::Version(args) => version::run(&args),
    }
}

/// Runs a command that talks to a hub, until it is done or Ctrl-C.
fn block_on(command: impl Future<Output = CommandResult>) -> CommandResult {
    // Behind a pointer, so that the program has one copy of the runtime and not one for each command.
    let command: Pin<Box<dyn Future<Output = CommandResult> + '_>> = Box::pin(command);
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| {
            Diagnostic::new(
                Kind::Internal,
                "RuntimeFailed",
                "cannot start the async runtime",
            )
            .because(&error)
        })?
        .block_on(command)
}

/// Is ready when the user, or whoever runs the process, asks it to end.
async fn interrupted() {
    let terminated = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => drop(signal.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        biased;
        _ = tokio::signal::ctrl_c() => {}
        () = terminated => {}
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_tree_is_consistent() {
        super::Cli::command().debug_assert();
    }
}
