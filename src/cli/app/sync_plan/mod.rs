//! `argosy app sync-plan`: what a sync would do, in which order.

mod hub;
mod offline;

use std::path::PathBuf;

use argosy_engine::sync::{SyncPlan, offline_groups};
use clap::ValueEnum;
use jiff::Timestamp;

use crate::cli::hub_access::HubArgs;
use crate::cli::{CommandResult, block_on};

/// Shows what a sync would do and in which order: phases, waves, hooks, prunes, and what each waits
/// for. Nothing is changed.
#[derive(clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[command(
    after_help = "Example:\n  argosy app sync-plan web\n  argosy app sync-plan web --revision v2 --prune -o dot | dot -Tsvg > plan.svg"
)]
pub(crate) struct Args {
    /// The application.
    #[arg(required_unless_present = "offline")]
    name: Option<String>,
    #[command(flatten)]
    hub: HubArgs,
    /// Plan a sync of this revision instead of the target revision.
    #[arg(long)]
    revision: Option<String>,
    /// Plan a sync of this folder, which stands for the root of the application's repository.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["offline", "revision"])]
    local: Option<PathBuf>,
    /// Prune, although the application does not do so by itself.
    #[arg(long, conflicts_with = "offline")]
    prune: bool,
    /// Leave hooks out.
    #[arg(long)]
    skip_hooks: bool,
    /// Plan from files, with no hub and no cluster.
    #[arg(long)]
    offline: bool,
    /// The rendered manifests, hooks included.
    #[arg(
        long,
        value_name = "FILE",
        requires = "offline",
        required_if_eq("offline", "true")
    )]
    manifests: Option<PathBuf>,
    /// The application's live objects; those that are not in the manifests are pruned.
    #[arg(long, value_name = "FILE", requires = "offline")]
    live: Option<PathBuf>,
    /// Namespace for objects that name none.
    #[arg(
        long,
        value_name = "NAMESPACE",
        requires = "offline",
        required_if_eq("offline", "true")
    )]
    dest_namespace: Option<String>,
    /// When the sync begins, for the names of hooks.
    #[arg(long, value_name = "RFC3339", requires = "offline")]
    started_at: Option<Timestamp>,
    /// Prune after everything else.
    #[arg(long, requires = "offline")]
    prune_last: bool,
    /// Create the destination's namespace.
    #[arg(long, requires = "offline")]
    create_namespace: bool,
    /// Accept kinds that the cluster does not serve.
    #[arg(long, requires = "offline")]
    skip_dry_run_on_missing_resource: bool,
    /// A kind that the cluster does not serve; may be repeated.
    #[arg(long = "missing-kind", value_name = "KIND", requires = "offline")]
    missing_kinds: Vec<String>,
    /// The form of the answer.
    #[arg(short, long, value_enum, value_name = "FORM", default_value_t)]
    output: Form,
}

/// How a plan can be shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Form {
    /// A list of groups.
    #[default]
    #[value(aliases = ["text", "table"])]
    Tree,
    /// The groups as JSON.
    Json,
    /// The groups as YAML.
    Yaml,
    /// The groups and the whole graph as JSON.
    Graph,
    /// Graphviz.
    Dot,
    /// A Mermaid flowchart.
    Mermaid,
}

pub(crate) fn run(args: &Args) -> CommandResult {
    match &args.name {
        Some(name) if !args.offline => block_on(hub::run(args, name)),
        _ => offline::run(args),
    }
}

fn print(plan: &SyncPlan, form: Form) -> String {
    match form {
        Form::Tree => plan.to_tree(),
        Form::Json => format!("{:#}", offline_groups(plan)),
        Form::Yaml => argosy_yaml::to_string(&offline_groups(plan)),
        Form::Graph => format!("{:#}", plan.to_json()),
        Form::Dot => plan.to_dot(),
        Form::Mermaid => plan.to_mermaid(),
    }
}
