//! `argosy app sync-plan NAME`: the plan that the hub would carry out now.
//!
//! The command reads what the hub reads, with the hub's own code, and writes nothing.

use super::{Args, print};
use crate::cli::app::diff::look_at;
use crate::cli::{CommandResult, Outcome, output};
use crate::controller::application::{Against, Wanted, sync_plan};
use crate::diagnostic::Diagnostic;

pub(super) async fn run(args: &Args, name: &str) -> CommandResult {
    let (hub, application) = look_at(&args.hub, name).await?;
    let against = Against {
        revision: args.revision.clone(),
        local: args.local.clone(),
        server_side: false,
    };
    let wanted = Wanted {
        prune: args.prune,
        skip_hooks: args.skip_hooks,
    };
    let plan = sync_plan(&hub, &application, &against, wanted);
    let plan = plan.await.map_err(|why| {
        Diagnostic::remote("NoPlan", format!("`{name}` cannot be synced as it is"))
            .because(&std::io::Error::other(why))
    })?;
    output::line(print(&plan, args.output).trim_end_matches('\n'));
    Ok(Outcome::Success)
}
