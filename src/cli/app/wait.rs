//! `argosy app wait NAME…`.

use std::time::Duration;

use argosy_crds::Application;
use argosy_crds::codes::{HealthStatusCode, SyncStatusCode};
use clap::Parser;
use futures::{StreamExt as _, TryStreamExt as _};
use kube::Api;
use kube::runtime::{WatchStreamExt as _, watcher};

use super::found::Found;
use super::selection::Selection;
use super::show;
use crate::cli::output::{self, Format};
use crate::cli::{CommandResult, Outcome};
use crate::diagnostic::Diagnostic;

/// What "for ever" is: far enough for anybody, near enough for a timer.
const FOREVER: Duration = Duration::from_hours(24 * 365);

/// Waits until applications are in a state; without a flag, synced and healthy with no operation
/// under way.
#[derive(Parser)]
#[command(after_help = "Examples:
  argosy app wait web --timeout 300
  argosy app wait -l team=web --health")]
pub(crate) struct Args {
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    goal: Goal,
    /// Give up after so many seconds; 0 waits for ever.
    #[arg(long, default_value_t = 0)]
    timeout: u64,
    /// The form of the answer.
    #[arg(short, long, value_enum, value_name = "FORM", default_value_t)]
    output: Format,
}

/// What is waited for.
#[derive(clap::Args, Clone, Copy, Debug)]
pub(crate) struct Goal {
    /// Wait until it is in sync.
    #[arg(long)]
    sync: bool,
    /// Wait until it is healthy.
    #[arg(long)]
    health: bool,
    /// Wait until its operation has ended.
    #[arg(long)]
    operation: bool,
}

impl Goal {
    fn is_met(self, app: &Application) -> bool {
        let all = !(self.sync || self.health || self.operation);
        let status = app.status.as_ref();
        let synced = status.is_some_and(|status| status.sync.status == SyncStatusCode::Synced);
        let healthy =
            status.is_some_and(|status| status.health.status == Some(HealthStatusCode::Healthy));
        let idle = app.operation.is_none()
            && status
                .and_then(|status| status.operation_state.as_ref())
                .is_none_or(|state| state.phase.is_completed());
        (!(self.sync || all) || synced)
            && (!(self.health || all) || healthy)
            && (!(self.operation || all) || idle)
    }
}

pub(crate) async fn run(args: Args) -> CommandResult {
    let (api, names) = args.selection.resolve().await?;
    let patience = patience(args.timeout);
    let mut found = Found::new(args.output);
    for name in names {
        let app = until(&api, &name, patience, "its state", |app| {
            args.goal.is_met(app)
        })
        .await?;
        found.add(app, |app| output::line(show::verdict(app)));
    }
    found.finish()?;
    Ok(Outcome::Success)
}

/// How long to wait where the command line says so many seconds.
pub(super) fn patience(seconds: u64) -> Duration {
    match seconds {
        0 => Duration::MAX,
        seconds => Duration::from_secs(seconds),
    }
}

/// Waits until the application meets `goal`, and returns it then.
pub(crate) async fn until(
    api: &Api<Application>,
    name: &str,
    patience: Duration,
    what: &str,
    goal: impl Fn(&Application) -> bool,
) -> Result<Application, Diagnostic> {
    let config = watcher::Config::default().fields(&format!("metadata.name={name}"));
    let events = watcher(api.clone(), config)
        .default_backoff()
        .applied_objects();
    let mut events = events.boxed();
    let mut last = None;
    let meeting = async {
        loop {
            match events.try_next().await {
                Ok(Some(app)) if goal(&app) => return app,
                Ok(Some(app)) => last = Some(app),
                // The stream of a watcher does not end, and its errors are retried by it.
                Ok(None) | Err(_) => {}
            }
        }
    };
    match tokio::time::timeout(patience.min(FOREVER), meeting).await {
        Ok(app) => Ok(app),
        Err(_) => Err(late(name, patience, what, last.as_ref())),
    }
}

fn late(name: &str, patience: Duration, what: &str, last: Option<&Application>) -> Diagnostic {
    let waited = format!("waited {} s for {what} of `{name}`", patience.as_secs());
    let diagnostic = Diagnostic::remote("WaitTimedOut", waited);
    match last {
        Some(app) => {
            let operation = app
                .status
                .as_ref()
                .and_then(|status| status.operation_state.as_ref());
            let operation = operation.map(|state| format!("; {} {}", state.phase, state.message));
            diagnostic.at(format!(
                "it is {} and {}{}",
                show::sync(app),
                show::health(app),
                operation.unwrap_or_default()
            ))
        }
        None => diagnostic.fix("is the hub running? it has not shown the application at all"),
    }
}
