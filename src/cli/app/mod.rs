//! `argosy app …`.

mod actions;
mod approve;
mod confirm_deletion;
mod delete;
mod diff;
mod found;
mod get;
mod history;
mod list;
mod manifests;
mod pause;
mod refresh;
mod resources;
mod rollback;
mod selection;
mod show;
mod sync;
mod sync_plan;
mod terminate_op;
mod wait;
mod why;

pub(super) use show::short;

use argosy_crds::Application;
use clap::Subcommand;
use kube::Api;
use kube::api::ListParams;

use super::hub_access::{absent, failed};
use super::{CommandResult, block_on};
use crate::diagnostic::Diagnostic;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// List applications.
    List(list::Args),
    Diff(diff::Args),
    /// Show one application.
    Get(get::Args),
    /// Sync applications.
    Sync(sync::Args),
    SyncPlan(sync_plan::Args),
    /// List the deployments of an application.
    History(history::Args),
    /// Bring an earlier deployment back.
    Rollback(rollback::Args),
    /// End the operation of an application.
    TerminateOp(terminate_op::Args),
    /// Approve a sync that waits.
    Approve(approve::Args),
    ConfirmDeletion(confirm_deletion::Args),
    /// Delete applications.
    Delete(delete::Args),
    /// Wait until applications are in a state.
    Wait(wait::Args),
    Manifests(manifests::Args),
    Pause(pause::PauseArgs),
    /// Say why an application does not sync.
    Why(why::Args),
    /// Have the hub look at an application anew.
    Refresh(refresh::Args),
    Resume(pause::ResumeArgs),
    Resources(resources::Args),
    /// List the actions that an application's objects offer, and run one.
    #[command(subcommand)]
    Actions(actions::Command),
}

pub(crate) fn run(command: Command) -> CommandResult {
    match command {
        Command::List(args) => block_on(list::run(args)),
        Command::Diff(args) => diff::run(&args),
        Command::Get(args) => block_on(get::run(args)),
        Command::Sync(args) => block_on(sync::run(args)),
        Command::SyncPlan(args) => sync_plan::run(&args),
        Command::History(args) => block_on(history::run(args)),
        Command::Rollback(args) => block_on(rollback::run(args)),
        Command::TerminateOp(args) => block_on(terminate_op::run(args)),
        Command::Approve(args) => block_on(approve::run(args)),
        Command::ConfirmDeletion(args) => block_on(confirm_deletion::run(args)),
        Command::Delete(args) => block_on(delete::run(args)),
        Command::Wait(args) => block_on(wait::run(args)),
        Command::Manifests(args) => manifests::run(&args),
        Command::Pause(args) => block_on(pause::pause(args)),
        Command::Why(args) => block_on(why::run(args)),
        Command::Refresh(args) => block_on(refresh::run(args)),
        Command::Resume(args) => block_on(pause::resume(args)),
        Command::Resources(args) => block_on(resources::run(args)),
        Command::Actions(command) => block_on(actions::run(command)),
    }
}

/// A parameter as the command line has it.
pub(crate) fn parameter(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// One application, or which one may have been meant.
pub(crate) async fn find(api: &Api<Application>, name: &str) -> Result<Application, Diagnostic> {
    let found = api.get_opt(name).await;
    match found.map_err(|error| failed(format!("cannot read the application `{name}`"), &error))? {
        Some(app) => Ok(app),
        None => Err(absent("app", name, &names(api, None).await?)),
    }
}

async fn names(
    api: &Api<Application>,
    selector: Option<String>,
) -> Result<Vec<String>, Diagnostic> {
    let params = ListParams {
        label_selector: selector,
        ..ListParams::default()
    };
    let list = api
        .list(&params)
        .await
        .map_err(|error| failed("cannot list applications", &error))?;
    Ok(list.items.iter().map(show::name).collect())
}
