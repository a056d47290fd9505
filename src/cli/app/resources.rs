//! `argosy app resources NAME`: what an application consists of, and what lives beside it.

use argosy_crds::application::ResourceStatus;
use clap::Parser;
use serde::Serialize;

use super::diff::look_at;
use super::find;
use crate::cli::hub_access::HubArgs;
use crate::cli::output;
use crate::cli::table::{Column, ListFormat, Listing};
use crate::cli::{CommandResult, Outcome};
use crate::controller::application::orphaned;
use crate::diagnostic::Diagnostic;

/// Lists the resources of an application.
#[derive(Parser)]
#[command(after_help = "Example:
  argosy app resources web --orphaned -o json")]
pub(crate) struct Args {
    /// The application.
    name: String,
    #[command(flatten)]
    hub: HubArgs,
    /// List what lives in the application's namespace and belongs to no application.
    #[arg(long)]
    orphaned: bool,
    /// The form of the answer.
    #[arg(short, long, value_enum, value_name = "FORM", default_value_t)]
    output: ListFormat,
}

/// One resource.
#[derive(Serialize)]
struct Row {
    group: String,
    kind: String,
    namespace: String,
    name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    status: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    health: String,
    orphaned: bool,
}

pub(crate) async fn run(args: Args) -> CommandResult {
    let rows = if args.orphaned {
        orphans(&args).await?
    } else {
        let app = find(&args.hub.api().await?, &args.name).await?;
        let status = app.status.unwrap_or_default();
        status.resources.into_iter().map(Row::from).collect()
    };
    Listing {
        items: &rows,
        resource: "resource",
        name: |row: &Row| format!("{}/{}", row.kind, row.name),
        columns: &COLUMNS,
    }
    .print(args.output)?;
    Ok(Outcome::Success)
}

async fn orphans(args: &Args) -> Result<Vec<Row>, Diagnostic> {
    let (hub, name) = look_at(&args.hub, &args.name).await?;
    let (found, gap) = orphaned(&hub, &name).await.map_err(|why| {
        Diagnostic::remote(
            "ListingFailed",
            format!("cannot list what lives beside `{}`", args.name),
        )
        .because(&std::io::Error::other(why))
    })?;
    if let Some(gap) = gap {
        output::note(format!("warning: not all is known: {gap}"));
    }
    let rows = found.into_iter().map(|key| Row {
        group: key.group,
        kind: key.kind,
        namespace: key.namespace,
        name: key.name,
        status: String::new(),
        health: String::new(),
        orphaned: true,
    });
    Ok(rows.collect())
}

impl From<ResourceStatus> for Row {
    fn from(one: ResourceStatus) -> Self {
        let health = one.health.and_then(|health| health.status);
        Self {
            group: one.group,
            kind: one.kind,
            namespace: one.namespace,
            name: one.name,
            status: one.status.map(|code| code.to_string()).unwrap_or_default(),
            health: health.map(|code| code.to_string()).unwrap_or_default(),
            orphaned: false,
        }
    }
}

const COLUMNS: [Column<Row>; 7] = [
    Column {
        heading: "GROUP",
        wide: false,
        cell: |row| row.group.clone(),
    },
    Column {
        heading: "KIND",
        wide: false,
        cell: |row| row.kind.clone(),
    },
    Column {
        heading: "NAMESPACE",
        wide: false,
        cell: |row| row.namespace.clone(),
    },
    Column {
        heading: "NAME",
        wide: false,
        cell: |row| row.name.clone(),
    },
    Column {
        heading: "STATUS",
        wide: false,
        cell: |row| row.status.clone(),
    },
    Column {
        heading: "HEALTH",
        wide: false,
        cell: |row| row.health.clone(),
    },
    Column {
        heading: "ORPHANED",
        wide: false,
        cell: |row| if row.orphaned { "Yes" } else { "No" }.to_owned(),
    },
];
