//! `argosy app history NAME`.

use argosy_crds::application::RevisionHistory;
use clap::Parser;

use super::{find, show};
use crate::cli::hub_access::HubArgs;
use crate::cli::table::{Column, ListFormat, Listing};
use crate::cli::{CommandResult, Outcome};

/// Lists the deployments of an application, the oldest first.
#[derive(Parser)]
#[command(after_help = "Example:\n  argosy app history web")]
pub(crate) struct Args {
    /// The application.
    name: String,
    #[command(flatten)]
    hub: HubArgs,
    /// The form of the answer.
    #[arg(short, long, value_enum, value_name = "FORM", default_value_t)]
    output: ListFormat,
}

pub(crate) async fn run(args: Args) -> CommandResult {
    let app = find(&args.hub.api().await?, &args.name).await?;
    let history = app.status.map(|status| status.history).unwrap_or_default();
    Listing {
        items: &history,
        resource: "deployment",
        name: |entry| entry.id.to_string(),
        columns: &COLUMNS,
    }
    .print(args.output)?;
    Ok(Outcome::Success)
}

const COLUMNS: [Column<RevisionHistory>; 5] = [
    column("ID", |entry| entry.id.to_string()),
    column("DEPLOYED", |entry| {
        let at = entry.deployed_at.as_ref();
        at.map_or_else(String::new, |at| format!("{:.0}", at.0))
    }),
    column("REVISION", |entry| {
        let many = entry.revisions.iter().map(|one| show::short(one));
        let many: Vec<_> = many.collect();
        if many.is_empty() {
            show::short(&entry.revision).to_owned()
        } else {
            many.join(",")
        }
    }),
    column("BY", |entry| {
        if entry.initiated_by.automated {
            "automated".to_owned()
        } else {
            entry.initiated_by.username.clone()
        }
    }),
    Column {
        heading: "GATES",
        wide: true,
        cell: |entry| {
            let gates = entry.gates.iter().map(|gate| gate.name.as_str());
            gates.collect::<Vec<_>>().join(",")
        },
    },
];

const fn column(
    heading: &'static str,
    cell: fn(&RevisionHistory) -> String,
) -> Column<RevisionHistory> {
    Column {
        heading,
        wide: false,
        cell,
    }
}
