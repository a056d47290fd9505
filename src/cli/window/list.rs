//! `argosy window list PROJECT`.

use argosy_crds::app_project::SyncWindow;
use argosy_engine::windows::Window;
use clap::Parser;

use super::project;
use crate::cli::hub_access::HubArgs;
use crate::cli::table::{Column, ListFormat, Listing};
use crate::cli::{CommandResult, Outcome};
use crate::clock::Clock;

/// Lists the sync windows of a project.
#[derive(Parser)]
#[command(after_help = "Example:\n  argosy window list default")]
pub(crate) struct Args {
    /// The project.
    project: String,
    #[command(flatten)]
    hub: HubArgs,
    /// The form of the answer.
    #[arg(short, long, value_enum, value_name = "FORM", default_value_t)]
    output: ListFormat,
}

pub(crate) async fn run(args: Args) -> CommandResult {
    let project = project(&args.hub, &args.project).await?;
    Listing {
        items: &project.spec.sync_windows,
        resource: "window",
        name: |window| window.schedule.clone(),
        columns: &COLUMNS,
    }
    .print(args.output)?;
    Ok(Outcome::Success)
}

const COLUMNS: [Column<SyncWindow>; 10] = [
    column("STATUS", status),
    column("KIND", |window| window.kind.clone()),
    column("SCHEDULE", |window| window.schedule.clone()),
    column("DURATION", |window| window.duration.clone()),
    column("TIMEZONE", |window| match window.time_zone.as_str() {
        "" => "UTC".to_owned(),
        zone => zone.to_owned(),
    }),
    column("APPLICATIONS", |window| listed(&window.applications)),
    column("NAMESPACES", |window| listed(&window.namespaces)),
    column("CLUSTERS", |window| listed(&window.clusters)),
    column("MANUALSYNC", |window| enabled(window.manual_sync)),
    column("SYNCOVERRUN", |window| enabled(window.sync_overrun)),
];

const fn column(heading: &'static str, cell: fn(&SyncWindow) -> String) -> Column<SyncWindow> {
    Column {
        heading,
        wide: false,
        cell,
    }
}

fn status(window: &SyncWindow) -> String {
    match Window::parse(window) {
        Ok(parsed) if parsed.is_active(Clock::system().now()) => "Active".to_owned(),
        Ok(_) => "Inactive".to_owned(),
        Err(error) => format!("Malformed ({error})"),
    }
}

fn listed(items: &[String]) -> String {
    if items.is_empty() {
        "-".to_owned()
    } else {
        items.join(",")
    }
}

fn enabled(flag: bool) -> String {
    if flag { "Enabled" } else { "Disabled" }.to_owned()
}
