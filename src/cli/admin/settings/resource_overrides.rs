//! `argosy admin settings resource-overrides …`: what the settings for kinds make of one object.

use std::path::PathBuf;

use argosy_engine::actions::{self, Impact, Operation};
use argosy_engine::health;
use argosy_engine::ignore::Ignore;
use argosy_engine::object::ObjectExt as _;
use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde_json::json;

use crate::cli::argocd_cm;
use crate::cli::output::{self, Format};
use crate::cli::table::{plain_table, trimmed};
use crate::cli::{CommandResult, Outcome};
use crate::diagnostic::Diagnostic;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Tell the health of a live object.
    #[command(after_help = "Example:\n  argosy admin settings resource-overrides health web.yaml")]
    Health(On),
    /// Show an object without the fields that the settings ignore.
    #[command(
        after_help = "Example:\n  argosy admin settings resource-overrides ignore-differences web.yaml --argocd-cm-path argocd-cm.yaml"
    )]
    IgnoreDifferences(On),
    /// List the actions that a live object offers.
    #[command(
        after_help = "Example:\n  argosy admin settings resource-overrides list-actions web.yaml"
    )]
    ListActions(On),
    /// Show what an action would make of a live object.
    #[command(
        after_help = "Example:\n  argosy admin settings resource-overrides run-action web.yaml scale --param replicas=3"
    )]
    RunAction(RunAction),
}

/// An action on an object.
#[derive(Args)]
pub(crate) struct RunAction {
    #[command(flatten)]
    on: On,
    /// The action.
    action: String,
    /// A parameter of the action; may be repeated.
    #[arg(long, value_name = "NAME=VALUE", value_parser = crate::cli::app::parameter)]
    param: Vec<(String, String)>,
}

/// An object, and the settings to judge it by.
#[derive(Args)]
pub(crate) struct On {
    /// File with one live object, YAML or JSON.
    object: PathBuf,
    /// File with the ConfigMap argocd-cm.
    #[arg(long)]
    argocd_cm_path: Option<PathBuf>,
    /// The form of the answer.
    #[arg(short, long, value_enum, value_name = "FORM", default_value_t)]
    output: Format,
}

pub(crate) fn run(command: &Command) -> CommandResult {
    match command {
        Command::Health(on) => health(on),
        Command::IgnoreDifferences(on) => ignore_differences(on),
        Command::ListActions(on) => list_actions(on),
        Command::RunAction(args) => run_action(args),
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
    let ignored = Ignore::new(&[], &overrides).checked();
    ignored
        .and_then(|ignore| ignore.remove_from(&mut object))
        .map_err(|error| argocd_cm::unusable_rule(&error))?;
    output::document(on.output, &object, || argosy_yaml::to_string(&object))?;
    Ok(Outcome::Success)
}

fn list_actions(on: &On) -> CommandResult {
    let overrides = argocd_cm::overrides(on.argocd_cm_path.as_deref())?;
    let object = output::read_document(&on.object)?;
    let offered = actions::list(&object, &overrides, Timestamp::now()).map_err(|error| {
        Diagnostic::user("ActionDiscoveryFailed", "cannot list the actions")
            .at(on.object.display().to_string())
            .because(&error)
    })?;
    output::document(on.output, &offered, || {
        if offered.is_empty() {
            return "There are no actions for this kind".to_owned();
        }
        let mut table = plain_table();
        table.set_header(["NAME", "DISABLED"]);
        for action in &offered {
            table.add_row([action.name.clone(), action.disabled.to_string()]);
        }
        trimmed(&table)
    })?;
    Ok(Outcome::Success)
}

fn run_action(args: &RunAction) -> CommandResult {
    let on = &args.on;
    let overrides = argocd_cm::overrides(on.argocd_cm_path.as_deref())?;
    let object = output::read_document(&on.object)?;
    let parameters = args.param.iter().cloned().collect();
    let impacts = actions::run(
        &object,
        &args.action,
        &parameters,
        &overrides,
        Timestamp::now(),
    )
    .map_err(|error| {
        Diagnostic::user("ActionFailed", "cannot run the action")
            .at(on.object.display().to_string())
            .because(&error)
    })?;
    output::document(on.output, &impacts, || {
        let texts: Vec<_> = impacts.iter().map(|one| impact(&object, one)).collect();
        texts.join("\n")
    })?;
    Ok(Outcome::Success)
}

/// What happens to one object, for a person: a new one whole, a changed one as a merge patch.
fn impact(object: &serde_json::Value, impact: &Impact) -> String {
    let is_itself = impact.resource.resource_key() == object.resource_key();
    match impact.operation {
        Operation::Patch if is_itself => match actions::merge_patch(object, &impact.resource) {
            Some(patch) => format!(
                "The object would be patched with:\n\n{}",
                argosy_yaml::to_string(&patch)
            ),
            None => "The object would not be changed".to_owned(),
        },
        Operation::Patch => {
            format!(
                "An object would be made to be:\n\n{}",
                argosy_yaml::to_string(&impact.resource)
            )
        }
        Operation::Create => {
            format!(
                "An object would be created:\n\n{}",
                argosy_yaml::to_string(&impact.resource)
            )
        }
    }
}
