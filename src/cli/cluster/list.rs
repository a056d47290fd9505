//! `argosy cluster list`.

use clap::Parser;

use super::{Registered, registered};
use crate::cli::hub_access::HubArgs;
use crate::cli::table::{Column, ListFormat, Listing};
use crate::cli::{CommandResult, Outcome};

/// Lists the registered clusters.
#[derive(Parser)]
#[command(after_help = "Example:
  argosy cluster list -o wide")]
pub(crate) struct Args {
    #[command(flatten)]
    hub: HubArgs,
    /// The form of the answer.
    #[arg(short, long, value_enum, value_name = "FORM", default_value_t)]
    output: ListFormat,
}

pub(crate) async fn run(args: Args) -> CommandResult {
    let clusters = registered(&args.hub).await?;
    Listing {
        items: &clusters,
        resource: "cluster",
        name: |cluster| cluster.name.clone(),
        columns: &COLUMNS,
    }
    .print(args.output)?;
    Ok(Outcome::Success)
}

const COLUMNS: [Column<Registered>; 8] = [
    Column {
        heading: "NAME",
        wide: false,
        cell: |cluster| cluster.name.clone(),
    },
    Column {
        heading: "SERVER",
        wide: false,
        cell: |cluster| cluster.server.clone(),
    },
    Column {
        heading: "VERSION",
        wide: false,
        cell: |cluster| cluster.connection.server_version.clone(),
    },
    Column {
        heading: "STATUS",
        wide: false,
        cell: Registered::status,
    },
    Column {
        heading: "APPS",
        wide: false,
        cell: |cluster| cluster.connection.applications_count.to_string(),
    },
    Column {
        heading: "PROJECT",
        wide: false,
        cell: |cluster| cluster.project.clone().unwrap_or_default(),
    },
    Column {
        heading: "MESSAGE",
        wide: false,
        cell: |cluster| cluster.connection.message.clone(),
    },
    Column {
        heading: "LABELS",
        wide: true,
        cell: labels,
    },
];

fn labels(cluster: &Registered) -> String {
    let labels = cluster
        .labels
        .iter()
        .map(|(key, value)| format!("{key}={value}"));
    labels.collect::<Vec<_>>().join(",")
}
