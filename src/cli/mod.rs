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
mod config;
mod defaults;
mod demo;
#[cfg(test)]
mod documentation;
mod graph;
mod hub;
mod hub_access;
mod install;
mod kubectl;
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
#[cfg(test)]
mod tests;
mod time;
mod up;
mod version;
mod window;

use std::pin::Pin;
use std::process::ExitCode;

use clap::{ColorChoice, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::diagnostic::{Diagnostic, Kind};
use crate::surroundings::Surroundings;
use defaults::Defaults;
use kubectl::Called;

/// The exit status for an error, as Argo CD's CLI has it.
const FAILURE: u8 = 20;

/// A multi-cluster GitOps fleet hub that speaks Argo CD's API.
#[derive(Parser)]
#[command(name = "argosy", version, propagate_version = true)]
struct Cli {
    /// When answers are in colours; `auto` is on a terminal, unless NO_COLOR says otherwise.
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "WHEN",
        env = "ARGOSY_COLOR",
        default_value_t
    )]
    color: ColorChoice,
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
    Config(config::Args),
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
    let called = Called::now();
    if called == Called::Completer {
        let words: Vec<_> = std::env::args_os().skip(1).collect();
        let words: Vec<_> = words
            .iter()
            .map(|word| word.to_string_lossy().into_owned())
            .collect();
        output::line(kubectl::completions(Cli::command(), &words));
        return ExitCode::SUCCESS;
    }
    let defaults = Defaults::read(&Surroundings::system());
    let command = called.name(Cli::command());
    let command = match &defaults {
        Ok(defaults) => defaults.apply(command),
        // Help is given all the same.
        Err(_) => command,
    };
    let matches = command.try_get_matches();
    let cli = match matches.and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and the version are answers; a slip must not end as an answer does.
            let failed = error.use_stderr();
            let _ = error.print();
            return ExitCode::from(if failed { FAILURE } else { 0 });
        }
    };
    output::colour(cli.color);
    match defaults.and_then(|defaults| run(cli.command, &defaults)) {
        Ok(Outcome::Success) => ExitCode::SUCCESS,
        Ok(Outcome::Negative) => ExitCode::from(1),
        Ok(Outcome::Changes) => ExitCode::from(2),
        Err(diagnostic) => {
            output::error(&diagnostic);
            ExitCode::from(FAILURE)
        }
    }
}

fn run(command: Command, defaults: &Defaults) -> CommandResult {
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
        Command::Config(args) => config::run(&args, defaults),
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
