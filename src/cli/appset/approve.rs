//! `argosy appset approve NAME --plan HASH`.

use argosy_crds::{ApplicationSet, names};
use argosy_generators::approval::{waiting, waits_for};
use clap::Parser;
use kube::api::{Patch, PatchParams};
use serde_json::json;

use super::find::find;
use crate::cli::hub_access::{HubArgs, failed};
use crate::cli::{CommandResult, Outcome, output};
use crate::diagnostic::Diagnostic;

/// Approves a plan that waits. The approval is for exactly that plan, and void when it changes.
#[derive(Parser)]
#[command(after_help = "Example:\n  argosy appset approve fleet --plan 6f1ed002ab559585")]
pub(crate) struct Args {
    /// The ApplicationSet.
    name: String,
    #[command(flatten)]
    hub: HubArgs,
    /// The plan, as the condition `ApprovalNeeded` names it.
    #[arg(long, value_name = "HASH")]
    plan: String,
}

pub(crate) async fn run(args: Args) -> CommandResult {
    let api = args.hub.api::<ApplicationSet>().await?;
    let set = find(&api, &args.name).await?;
    let Some(waiting) = waiting(&set) else {
        let what = format!("no plan of `{}` waits for approval", args.name);
        return Err(Diagnostic::user("NothingToApprove", what));
    };
    if !waits_for(&set, &args.plan) {
        let what = format!("another plan than {} waits for approval", args.plan);
        return Err(Diagnostic::user("PlanChanged", what).at(waiting.message.clone()));
    }
    let patch = json!({"metadata": {"annotations": {names::annotation::APPROVED_PLAN: args.plan}}});
    api.patch(&args.name, &PatchParams::default(), &Patch::Merge(patch))
        .await
        .map_err(|error| failed("cannot approve the plan", &error))?;
    output::line(format!("plan {} of `{}` is approved", args.plan, args.name));
    Ok(Outcome::Success)
}
