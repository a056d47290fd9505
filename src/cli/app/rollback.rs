//! `argosy app rollback NAME [ID]`.

use argosy_crds::application::SyncPolicy;
use argosy_crds::names;
use argosy_engine::operation::{Pin, rollback};
use clap::Parser;
use kube::api::{Patch, PatchParams};
use serde_json::json;

use super::find;
use crate::cli::hub_access::{HubArgs, failed};
use crate::cli::{CommandResult, Outcome, output};
use crate::diagnostic::Diagnostic;

/// Brings an earlier deployment back. With automated sync on, the deployment is pinned, drift is
/// healed towards it, and the newest revision is refused until a commit renders something else.
#[derive(Parser)]
#[command(after_help = "Examples:
  argosy app rollback web             to the last deployment of another revision
  argosy app rollback web 3           to deployment 3 of `argosy app history web`
  argosy app rollback web --resume    end the rollback, and sync the newest revision")]
pub(crate) struct Args {
    /// The application.
    name: String,
    /// The deployment [default: the last one of another revision than the newest].
    id: Option<i64>,
    #[command(flatten)]
    hub: HubArgs,
    /// Delete what the deployment did not have, where automated sync is off.
    #[arg(long)]
    prune: bool,
    /// Change nothing; only say what would be done, where automated sync is off.
    #[arg(long)]
    dry_run: bool,
    /// End a rollback.
    #[arg(long, conflicts_with_all = ["id", "prune", "dry_run"])]
    resume: bool,
}

pub(crate) async fn run(args: Args) -> CommandResult {
    let api = args.hub.api().await?;
    let app = find(&api, &args.name).await?;
    let refuse = |error: &(dyn std::error::Error + 'static)| {
        Diagnostic::user("NoRollback", format!("cannot roll `{}` back", args.name))
            .because(error)
            .fix(format!("see `argosy app history {}`", args.name))
    };
    let policy = app.spec.sync_policy.as_ref();
    let is_automated = policy.is_some_and(SyncPolicy::is_automated);
    let version = &app.metadata.resource_version;
    let (patch, done) = if args.resume {
        let patch = json!({"metadata": {"annotations": {names::annotation::ROLLBACK: null}}});
        (patch, "goes on with the newest revision".to_owned())
    } else {
        let by = std::env::var("USER").unwrap_or_else(|_| "argosy".to_owned());
        let pin = Pin::to(&app, args.id, &by).map_err(|error| refuse(&error))?;
        let done = format!(
            "goes back to deployment {} ({})",
            pin.id,
            pin.revisions.join(", ")
        );
        let patch = if is_automated {
            let text = serde_json::to_string(&pin).map_err(|error| refuse(&error))?;
            json!({"metadata": {"resourceVersion": version,
                                "annotations": {names::annotation::ROLLBACK: text}}})
        } else {
            let operation = rollback(&app, pin.id, args.prune, args.dry_run);
            let operation = operation.map_err(|error| refuse(&error))?;
            json!({"metadata": {"resourceVersion": version}, "operation": operation})
        };
        (patch, done)
    };
    api.patch(&args.name, &PatchParams::default(), &Patch::Merge(patch))
        .await
        .map_err(|error| failed(format!("cannot roll `{}` back", args.name), &error))?;
    output::line(format!("{} {done}", args.name));
    Ok(Outcome::Success)
}
