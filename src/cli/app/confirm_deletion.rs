//! `argosy app confirm-deletion NAME…`.

use argosy_engine::object::names::DELETION_APPROVED;
use clap::Parser;
use jiff::Timestamp;
use kube::api::{Patch, PatchParams};
use serde_json::json;

use super::find;
use super::selection::Selection;
use crate::cli::hub_access::failed;
use crate::cli::{CommandResult, Outcome, output};

/// Confirms deletions that wait for a person: of objects that ask for it, and of many applications
/// that would go with another.
///
/// It is for what waits now: what an application deletes later asks again.
#[derive(Parser)]
#[command(after_help = "Example:\n  argosy app confirm-deletion web")]
pub(crate) struct Args {
    #[command(flatten)]
    selection: Selection,
}

pub(crate) async fn run(args: Args) -> CommandResult {
    let (api, names) = args.selection.resolve().await?;
    for name in names {
        find(&api, &name).await?;
        let now = format!("{:.0}", Timestamp::now());
        let patch = json!({"metadata": {"annotations": {DELETION_APPROVED: now}}});
        api.patch(&name, &PatchParams::default(), &Patch::Merge(patch))
            .await
            .map_err(|error| failed(format!("cannot confirm the deletions of `{name}`"), &error))?;
        output::line(format!("{name}: deletions are confirmed"));
    }
    Ok(Outcome::Success)
}
