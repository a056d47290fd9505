//! `argosy app diff`: what a sync would change.

mod hub;
mod offline;

use std::path::PathBuf;

pub(crate) use hub::look_at;

use crate::cli::hub_access::HubArgs;
use crate::cli::output::Format;
use crate::cli::{CommandResult, block_on};

/// Shows what a sync would change. Exits with 1 if that is anything.
///
/// What cannot be compared, such as a kind that the cluster fails to list, is named on standard error
/// with the reason; then the exit code is 20, and what is shown of the rest is true all the same.
#[derive(clap::Args)]
#[command(after_help = "Example:
  argosy app diff web --local . --server-side")]
pub(crate) struct Args {
    /// The application.
    #[arg(required_unless_present = "offline")]
    name: Option<String>,
    #[command(flatten)]
    hub: HubArgs,
    /// Compare with this revision instead of the target revision.
    #[arg(long, conflicts_with_all = ["offline", "local"])]
    revision: Option<String>,
    /// Compare with this folder, which stands for the root of the application's repository.
    #[arg(long, value_name = "DIR", conflicts_with = "offline")]
    local: Option<PathBuf>,
    /// Have a dry run on the cluster decide about every object, not only about those that might differ.
    #[arg(long, visible_alias = "server-side-diff", conflicts_with = "offline")]
    server_side: bool,
    /// Exit with 0 even if there are differences.
    #[arg(long)]
    no_exit_code: bool,
    /// Compare one object from files, without a hub.
    #[arg(long)]
    offline: bool,
    /// File with the object as git has it; none if git has none.
    #[arg(long, requires = "offline")]
    desired: Option<PathBuf>,
    /// File with the object as the cluster has it; none if the cluster has none.
    #[arg(long, requires = "offline")]
    live: Option<PathBuf>,
    /// File with a list as in spec.ignoreDifferences.
    #[arg(long, requires = "offline")]
    ignore_differences: Option<PathBuf>,
    /// File with the ConfigMap argocd-cm.
    #[arg(long, requires = "offline")]
    argocd_cm_path: Option<PathBuf>,
    /// The form of the answer.
    #[arg(short, long, value_enum, value_name = "FORM", default_value_t)]
    output: Format,
}

pub(crate) fn run(args: &Args) -> CommandResult {
    match &args.name {
        Some(name) if !args.offline => block_on(hub::run(args, name)),
        _ => offline::run(args),
    }
}
