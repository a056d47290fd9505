//! `argosy window explain NAME`.

use argosy_crds::Application;
use argosy_engine::windows::{Attempt, Windows, explain};
use clap::Parser;
use jiff::Timestamp;
use serde_json::json;

use super::project;
use crate::cli::app::find;
use crate::cli::hub_access::HubArgs;
use crate::cli::{CommandResult, Outcome, output};
use crate::clock::Clock;
use crate::diagnostic::Diagnostic;

/// Says whether an application may sync at a time, and which windows decide. The exit status is 1
/// if it may not.
#[derive(Parser)]
#[command(after_help = "Example:\n  argosy window explain web --at 2026-12-24T22:00:00Z --manual")]
pub(crate) struct Args {
    /// The application.
    name: String,
    #[command(flatten)]
    hub: HubArgs,
    /// The time [default: now].
    #[arg(long, value_name = "RFC3339")]
    at: Option<Timestamp>,
    /// For a sync that a person asks for, instead of an automated one.
    #[arg(long)]
    manual: bool,
    /// The form of the answer.
    #[arg(short, long, value_enum, value_name = "FORM", default_value_t)]
    output: output::Format,
}

pub(crate) async fn run(args: Args) -> CommandResult {
    let app = find(&args.hub.api::<Application>().await?, &args.name).await?;
    let project = project(&args.hub, app.spec.project_or_default()).await?;
    let windows = Windows::of(&app, &project.spec.sync_windows).map_err(|error| {
        let what = format!(
            "the sync windows of project `{}` cannot be read, so that nothing may sync",
            app.spec.project_or_default()
        );
        Diagnostic::user("WindowsMalformed", what).because(&error)
    })?;
    let at = args.at.unwrap_or_else(|| Clock::system().now());
    let attempt = Attempt {
        manual: args.manual,
        started_at: None,
    };
    let may_sync = windows.verdict(attempt, at).may_sync();
    let why = explain(&windows, attempt, at);
    let answer = json!({"application": args.name, "at": at, "maySync": may_sync, "why": why});
    output::document(args.output, &answer, || why.join("\n"))?;
    Ok(if may_sync {
        Outcome::Success
    } else {
        Outcome::Negative
    })
}
