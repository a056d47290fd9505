//! `argosy app refresh NAME`.

use std::time::Duration;

use argosy_crds::{Application, names};
use clap::Parser;
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::json;

use super::{find, show, wait};
use crate::cli::hub_access::{HubArgs, failed};
use crate::cli::{CommandResult, Outcome, output};
use crate::diagnostic::Diagnostic;

/// How long the hub may take to take the request up.
const PATIENCE: Duration = Duration::from_mins(1);

/// Has the hub look at an application anew.
#[derive(Parser)]
#[command(after_help = "Example:
  argosy app refresh web")]
pub(crate) struct Args {
    /// The application.
    name: String,
    #[command(flatten)]
    hub: HubArgs,
    /// Render its manifests anew, too.
    #[arg(long)]
    hard: bool,
    /// The form of the answer.
    #[arg(short, long, value_enum, value_name = "FORM", default_value_t)]
    output: output::Format,
}

pub(crate) async fn run(args: Args) -> CommandResult {
    let api = args.hub.api().await?;
    refresh(&api, &args.name, args.hard).await?;
    let app = find(&api, &args.name).await?;
    output::document(args.output, &app, || show::verdict(&app))?;
    Ok(Outcome::Success)
}

/// Asks for a refresh and waits until the hub has done it.
pub(crate) async fn refresh(
    api: &Api<Application>,
    name: &str,
    hard: bool,
) -> Result<(), Diagnostic> {
    find(api, name).await?;
    let kind = if hard { "hard" } else { "normal" };
    let patch = json!({"metadata": {"annotations": {names::annotation::REFRESH: kind}}});
    api.patch(name, &PatchParams::default(), &Patch::Merge(patch))
        .await
        .map_err(|error| failed("cannot ask for a refresh", &error))?;
    wait::until(api, name, PATIENCE, "a refresh", |app| {
        app.annotation(names::annotation::REFRESH).is_none()
    })
    .await
    .map(drop)
}
