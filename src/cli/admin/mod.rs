//! `argosy admin …`.

mod app;
mod backup;
mod docs;
mod log_level;
mod match_pattern;
mod metrics;
mod proj;
mod repo;
mod settings;
mod support_bundle;
mod takeover;
mod tracking;
mod webhook;

use std::path::Path;

use clap::Subcommand;
use serde::de::DeserializeOwned;

use super::{CommandResult, block_on, output};
use crate::diagnostic::Diagnostic;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// How the hub sees applications.
    #[command(subcommand)]
    App(app::Command),
    /// Document the command line.
    #[command(subcommand)]
    Docs(docs::Command),
    /// Print all that the hub was told as one YAML stream.
    Export(backup::ExportArgs),
    /// Bring back what an export holds, Argosy's or Argo CD's.
    Import(backup::ImportArgs),
    /// Say what a running hub logs, or change it.
    LogLevel(log_level::Args),
    /// Say what a glob or a regular expression matches.
    Match(match_pattern::Args),
    /// Print the page that documents all metrics of the hub.
    Metrics(metrics::Args),
    /// What projects permit.
    #[command(subcommand)]
    Proj(proj::Command),
    /// How the hub sees repositories.
    #[command(subcommand)]
    Repo(repo::Command),
    /// Try out settings.
    #[command(subcommand)]
    Settings(settings::Command),
    /// Gather what somebody needs to know who is to help with a hub, without any secret.
    SupportBundle(support_bundle::Args),
    /// Say what of an Argo CD would behave differently under a hub.
    Takeover(takeover::Args),
    /// How objects are tied to applications.
    #[command(subcommand)]
    Tracking(tracking::Command),
    /// Try out webhooks.
    #[command(subcommand)]
    Webhook(webhook::Command),
}

pub(crate) fn run(command: Command) -> CommandResult {
    match command {
        Command::App(command) => app::run(&command),
        Command::Docs(command) => docs::run(&command),
        Command::Export(args) => block_on(backup::export(args)),
        Command::Import(args) => block_on(backup::import(args)),
        Command::LogLevel(args) => block_on(log_level::run(args)),
        Command::Match(args) => match_pattern::run(&args),
        Command::Metrics(args) => metrics::run(&args),
        Command::Proj(command) => proj::run(&command),
        Command::Repo(command) => repo::run(&command),
        Command::Settings(command) => settings::run(&command),
        Command::SupportBundle(args) => block_on(support_bundle::run(args)),
        Command::Takeover(args) => block_on(takeover::run(args)),
        Command::Tracking(command) => tracking::run(command),
        Command::Webhook(command) => webhook::run(command),
    }
}

/// Reads a file that holds one object of a known kind.
fn typed<T: DeserializeOwned>(path: &Path) -> Result<T, Diagnostic> {
    serde_json::from_value(output::read_document(path)?).map_err(|error| malformed(path, &error))
}

/// Reads a file that holds JSON of a known form.
fn json_file<T: DeserializeOwned>(path: &Path) -> Result<T, Diagnostic> {
    serde_json::from_str(&output::read(path)?).map_err(|error| malformed(path, &error))
}

fn malformed(path: &Path, error: &serde_json::Error) -> Diagnostic {
    Diagnostic::user("FileMalformed", "the file does not hold what is expected")
        .at(path.display().to_string())
        .because(error)
}

/// One line for each thing, with yes or no.
fn each(things: &[String], verdicts: &[bool]) -> String {
    let lines: Vec<_> = things
        .iter()
        .zip(verdicts)
        .map(|(thing, verdict)| format!("{} {thing}", if *verdict { "yes" } else { "no " }))
        .collect();
    lines.join("\n")
}
