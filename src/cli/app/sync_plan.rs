//! `argosy app sync-plan`: what a sync would do, in which order.

use std::path::PathBuf;
use std::sync::Arc;

use argosy_engine::sync::{
    DestinationNamespace, PlanInput, SyncOptions, SyncPlan, UnknownKinds, WellKnownKinds, check,
    offline_groups,
};
use argosy_facts::Observed;
use clap::ValueEnum;
use jiff::Timestamp;
use serde_json::Value;

use crate::cli::{CommandResult, Outcome, output};
use crate::diagnostic::{Diagnostic, Kind};

#[derive(clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct Args {
    /// Plan from files, with no hub and no cluster.
    #[arg(long, required = true)]
    offline: bool,
    /// The rendered manifests, hooks included.
    #[arg(long, value_name = "FILE")]
    manifests: PathBuf,
    /// The application's live objects; those that are not in the manifests are pruned.
    #[arg(long, value_name = "FILE")]
    live: Option<PathBuf>,
    /// Namespace for objects that name none.
    #[arg(long, value_name = "NAMESPACE")]
    dest_namespace: String,
    /// Resolved revision, for the names of hooks.
    #[arg(long, default_value = "")]
    revision: String,
    /// When the sync begins, for the names of hooks.
    #[arg(long, value_name = "RFC3339", default_value = "1970-01-01T00:00:00Z")]
    started_at: Timestamp,
    /// Leave hooks out.
    #[arg(long)]
    skip_hooks: bool,
    /// Prune after everything else.
    #[arg(long)]
    prune_last: bool,
    /// Create the destination's namespace.
    #[arg(long)]
    create_namespace: bool,
    /// Accept kinds that the cluster does not serve.
    #[arg(long)]
    skip_dry_run_on_missing_resource: bool,
    /// A kind that the cluster does not serve; may be repeated.
    #[arg(long = "missing-kind", value_name = "KIND")]
    missing_kinds: Vec<String>,
    /// Form of the answer.
    #[arg(long, short, value_enum, default_value_t)]
    output: Form,
}

/// How a plan can be shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Form {
    /// A list of groups.
    #[default]
    Tree,
    /// The groups as JSON.
    Json,
    /// The groups and the whole graph as JSON.
    Graph,
    /// Graphviz.
    Dot,
    /// A Mermaid flowchart.
    Mermaid,
}

pub(crate) fn run(args: &Args) -> CommandResult {
    let live = match &args.live {
        Some(path) => objects(path)?,
        None => Vec::new(),
    };
    let plan = SyncPlan::new(&PlanInput {
        desired: objects(&args.manifests)?,
        // The file is all there is to know offline, and all of it is the application's.
        live: &Observed::complete(live),
        owns: &|_| true,
        modified: None,
        namespace: &args.dest_namespace,
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
        revision: &args.revision,
        started_at: args.started_at,
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

fn print(plan: &SyncPlan, form: Form) -> String {
    match form {
        Form::Tree => plan.to_tree(),
        Form::Json => format!("{:#}", offline_groups(plan)),
        Form::Graph => format!("{:#}", plan.to_json()),
        Form::Dot => plan.to_dot(),
        Form::Mermaid => plan.to_mermaid(),
    }
}

fn objects(path: &std::path::Path) -> Result<Vec<Arc<Value>>, Diagnostic> {
    Ok(output::read_documents(path)?
        .into_iter()
        .map(Arc::new)
        .collect())
}
