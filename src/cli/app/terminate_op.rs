//! `argosy app terminate-op NAME`.

use std::time::Duration;

use argosy_crds::Application;
use argosy_crds::codes::OperationPhase;
use clap::Parser;
use kube::api::{Patch, PatchParams};
use serde_json::json;

use super::{find, wait};
use crate::cli::hub_access::{HubArgs, failed};
use crate::cli::{CommandResult, Outcome, output};
use crate::diagnostic::Diagnostic;

/// How long the hub may take to end an operation.
const PATIENCE: Duration = Duration::from_secs(30);

/// Ends the operation of an application, whatever it waits for, and deletes its running hooks.
#[derive(Parser)]
#[command(after_help = "Example:\n  argosy app terminate-op web")]
pub(crate) struct Args {
    /// The application.
    name: String,
    #[command(flatten)]
    hub: HubArgs,
}

pub(crate) async fn run(args: Args) -> CommandResult {
    let api = args.hub.api().await?;
    let app = find(&api, &args.name).await?;
    if is_idle(&app) {
        let what = format!("`{}` has no operation under way", args.name);
        return Err(Diagnostic::user("NoOperation", what));
    }
    // The version makes sure that the operation that was seen is the one that ends.
    let patch = json!({
        "metadata": {"resourceVersion": app.metadata.resource_version},
        "status": {"operationState": {"phase": OperationPhase::Terminating}},
    });
    api.patch(&args.name, &PatchParams::default(), &Patch::Merge(patch))
        .await
        .map_err(|error| {
            failed(
                format!("cannot end the operation of `{}`", args.name),
                &error,
            )
        })?;
    let app = wait::until(
        &api,
        &args.name,
        PATIENCE,
        "the end of the operation",
        is_idle,
    )
    .await?;
    let state = app.status.and_then(|status| status.operation_state);
    let message = state.map(|state| state.message).unwrap_or_default();
    output::line(format!("{}: {message}", args.name));
    Ok(Outcome::Success)
}

fn is_idle(app: &Application) -> bool {
    let status = app.status.as_ref();
    let state = status.and_then(|status| status.operation_state.as_ref());
    state.is_none_or(|state| state.phase.is_completed())
}
