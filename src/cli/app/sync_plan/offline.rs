//! `argosy app sync-plan --offline`: a plan from files.

use std::path::Path;
use std::sync::Arc;

use argosy_engine::sync::{
    DestinationNamespace, PlanInput, SyncOptions, SyncPlan, UnknownKinds, WellKnownKinds, check,
};
use argosy_facts::Observed;
use jiff::Timestamp;
use serde_json::Value;

use super::{Args, print};
use crate::cli::{CommandResult, Outcome, output};
use crate::diagnostic::{Diagnostic, Kind};

pub(super) fn run(args: &Args) -> CommandResult {
    let live = match &args.live {
        Some(path) => objects(path)?,
        None => Vec::new(),
    };
    let plan = SyncPlan::new(&PlanInput {
        desired: objects(args.manifests.as_deref().unwrap_or(Path::new("")))?,
        // The file is all there is to know offline, and all of it is the application's.
        live: &Observed::complete(live),
        owns: &|_| true,
        modified: None,
        namespace: args.dest_namespace.as_deref().unwrap_or_default(),
        kinds: &WellKnownKinds {
            missing: args.missing_kinds.clone(),
        },
        unknown_kinds: UnknownKinds::Refuse,
        destination: DestinationNamespace::default(),
        options: SyncOptions {
            prune_last: args.prune_last,
            create_namespace: args.create_namespace,
            skip_dry_run_on_missing_resource: args.skip_dry_run_on_missing_resource,
            ..SyncOptions::default()
        },
        prune: true,
        skip_hooks: args.skip_hooks,
        selected: Vec::new(),
        revision: args.revision.as_deref().unwrap_or_default(),
        started_at: args.started_at.unwrap_or(Timestamp::UNIX_EPOCH),
    })
    .map_err(|error| {
        Diagnostic::user("NoPlan", "these manifests cannot be synced").because(&error)
    })?;
    if let Some(flaw) = check(&plan).first() {
        return Err(
            Diagnostic::new(Kind::Internal, "PlanFlawed", "the plan contradicts itself")
                .because(flaw),
        );
    }
    output::line(print(&plan, args.output).trim_end_matches('\n'));
    Ok(Outcome::Success)
}

fn objects(path: &Path) -> Result<Vec<Arc<Value>>, Diagnostic> {
    Ok(output::read_documents(path)?
        .into_iter()
        .map(Arc::new)
        .collect())
}
