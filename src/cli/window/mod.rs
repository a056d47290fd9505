//! `argosy window …`.

mod explain;
mod list;

use argosy_crds::AppProject;
use clap::Subcommand;
use kube::api::ListParams;

use super::hub_access::{HubArgs, absent, failed};
use super::{CommandResult, block_on};
use crate::diagnostic::Diagnostic;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Say whether an application may sync at a time, and which windows decide.
    Explain(explain::Args),
    /// List the sync windows of a project.
    List(list::Args),
}

pub(crate) fn run(command: Command) -> CommandResult {
    match command {
        Command::Explain(args) => block_on(explain::run(args)),
        Command::List(args) => block_on(list::run(args)),
    }
}

async fn project(hub: &HubArgs, name: &str) -> Result<AppProject, Diagnostic> {
    let api = hub.api::<AppProject>().await?;
    let found = api.get_opt(name).await;
    if let Some(project) = found.map_err(|error| failed("cannot read the project", &error))? {
        return Ok(project);
    }
    let all = api.list(&ListParams::default()).await;
    let all = all.map_err(|error| failed("cannot list projects", &error))?;
    let known: Vec<_> = all
        .items
        .into_iter()
        .filter_map(|project| project.metadata.name)
        .collect();
    Err(absent("project", name, &known).fix("list them with `kubectl get appprojects`"))
}
