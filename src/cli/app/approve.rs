//! `argosy app approve NAME --plan HASH`.

use argosy_crds::codes::condition;
use argosy_crds::names;
use clap::Parser;
use kube::api::{Patch, PatchParams};
use serde_json::json;

use super::find;
use crate::cli::hub_access::{HubArgs, failed};
use crate::cli::{CommandResult, Outcome, output};
use crate::diagnostic::Diagnostic;

/// Approves a sync that would prune more than it may. The approval is for exactly what the plan
/// prunes, and void when that changes.
#[derive(Parser)]
#[command(after_help = "Example:\n  argosy app approve web --plan 6f1ed002ab559585")]
pub(crate) struct Args {
    /// The application.
    name: String,
    #[command(flatten)]
    hub: HubArgs,
    /// The plan, as the condition `ApprovalNeeded` names it.
    #[arg(long, value_name = "HASH")]
    plan: String,
}

pub(crate) async fn run(args: Args) -> CommandResult {
    let api = args.hub.api().await?;
    let app = find(&api, &args.name).await?;
    let mut conditions = app.status.iter().flat_map(|status| &status.conditions);
    let waiting = conditions.find(|one| one.type_ == condition::APPROVAL_NEEDED);
    match waiting {
        None => {
            let what = format!("no plan of `{}` waits for approval", args.name);
            return Err(Diagnostic::user("NothingToApprove", what));
        }
        Some(condition) if !is_of(&condition.message, &args.plan) => {
            let what = format!("another plan than {} waits for approval", args.plan);
            return Err(Diagnostic::user("PlanChanged", what).at(condition.message.clone()));
        }
        Some(_) => {}
    }
    let patch = json!({"metadata": {"annotations": {names::annotation::APPROVED_PLAN: args.plan}}});
    api.patch(&args.name, &PatchParams::default(), &Patch::Merge(patch))
        .await
        .map_err(|error| failed("cannot approve the plan", &error))?;
    output::line(format!("plan {} of `{}` is approved", args.plan, args.name));
    Ok(Outcome::Success)
}

/// Whether a condition asks for the approval of exactly this plan, which is its last word.
fn is_of(message: &str, plan: &str) -> bool {
    let last = message.rsplit(' ').next();
    last.is_some_and(|last| last.trim_end_matches('`') == plan)
}
