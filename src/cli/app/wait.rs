//! `argosy app wait NAME…`.

use std::time::Duration;

use argosy_crds::Application;
use argosy_crds::codes::{HealthStatusCode, SyncStatusCode};
use clap::Parser;
use futures::{StreamExt as _, TryStreamExt as _};
use kube::Api;
use kube::runtime::{WatchStreamExt as _, watcher};

use super::{select, show};
use crate::cli::hub_access::HubArgs;
use crate::cli::{CommandResult, Outcome, output};
use crate::diagnostic::Diagnostic;

/// What "for ever" is: far enough for anybody, near enough for a timer.
const FOREVER: Duration = Duration::from_hours(24 * 365);

/// Waits until applications are in a state; without a flag, synced and healthy with no operation
/// under way.
#[derive(Parser)]
pub(crate) struct Args {
    /// The applications.
    names: Vec<String>,
    #[command(flatten)]
    hub: HubArgs,
    /// Wait for all applications with these labels.
    #[arg(short = 'l', long, conflicts_with = "names")]
    selector: Option<String>,
    #[command(flatten)]
    goal: Goal,
    /// Give up after so many seconds; 0 waits for ever.
    #[arg(long, default_value_t = 0)]
    timeout: u64,
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
    let api = args.hub.api().await?;
    let patience = match args.timeout {
        0 => Duration::MAX,
        seconds => Duration::from_secs(seconds),
    };
    for name in select(&api, args.names, args.selector).await? {
        let app = until(&api, &name, patience, "its state", |app| {
            args.goal.is_met(app)
        })
        .await?;
        output::line(format!(
            "{name} is {} and {}",
            show::sync(&app),
            show::health(&app)
        ));
    }
    Ok(Outcome::Success)
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
