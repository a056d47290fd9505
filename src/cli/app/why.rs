//! `argosy app why NAME`.

use std::fmt::Write as _;

use argosy_engine::why::{Circumstances, Reason, reasons};
use argosy_engine::windows::Windows;
use clap::Parser;

use super::show;
use crate::cli::hub_access::{HubArgs, absent};
use crate::cli::output::{self, Format};
use crate::cli::{CommandResult, Outcome};
use crate::diagnostic::Diagnostic;
use crate::fleet::{ObjectName, owner_set};
use crate::hub::Hub;

/// Says why an application does not sync now, and what would release it: dependencies with all
/// that is behind them, sync windows, approvals, retries, errors.
#[derive(Parser)]
#[command(after_help = "Example:\n  argosy app why web\n  argosy app why web -o json")]
pub(crate) struct Args {
    /// The application, as NAME or NAMESPACE/NAME.
    name: String,
    #[command(flatten)]
    hub: HubArgs,
    /// The form of the answer.
    #[arg(short, long, value_enum, value_name = "FORM", default_value_t)]
    output: Format,
}

pub(crate) async fn run(args: Args) -> CommandResult {
    let hub = Hub::look(args.hub.client().await?, &args.hub.namespace).await?;
    let name = match args.name.split_once('/') {
        Some((namespace, name)) => ObjectName::new(namespace, name),
        None => ObjectName::new(&args.hub.namespace, &args.name),
    };
    let graph = hub.fleet.graph();
    let index = hub.fleet.index();
    let Some(application) = index.applications.read(&name) else {
        let known: Vec<_> = index
            .applications
            .names()
            .map(|one| one.name.clone())
            .collect();
        return Err(absent("app", &args.name, &known));
    };
    let project = ObjectName::new(&args.hub.namespace, application.spec.project_or_default());
    let windows = index.projects.read(&project);
    let windows = windows.map_or(&[][..], |project| &project.spec.sync_windows);
    let windows = Windows::of(application, windows).map_err(|error| {
        let what = format!(
            "the sync windows of project `{}` cannot be read",
            project.name
        );
        Diagnostic::user("WindowsMalformed", what).because(&error)
    })?;
    let set = owner_set(application);
    let found = reasons(Circumstances {
        application,
        set: set
            .and_then(|set| index.application_sets.read(&set))
            .map(AsRef::as_ref),
        graph: &graph,
        windows: &windows,
        now: hub.clock.now(),
    });
    output::document(args.output, &found, || {
        let state = format!(
            "{name} is {} and {}",
            show::sync(application),
            show::health(application)
        );
        text(&state, &found)
    })?;
    Ok(Outcome::Success)
}

fn text(state: &str, found: &[Reason]) -> String {
    if found.is_empty() {
        return format!("{state}; nothing holds it back");
    }
    let mut text = format!("{state}\n");
    write_reasons(&mut text, found, 0);
    text
}

fn write_reasons(text: &mut String, reasons: &[Reason], depth: usize) {
    let indent = "  ".repeat(depth);
    for reason in reasons {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{indent}- {}", reason.reason);
        if !reason.released.is_empty() {
            let _ = writeln!(text, "{indent}  released: {}", reason.released);
        }
        write_reasons(text, &reason.because, depth + 1);
    }
}
