//! `argosy admin settings resource-overrides …`: what the settings for kinds make of one object.

use std::path::PathBuf;

use argosy_engine::health;
use argosy_engine::ignore::Ignore;
use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde_json::json;

use crate::cli::argocd_cm;
use crate::cli::output::{self, Format};
use crate::cli::{CommandResult, Outcome};
use crate::diagnostic::Diagnostic;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Tell the health of a live object.
    Health(On),
    /// Show an object without the fields that the settings ignore.
    IgnoreDifferences(On),
}

/// An object, and the settings to judge it by.
#[derive(Args)]
pub(crate) struct On {
    /// File with one live object, YAML or JSON.
    object: PathBuf,
    /// File with the ConfigMap argocd-cm.
    #[arg(long)]
    argocd_cm_path: Option<PathBuf>,
    /// Form of the answer.
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
}

pub(crate) fn run(command: &Command) -> CommandResult {
    match command {
        Command::Health(on) => health(on),
        Command::IgnoreDifferences(on) => ignore_differences(on),
    }
}

fn health(on: &On) -> CommandResult {
    let overrides = argocd_cm::overrides(on.argocd_cm_path.as_deref())?;
    let object = output::read_document(&on.object)?;
    let found = health::assess(&object, &overrides, Timestamp::now()).map_err(|error| {
        Diagnostic::user("HealthCheckFailed", "cannot tell the health")
            .at(on.object.display().to_string())
            .because(&error)
    })?;
    let answer = match &found {
        Some(health) => json!({"status": health.status.as_str(), "message": health.message}),
        None => json!({"status": null}),
    };
    output::document(on.output, &answer, || match &found {
        Some(health) => format!("STATUS: {}\nMESSAGE: {}", health.status, health.message),
        None => "Health check is not defined for this kind".to_owned(),
    })?;
    Ok(Outcome::Success)
}

fn ignore_differences(on: &On) -> CommandResult {
    let overrides = argocd_cm::overrides(on.argocd_cm_path.as_deref())?;
    let mut object = output::read_document(&on.object)?;
    let ignore = Ignore::new(&[], &overrides).map_err(|error| {
        Diagnostic::user("IgnoreRuleInvalid", "cannot use the ignore rules").because(&error)
    })?;
    ignore.remove_from(&mut object);
    output::document(on.output, &object, || argosy_yaml::to_string(&object))?;
    Ok(Outcome::Success)
}
